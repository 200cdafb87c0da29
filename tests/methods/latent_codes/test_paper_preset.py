"""Every value that paper 000 states, against the preset `paper` as it is rendered.

A row: the key below `methods.latent_codes`, its value, where the paper states it. An option of ours or of the
release that could leak in from the preset below has a row too.
"""

from __future__ import annotations

from functools import cache, reduce
from typing import Any

import pytest
from ruamel.yaml import YAML

from stages.cli import preset
from stages.contract import Params
from stages.project.entries import Entry
from stages.sampling import inpainters
from stages.training import parts

Row = tuple[str, Any, str]
STATED: list[Row] = [
    ("vq.codes", 1024, "Sec. 6: 1024 tokens"),
    ("vq.channels", 256, "Sec. 6: a 256-channel embedding"),
    ("vq.stem", 1, "Sec. 3.1: VQGAN, the token grid at 1/16"),
    ("vq.multipliers", (1, 1, 2, 2, 4), "Sec. 3.1: four halvings are 1/16"),
    ("vq.normalised_codes", False, "Sec. 3.1: VQGAN's setup"),
    ("vq.restart_after", 0, "Sec. 3.1: VQGAN's setup"),
    ("vq.lpips_net", "vgg", "Sec. 3.1: VQGAN's setup"),
    ("vq.adversary.loss", "hinge", "Sec. 3.1: VQGAN's setup"),
    ("vq.adversary.start", 50_000, "Sec. 3.1: VQGAN's setup"),
    ("vq.loop.ema", 0.0, "none named"),
    ("encoder.kind", "restrictive", "Sec. 3.1"),
    ("encoder.start", "scratch", "none named"),
    ("encoder.token_mask.alpha", 0.5, "Sec. 3.1"),
    ("encoder.multipliers", (1, 1, 2, 2, 4), "Sec. 3.1: 1/16"),
    ("encoder.attention", (32, 16), "Sec. 6: self-attention at 32 x 32 and 16 x 16"),
    ("encoder.normalisation", "layer", "Sec. 6: layer normalization"),
    ("encoder.mask_input", False, "Sec. 3.1: E(X_M)"),
    ("encoder.masks", "large", "Sec. 6: free-form random masks"),
    ("encoder.loop.batch", 24, "Sec. 6: 3 GPUs, a batch of 8"),
    ("encoder.loop.ema", 0.0, "none named"),
    ("prior.width", 1408, "Sec. 6: embeddings of 1408 channels"),
    ("prior.layers", 40, "Sec. 6: 40 layers"),
    ("prior.heads", 16, "Sec. 6: 16 heads"),
    ("prior.dropout", 0.1, "Sec. 6: attention and embedding dropout of 10 %"),
    ("prior.lowest_ratio", 0.15, "Sec. 3.2: between 15 % and 75 %"),
    ("prior.highest_ratio", 0.75, "Sec. 3.2: between 15 % and 75 %"),
    ("prior.input", "codebook", "eq. 6: C(D)"),
    ("prior.regions", 0.0, "Sec. 3.2: tokens are masked at random"),
    ("prior.misread", 0.0, "Sec. 3.2: full images are encoded"),
    ("prior.loop.batch", 24, "Sec. 6: 3 GPUs, a batch of 8"),
    ("prior.loop.ema", 0.0, "none named"),
    ("decoder.encoder", "partial", "Sec. 3.3: standard partial convolution"),
    ("decoder.generator", "own", "Sec. 6: the decoder too has layer norm and attention at 32 and 16"),
    ("decoder.multipliers", (1, 1, 2, 2, 4), "Sec. 3.1: 1/16"),
    ("decoder.attention", (32, 16), "Sec. 6: self-attention at 32 x 32 and 16 x 16"),
    ("decoder.normalisation", "layer", "Sec. 6: layer normalization"),
    ("decoder.refinement", False, "Sec. 3.3: none"),
    ("decoder.train_mask", "restrictive", "eq. 7: the mask of eq. 4"),
    ("decoder.code_noise", 0.0, "Sec. 3.3: Z = E_VQ(X)"),
    ("decoder.l1", 0.0, "eq. 9: none"),
    ("decoder.lpips", 0.1, "eq. 9"),
    ("decoder.lpips_net", "vgg", "eq. 13"),
    ("decoder.adversary.loss", "nonsaturating", "eq. 10-11"),
    ("decoder.adversary.weight", 1.0, "eq. 9"),
    ("decoder.adversary.adaptive", False, "eq. 9"),
    ("decoder.adversary.start", 0, "none named"),
    ("decoder.adversary.r1", 0.1, "eq. 9"),
    ("decoder.adversary.r1_form", "norm", "eq. 12"),
    ("decoder.adversary.mask_input", False, "eq. 10-11: D(x)"),
    ("decoder.masks", "large", "Sec. 6: free-form random masks"),
    ("decoder.loop.batch", 24, "Sec. 6: 3 GPUs, a batch of 8"),
    ("decoder.loop.ema", 0.0, "none named"),
    ("inpaint.steps", 5, "Sec. 3.2: k = 5"),
    ("inpaint.temperature", 1.0, "Sec. 3.2: a starting temperature of 1"),
    ("inpaint.annealing", 0.9, "Sec. 3.2: s = 0.9"),
    ("inpaint.confidence", "probability", "Sec. 3.2: top prediction scores"),
    ("inpaint.deterministic", False, "Sec. 3.2: drawn from the distribution"),
    ("inpaint.doubted", 0.0, "none named"),
    ("inpaint.positions", "trained", "none named"),
    ("inpaint.decoding", "composed", "eq. 7-8"),
]


@cache
def values() -> Any:
    return YAML(typ="safe").load(preset.render("paper"))


@cache
def block(name: str) -> tuple[Any, Params]:
    """(what of a block is not its own, its own params), resolved."""
    if name == "inpaint":
        return None, inpainters.params(values(), Entry("latent_codes"))
    plan = parts.plan(values(), "latent_codes", name)
    return plan, plan.params


@pytest.mark.parametrize(("key", "value", "where"), STATED, ids=lambda x: x if isinstance(x, str) else "")
def test_the_preset_paper_has_what_the_paper_states(key: str, value: Any, where: str):
    name, *path = key.split(".")
    plan, own = block(name)
    assert reduce(getattr, path, plan if path[0] in {"loop", "masks"} else own) == value, where


def test_the_papers_images_are_256_px():
    """Section 4."""
    names = {parts.plan(values(), "latent_codes", name).dataset for name in parts.order(values(), "latent_codes")}
    assert {values()["datasets"][name]["size"] for name in names} == {256}


def test_no_key_has_two_rows():
    keys = [key for key, _, _ in STATED]
    assert len(keys) == len(set(keys))
