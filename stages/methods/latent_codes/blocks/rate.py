"""How fast the parts learn: the paper's rate, left along a cosine where a budget is small."""

from __future__ import annotations

from pydantic import Field

from stages.training.schedules import Cosine


class Rate(Cosine):
    """The paper's, which is constant: 0 steps of rise and of decay."""

    lr: float = Field(default=1.08e-4, gt=0)  # paper: 3 GPUs x batch 8, at 4.5e-6 an image
