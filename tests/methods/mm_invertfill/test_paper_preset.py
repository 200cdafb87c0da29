"""What paper 002 states, and the anchors of what is lost from it, against the preset `paper` as it is rendered."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch
from ruamel.yaml import YAML
from torch import nn

from stages.cli import preset
from stages.contract import Spec
from stages.images import masks
from stages.methods.mm_invertfill import encoder, prior
from stages.methods.mm_invertfill.blocks import mean_latent, perception, sizes, turns
from stages.methods.mm_invertfill.blocks.bottlenecks import AdaptiveBottleneck
from stages.methods.mm_invertfill.blocks.styles import MapToVector, level_of
from stages.metrics.core import classifier_maps
from stages.nets.attention import SpatialAttention
from stages.nets.gated_conv import GatedConv2d
from stages.project.entries import Entry
from stages.sampling import inpainters
from stages.training import dry_run, parts

SIZE, CLASSES = 256, 15  # CelebAMask-HQ's, some of its parts merged
STATED: dict[str, dict[str, Any]] = {
    "prior": {  # Sec. 3.3: StyleGAN2; its configuration F
        "base": 32768,
        "most": 512,
        "latent": 512,
        "mapping_layers": 8,
        "noise_rate": 1.0,
        "lr": 2e-3,
        "warmup_steps": 0,
        "r1": 10.0,
        "r1_every": 16,
        "path": 2.0,
        "path_every": 8,
        "path_share": 0.5,
        "mixing": 0.9,
        "augment": 0.0,  # it has none
    },
    "encoder": {
        "edges": True,  # Sec. 3.1: three modalities
        "labels": True,
        "bottleneck": "acb",  # Sec. 3.2.1
        "bottlenecks": 8,  # Table 8: the best
        "bottleneck_width": 1,
        "attention": "gated",  # Sec. 3.2.2: GMA
        "fusion": "adn",  # eq. 2
        "prior": "unbiased",  # Sec. 5.3: the default
        "space": "f_w_plus",  # eq. 6
        "premodulation": True,  # eq. 4
        "style_heads": "levels",  # Sec. 3.3: three map2style networks
        "perceptual": "hrf",  # eq. 7
        "l1": 0.0,  # eq. 7 has none
        "warmup_steps": 0,
        "decay_steps": 0,
        "perceptual_weight": 1.0,  # eq. 7 weighs nothing
        "adversarial": 1.0,
        "judges_edges": True,
        "scale_perceptual": 1.0,  # eq. 8
        "multi_scale": 1.0,  # from here on ours: lost from the text
        "fidelity": 0.005,
        "lr": 1e-4,
        "dilations": (1, 2, 3, 4),
        "patches": (2, 4),
        "width": 64,
        "sigma": 1.0,
        "discriminator_width": 64,
        "discriminator_share": 0.05,
    },
}


@pytest.fixture(scope="module")
def values() -> Any:
    return YAML(typ="safe").load(preset.render("paper"))


@pytest.fixture(scope="module")
def drafted(values) -> Any:
    """The encoder's part at its full size, of shapes alone."""
    plans = {part: plan(values, part) for part in STATED}
    with torch.device("meta"):
        return dry_run.draft(plans["encoder"], plans, Spec(SIZE, CLASSES))


def plan(values: Any, part: str) -> Any:
    return parts.plan(values, "mm_invertfill", part)


def count(net: nn.Module, kind: type[nn.Module]) -> int:
    return sum(isinstance(module, kind) for module in net.modules())


@pytest.mark.parametrize("part", STATED)
def test_the_rendered_preset_has_every_stated_value(values, part):
    params = plan(values, part).params
    assert {key: getattr(params, key) for key in STATED[part]} == STATED[part]


def test_the_mean_latent_is_soft_and_its_numbers_are_the_anchors(values):
    """Sec. 3.3.3; tau as DDPG's, the mean of 4,096 styles."""
    mean = plan(values, "encoder").params.mean
    assert (mean.kind, mean.tau, mean.samples, mean.every) == ("soft", 0.001, 4096, 500)


def test_parts_are_trained_as_section_4_2_says_and_as_stylegan2_was(values, drafted):
    """Batches of 8 by Adam; the generator on 25 million images by 32, its average's half-life 10,000 images."""
    loop = plan(values, "encoder").loop
    assert (loop.batch, loop.accumulate, loop.clip) == (8, 1, 0.0)
    assert type(drafted.optimizer) is type(drafted.critic_optimizer) is torch.optim.Adam
    assert encoder.BETAS == (0.9, 0.999) and turns.BETAS == (0.0, 0.99)
    loop = plan(values, "prior").loop
    assert (loop.batch, loop.steps * loop.batch) == (32, 25_000_000)
    assert loop.ema == pytest.approx(0.5 ** (32 / 10_000), abs=3e-4)


def test_the_generator_learns_from_the_encoders_dataset_of_256_px(values):
    names = [plan(values, part).dataset for part in STATED]
    assert names == ["celeba_hq", "celeba_hq"] and values["datasets"]["celeba_hq"]["size"] == SIZE
    assert values["datasets"]["celeba_hq"]["flip"] == 0.5  # as MMT


