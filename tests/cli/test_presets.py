"""A preset changes sizes and budgets only: its networks and losses are the paper's."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from ruamel.yaml import YAML
from torch import nn

from stages.cli import preset
from stages.contract import Spec
from stages.evaluation import evaluator, protocols
from stages.sampling import testsets
from stages.training import dry_run, parts

ROOT = Path(__file__).resolve().parents[2]
PRESETS = sorted(path.stem for path in (ROOT / "presets").glob("*.yaml"))
ELSEWHERE = ("places", "paris")  # the papers' networks on other datasets
WHOLE = {name: YAML(typ="safe").load(preset.render(name)) for name in PRESETS}
CLASSES = 12  # scenes': of label maps, without which a branch that learns from them would not be compared
OURS = {("flow_fill", "prior"): frozenset({"draft_l1"})}  # losses of small budgets
PARTS = [(m, part) for m in WHOLE["paper"]["methods"] for part in parts.order(WHOLE["paper"], m)]


@cache
def anatomy(name: str, method: str, part: str) -> tuple[frozenset[str], frozenset[str]]:
    """(types of all modules, names of all scalars of a step) of a part under a preset, imagined on the meta device."""
    values = WHOLE[name]
    plans = {other: parts.plan(values, method, other) for other in parts.order(values, method)}
    spec = Spec(values["datasets"][values["data"]["dataset"]]["size"], CLASSES)
    with torch.device("meta"):
        drawn = dry_run.draft(plans[part], plans, spec)
        scalars = frozenset(drawn.step(dry_run.batch(plans[part], spec)))
    networks = [value for value in drawn.state().values() if isinstance(value, nn.Module)]
    return frozenset(type(module).__name__ for network in networks for module in network.modules()), scalars


def networks(values: Any) -> Any:
    """All that methods say but how long they train, and on what."""
    if not isinstance(values, dict):
        return values
    return {key: networks(value) for key, value in values.items() if key not in {"steps", "dataset"}}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_elsewhere_the_papers_methods_are_trained(name: str):
    assert networks(WHOLE[name]["methods"]) == networks(WHOLE["paper"]["methods"])
    assert list(WHOLE[name]["datasets"]) == [WHOLE[name]["data"]["dataset"]]


@pytest.mark.parametrize("part", ["vq", "encoder", "prior", "decoder"])
@pytest.mark.parametrize(("name", "epochs", "images"), [("paper", 200, 24_183), ("places", 20, 1_803_460)])
def test_latent_codes_are_trained_for_the_papers_epochs(name: str, epochs: int, images: int, part: str):
    loop: Any = parts.plan(WHOLE[name], "latent_codes", part).loop
    assert loop.steps * loop.batch / images == pytest.approx(epochs, rel=2e-3)


@pytest.mark.parametrize("name", [name for name in PRESETS if name not in {"paper", *ELSEWHERE}])
@pytest.mark.parametrize(("method", "part"), PARTS)
def test_a_preset_has_the_papers_modules_and_losses(name: str, method: str, part: str):
    """And of ours no more than what is named."""
    modules, scalars = anatomy(name, method, part)
    ours = scalars & OURS.get((method, part), frozenset())
    assert (modules, scalars - ours) == anatomy("paper", method, part)


@pytest.mark.parametrize("name", PRESETS)
def test_a_token_grid_is_at_least_8_x_8_at_64_px(name: str):
    plan: Any = parts.plan(WHOLE[name], "latent_codes", "vq")
    size = WHOLE[name]["datasets"][plan.dataset]["size"]
    assert size // plan.params.shape(Spec(size), plan.params.stem).factor >= 8 * size / max(size, 64)


def test_the_papers_transformer_has_about_950_million_parameters():
    values = WHOLE["paper"]
    plans = {name: parts.plan(values, "latent_codes", name) for name in parts.order(values, "latent_codes")}
    with torch.device("meta"):
        model: Any = dry_run.draft(plans["prior"], plans, Spec(256)).model
    blocks = sum(p.numel() for p in model.transformer.blocks.parameters())
    assert 0.94e9 < blocks < 0.96e9


@pytest.mark.parametrize("name", PRESETS)
def test_protocols_name_test_sets_masks_and_metrics_that_there_are(name: str):
    for protocol in protocols.read(WHOLE[name]).values():
        assert testsets.read(WHOLE[name], protocol.testset).masks in WHOLE[name]["masks"]
        for metric in protocol.metrics:
            module = evaluator.module(metric)
            if hasattr(module, "needs"):
                module.needs(metric)  # a UserError where it names no such network


IDS = "identity_discrimination"
HOLES0 = {"box": "box80", "small": "small", "large": "large"}
BINS2, BINS3 = ("bin10-30", "bin40-60", "bin70-90"), ("bin20-40", "bin40-60", "bin20-60")
SCORES1 = {"psnr", "ssim_uniform7", "inception_score_splits10", "fid", "diversity_consecutive_alex_hole"}
PAPERS = {  # masks, composited, selection, metrics
    "p000-box-diversity": ("box80", True, "all", {"diversity_all_alex"}),
    **{f"p000-{hole}": (masks, True, "first", {"fid"}) for hole, masks in HOLES0.items()},
    **{f"p001-{masks}": (masks, True, "all", SCORES1) for masks in ("centre", "irregular")},
    **{
        f"p002-{bin}{ending}": (bin, not ending, "first", {"fid", "lpips_alex", "ssim_gaussian11", IDS})
        for bin in BINS2
        for ending in ("", "-raw")
    },
    **{
        f"p003-{bin}": (bin, False, "all", {"fid", "l1", "psnr", "ssim_gaussian11", "diversity_five_vgg"})
        for bin in BINS3
    },
}


def test_the_papers_protocols_are_exact_under_paper():
    values = WHOLE["paper"]
    named = {key: p for key, p in protocols.read(values).items() if key.startswith("p0")}
    told = {
        key: (testsets.read(values, p.testset).masks, p.composite, p.selection, set(p.metrics))
        for key, p in named.items()
    }
    assert told == PAPERS
    counts = {
        key: (testsets.read(values, p.testset).images, testsets.read(values, p.testset).samples)
        for key, p in named.items()
    }
    assert counts.pop("p000-box-diversity") == (1000, 100)
    assert counts.pop("p001-centre") == counts.pop("p001-irregular") == (1000, 50)
    assert all(images is None for images, _ in counts.values())  # all test images
    samples = {key: count for key, (_, count) in counts.items() if "40-60" not in key}  # which papers 002 and 003 share
    assert samples == {key: 10 if key.startswith("p003") else 1 for key in samples}


@pytest.mark.parametrize(("name", "split"), [("paper", "val"), ("places", "test")])
def test_paper_000_tests_on_what_celebas_partition_calls_val(name: str, split: str):
    values = WHOLE[name]
    named = {key: protocol.testset for key, protocol in protocols.read(values).items()}
    assert {testsets.read(values, testset).split for key, testset in named.items() if key.startswith("p000")} == {split}
    assert {testsets.read(values, testset).split for key, testset in named.items() if key[:4] > "p000"} == {"test"}


def test_table_2s_ablation_is_of_3000_images_of_places():
    values = WHOLE["places"]
    protocol = protocols.read(values)["p000-ablation"]
    ablated = testsets.read(values, protocol.testset)
    assert (ablated.dataset, ablated.masks, ablated.images, ablated.samples) == ("places365", "box80", 3000, 1)
    assert protocol.metrics == ("fid",) and protocol.composite


@pytest.mark.parametrize("name", [name for name in PRESETS if name not in {"tiny", "outpainting"}])
def test_every_method_is_scored_on_the_papers_protocols_under_every_preset(name: str):
    assert set(PAPERS) <= set(WHOLE[name]["protocols"])
