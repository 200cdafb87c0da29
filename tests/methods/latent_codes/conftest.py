"""The whole method at its smallest: 32 px, 8 x 8 tokens, 16 codes, two training steps a part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stages.contract import Part, Spec, Trained
from tests.methods.conftest import PlainTools, mean_square
from tests.methods.small import Small
from tests.methods.small import learn as learn_on

SPEC = Spec(32)
SIZES: dict[str, Any] = {"width": 8, "multipliers": [1, 2], "blocks": 1, "attention": [8], "lr": 1e-3}
ADVERSARY: dict[str, Any] = {"width": 8, "layers": 2, "start": 0}
SMALL: dict[str, dict[str, Any]] = {
    "vq": {**SIZES, "stem": 2, "codes": 16, "channels": 8, "normalised_codes": True, "restart_after": 2},
    "encoder": {**SIZES},
    "prior": {"width": 16, "layers": 2, "heads": 2, "lr": 1e-3},
    "decoder": {**SIZES, "generator": "vq", "l1": 1.0, "adversary": ADVERSARY},
    "inpaint": {},
}
SMALL["vq"]["adversary"] = {**ADVERSARY, "loss": "hinge", "adaptive": True, "weight": 0.8, "r1": 0.0}


MADE = Small("latent_codes", SMALL, SPEC)
make_part, release, make_inpainter = MADE.part, MADE.release, MADE.inpainter


@pytest.fixture(scope="session")
def family() -> dict[str, Trained]:
    """vq, encoder, prior and decoder: untrained but for their start, as released."""
    accelerator, parents = PlainTools(mean_square), {}
    for name in ("vq", "encoder", "prior", "decoder"):
        parents[name] = release(name, make_part(name, parents, accelerator))
    return parents


Steps = Callable[[Part, range], list[dict[str, float]]]


@pytest.fixture
def learn(batch_of: Callable[..., Any]) -> Steps:
    """learn(part, range): steps on the batches of these numbers, torch's generator set anew before each."""

    def run(part: Part, steps: range) -> list[dict[str, float]]:
        return learn_on(part, batch_of, steps)

    return run