@pytest.mark.parametrize(("size", "layers"), [(256, 14), (512, 16), (1024, 18)])
def test_style_layers_are_split_as_psps(size, layers):
    """0-2 are coarse, 3-6 middle, 7 and on fine."""
    levels = level_of(layers)
    assert levels == [0] * 3 + [1] * 4 + [2] * (layers - 7)
    assert layers == 2 * (size.bit_length() - 1) - 2


def test_the_encoder_is_built_as_section_3_says(drafted):
    net = drafted.model
    assert drafted.inverter.generator.layers == 14
    assert count(net.backbone, GatedConv2d) == 5 and count(net.backbone, SpatialAttention) == 1
    stack = [module for module in net.modules() if isinstance(module, AdaptiveBottleneck)]
    assert [len(one.paths) for one in stack] == [4] * 8  # four dilations each
    assert [conv.dilation for conv in stack[0].paths] == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert len(net.decoder.levels) == 3 and {len(level.beside) for level in net.decoder.levels} == {2}
    assert (len(net.styles.heads), len(net.styles.structures), len(net.styles.premodulations)) == (3, 3, 14)
    assert {len(level.block.attention.patches) for level in net.decoder.levels} == {2}  # a head a patch size


def test_map2style_halves_its_map_to_one_cell_as_psps(drafted):
    """5, 6 and 7 convolutions of stride 2 at 32, 64 and 128 px, then a linear layer of 512."""
    heads = list(drafted.model.styles.heads)
    convs = [[layer for layer in head.layers if isinstance(layer, nn.Conv2d)] for head in heads]
    assert [len(layers) for layers in convs] == [5, 6, 7]
    assert {layer.stride for layers in convs for layer in layers} == {(2, 2)}
    assert all(isinstance(head, MapToVector) and head.last.out_features == 512 for head in heads)


def test_the_widths_are_mmts(drafted):
    assert [level.rgb.merge.conv.out_channels // 2 for level in drafted.model.decoder.levels] == [256, 128, 64]
    beside = [level.beside["edges"].merge.conv.out_channels // 2 for level in drafted.model.decoder.levels]
    assert beside == [128, 128, 64]


def test_the_discriminator_has_five_normalised_convolutions_and_sees_edges(drafted):
    """Sec. 3.4; k4, 64-128-256-512-1, strides 2, 2, 2, 1, 1 as MMT's; image and predicted edges."""
    convs = [module for module in drafted.critic.modules() if isinstance(module, nn.Conv2d)]
    assert [conv.out_channels for conv in convs] == [64, 128, 256, 512, 1] and convs[0].in_channels == 4
    assert {conv.kernel_size for conv in convs} == {(4, 4)} and [conv.stride[0] for conv in convs] == [2, 2, 2, 1, 1]
    assert all(nn.utils.parametrize.is_parametrized(conv, "weight") for conv in convs)


def test_the_perceptual_loss_reads_a_dilated_resnet_50():
    """Of a segmenter, as the paper's; of COCO, whose file has a digest."""
    assert classifier_maps.NETWORKS[perception.NETWORK] == "fcn_resnet50" and any(classifier_maps.DILATED)


def test_completions_differ_by_the_generators_noise_and_are_guided_by_visible_edges(values):
    params: Any = inpainters.params(values, Entry("mm_invertfill"))
    assert (params.sampling, params.edges, params.labels, params.blend) == ("noise", "visible", "none", False)


def test_test_masks_have_the_papers_three_levels_of_difficulty(values):
    """Sec. 4.2: 10-30 %, 40-60 % and 70-90 %, each with a protocol of FID, LPIPS, SSIM and P/U-IDS."""
    for name, bounds in (("bin10-30", (0.1, 0.3)), ("bin40-60", (0.4, 0.6)), ("bin70-90", (0.7, 0.9))):
        generator: Any = masks.generator_of(values["masks"][values["testsets"][name]["masks"]])
        assert (generator.low, generator.high) == bounds
        scored = values["protocols"][f"p002-{name}"]["metrics"]
        assert scored == ["fid", "lpips_alex", "ssim_gaussian11", "identity_discrimination"]


@pytest.mark.parametrize(
    "word",
    ["tau", "samples", "turns", "lambda_m", "lambda_f", "rates", "dilations", "patches", "widths", "Canny's", "Adam's"],
)
def test_the_card_says_what_is_ours_where_the_paper_is_silent_or_lost(word):
    assert word in " ".join(encoder.CHOICES)


@pytest.mark.parametrize(
    ("module", "key"),
    [
        (encoder, "lr"),
        (encoder, "multi_scale"),
        (encoder, "fidelity"),
        (encoder, "edges_given"),
        (mean_latent, "tau"),
        (mean_latent, "samples"),
        (mean_latent, "every"),
        (sizes, "dilations"),
        (sizes, "patches"),
        (sizes, "width"),
    ],
)
def test_a_default_that_is_an_anchor_has_its_origin_beside_it(module, key):
    (line,) = [line for line in inspect.getsource(module).splitlines() if line.startswith(f"    {key}: ")]
    assert any(source in line.partition("#")[2] for source in ("ours", "MMT's"))


def test_the_generators_card_names_stylegan2():
    assert "StyleGAN2" in prior.CHOICES[0]
