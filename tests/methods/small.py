"""A method at its smallest: its parts, as released, and its inpainter, from a block of small params."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch

from stages.contract import Batch, Part, Spec, Trained
from stages.training.distributed import Ranks
from stages.training.measuring import measured
from tests.methods.conftest import PlainTools


@dataclass(frozen=True)
class Small:
    """`params` by part, and those of `inpaint`; images are of `spec`."""

    method: str
    params: Mapping[str, Mapping[str, Any]]
    spec: Spec

    def part(
        self,
        name: str,
        parents: Mapping[str, Trained],
        accelerator: PlainTools,
        spec: Spec | None = None,
        **changes: Any,
    ) -> Any:
        """A part from the small params with some changed, its weights a function of its name."""
        module = import_module(f"stages.methods.{self.method}.{name}")
        torch.manual_seed(len(name))
        params = module.Params.model_validate({**self.params[name], **changes})
        return module.build(params, parents, spec or self.spec, accelerator)

    def release(self, name: str, part: Part, **changes: Any) -> Trained:
        """A part as a child or the inpainter gets it."""
        tensors = {key: value.detach().clone() for key, value in part.model.state_dict().items()}
        return Trained({**self.params[name], **changes}, self.spec, tensors)

    def inpainter(self, parents: Mapping[str, Trained], **changes: Any) -> Any:
        """The inpainter, on the CPU."""
        module = import_module(f"stages.methods.{self.method}.inpaint")
        params = module.Params.model_validate({**self.params["inpaint"], **changes})
        return module.build(params, parents, torch.device("cpu"))


def figures_of(part: Part, batches: Sequence[Batch]) -> dict[str, float]:
    """Its figures on these batches, as one process tells them."""
    return part.figures(measured(part, batches, lambda batch: batch, 0, Ranks()))


def learn(part: Part, batch_of: Callable[..., Batch], steps: range) -> list[dict[str, float]]:
    """Steps on the batches of these numbers, torch's generator set anew before each."""
    scalars = []
    for k in steps:
        torch.manual_seed(k)
        scalars.append({name: float(value) for name, value in part.step(batch_of(k)).items()})
    return scalars
