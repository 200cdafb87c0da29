"""The whole method at its smallest: 32 px, 8 x 8 tokens, 16 codes, two training steps a part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import pytest
import torch

from stages.contract import Part, Spec, Trained
from tests.methods.conftest import PlainTools, mean_square

SPEC = Spec(32)
SIZES: dict[str, Any] = {"width": 8, "multipliers": [1, 2], "blocks": 1, "attention": [8], "lr": 1e-3}
ADVERSARY: dict[str, Any] = {"width": 8, "layers": 2, "start": 0}
SMALL: dict[str, dict[str, Any]] = {
    "vq": {**SIZES, "stem": 2, "codes": 16, "channels": 8, "normalised_codes": True, "restart_after": 2},
    "encoder": {**SIZES, "features": 8},
    "prior": {"width": 16, "layers": 2, "heads": 2, "lr": 1e-3},
    "decoder": {**SIZES, "l1": 1.0, "adversary": ADVERSARY},
    "inpaint": {},
}
SMALL["vq"]["adversary"] = {**ADVERSARY, "loss": "hinge", "adaptive": True, "weight": 0.8, "r1": 0.0}


def make_part(name: str, parents: Mapping[str, Trained], accelerator: PlainTools, **changes: Any) -> Part:
    """A part from the small params with some changed, its weights a function of its name."""
    module = import_module(f"stages.methods.latent_codes.{name}")
    torch.manual_seed(len(name))
    return module.build(module.Params.model_validate({**SMALL[name], **changes}), parents, SPEC, accelerator)


def release(name: str, part: Part, **changes: Any) -> Trained:
    """A part as a child or the inpainter gets it."""
    tensors = {key: value.detach().clone() for key, value in part.model.state_dict().items()}
    return Trained({**SMALL[name], **changes}, SPEC, tensors)


def make_inpainter(parents: Mapping[str, Trained], **changes: Any) -> Any:
    module = import_module("stages.methods.latent_codes.inpaint")
    return module.build(module.Params.model_validate({**SMALL["inpaint"], **changes}), parents, torch.device("cpu"))


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
        scalars = []
        for k in steps:
            torch.manual_seed(k)
            scalars.append({name: float(value) for name, value in part.step(batch_of(k)).items()})
        return scalars

    return run
