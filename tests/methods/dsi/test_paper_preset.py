"""What paper 001 and its release state, against the preset `paper` as it is rendered."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from ruamel.yaml import YAML

from stages.cli import preset
from stages.contract import Spec
from stages.images import masks
from stages.methods.dsi.blocks.autoencoder import FACTOR, grid
from stages.methods.dsi.blocks.feature_losses import SCALE
from stages.methods.dsi.blocks.judges import FeatureJudge
from stages.methods.dsi.decoder import BETAS
from stages.nets.gated_conv import GatedConv2d
from stages.project.entries import Entry
from stages.sampling import inpainters
from stages.training import dry_run, parts

STATED: dict[str, dict[str, Any]] = {
    "vq": {
        "codes": 512,  # Sec. 3.1: K
        "channels": 64,  # Sec. 3.1: D
        "reconstruction": 1.0,  # Sec. 4.1: alpha_l2
        "commitment": 0.25,  # Sec. 4.1: alpha_c
        "lr": 1e-4,  # Sec. 4.1
        "warmup_steps": 0,
        "decay_steps": 0,
        "width": 128,  # from here on as released
        "residual_width": 64,
        "blocks": 2,
        "codebook_decay": 0.99,
        "codebook_epsilon": 1e-5,
        "restart_after": 0,
        "structure_alone": 0.0,  # the paper has none
    },
    "prior": {
        "layers": 20,  # Sec. 3.2
        "attentions": 4,  # Sec. 3.2
        "hidden": 128,  # Sec. 3.2
        "decay_power": 0.5,  # Sec. 4.1: square root
        "warmup_steps": 15_999,  # from here on as released
        "heads": 8,
        "key_width": 16,
        "value_width": 64,
        "output_layers": 20,
        "condition_width": 32,
        "condition_dilations": (1, 1, 1, 2, 4, 8, 16, 1, 1, 1),
        "stem": 1,
        "dropout": 0.1,
    },
    "decoder": {
        "l1": 1.0,  # Sec. 4.1: alpha_l1
        "adversarial": 1.0,  # Sec. 4.1: alpha_adv
        "feature": 0.1,  # Sec. 4.1: alpha_f
        "feature_losses": "both",  # eq. 12
        "lr": 1e-4,  # Sec. 4.1
        "warmup_steps": 0,
        "decay_steps": 0,
        "lpips": 0.0,  # the paper has none
        "classifier": "vgg",  # Table 3
        "width": 32,  # from here on as released
        "dilations": (2, 4, 8, 16),
        "stem": 1,
        "discriminator_width": 64,
    },
}


@pytest.fixture(scope="module")
def values() -> Any:
    return YAML(typ="safe").load(preset.render("paper"))


def plan(values: Any, part: str) -> Any:
    return parts.plan(values, "dsi", part)


@pytest.mark.parametrize("part", STATED)
def test_the_rendered_preset_has_every_stated_value(values, part):
    params = plan(values, part).params
    assert {key: getattr(params, key) for key in STATED[part]} == STATED[part]


@pytest.mark.parametrize("part", STATED)
def test_every_part_is_trained_as_section_4_1_says(values, part):
    """A million iterations of batch 8; averages of decay 0.9997 for the VQ-VAE and the structure generator alone."""
    loop = plan(values, part).loop
    assert (loop.steps, loop.batch, loop.accumulate, loop.clip) == (1_000_000, 8, 1, 0.0)
    assert loop.ema == (0.0 if part == "decoder" else 0.9997)


def test_the_rates_peak_is_the_released_scale(values):
    assert plan(values, "prior").params.lr == pytest.approx(0.18 * (128 * 16_000) ** -0.5, rel=1e-3)


def test_attention_is_full_structural_and_euclidean(values):
    """Sec. 3.3 and eq. 5-6: lambda_1 = 50; what only the release has is off."""
    attention = plan(values, "decoder").params.attention
    told = (attention.features, attention.scope, attention.distance, attention.scale, attention.fuse)
    assert told == ("structural", "full", "euclidean", 50.0, False)


def test_lambda_2_and_the_generators_beta(values):
    assert SCALE == 10.0 and BETAS[0] == 0.5


def test_structure_is_32_x_32_and_texture_64_x_64_at_256_px(values):
    dataset = values["datasets"][values["data"]["dataset"]]
    assert (dataset["size"], grid(Spec(256)), FACTOR) == (256, 32, 8)


def test_holes_are_the_centre_half(values):
    """Table 1: 128 x 128 of 256 x 256."""
    for part in ("prior", "decoder"):
        hole_HW = masks.generator_of(plan(values, part).generator).draw(np.random.default_rng(0), 256)
        rows, columns = hole_HW.nonzero()
        assert hole_HW.sum() == 128**2 and (rows.min(), rows.max(), columns.min(), columns.max()) == (64, 191, 64, 191)


def test_every_position_is_drawn_from_the_learnt_distribution(values):
    params: Any = inpainters.params(values, Entry("dsi"))
    assert (params.positions, params.temperature, params.top_k, params.top_p) == ("all", 1.0, 0, 1.0)


def test_the_generator_has_the_released_widths(values):
    """Nominally 64, 128, 256, of which a gated convolution keeps half."""
    plans = {part: plan(values, part) for part in STATED}
    with torch.device("meta"):
        part: Any = dry_run.draft(plans["decoder"], plans, Spec(256))
    assert isinstance(part.judge, FeatureJudge)
    assert {conv.conv.out_channels for conv in part.model.modules() if isinstance(conv, GatedConv2d)} == {64, 128, 256}
