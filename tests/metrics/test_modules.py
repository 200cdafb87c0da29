"""A metric is one file: every file of `stages/metrics` says the same things, and a new one needs no other edit."""

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

import stages.metrics
from stages.cli import doctor
from stages.contract import UserError
from stages.evaluation import evaluator, protocols
from stages.evaluation.external.score import score_folder
from stages.metrics.core import lookup
from stages.metrics.core.label import GROUPS, Label, label
from stages.pages import labels
from stages.project import weights
from tests.evaluation.external.conftest import KEYS
from tests.evaluation.external.conftest import handed_in as handed_in

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(path.stem for path in (ROOT / "stages" / "metrics").glob("[!_]*.py"))
AddFile = Callable[[str, str], None]

TOY = '''
"""The mean of a completion's values: a metric for this test."""

from stages.metrics.core.contract import Default
from stages.metrics.core.label import Label

NAMES = ("toy_metric",)
BETTER = "higher"
LABELS = {"toy_metric": Label("Toy", "px", "what a toy measures", "fidelity", rank=15)}
DEFAULTS = (Default("toy_metric", images=3),)


def needs(name):
    return "squeezenet"


def build(context, name):
    return lambda batch: {"toy_metric": batch.judged_BKCHW.mean(dim=(2, 3, 4))}
'''


@pytest.fixture
def add_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AddFile]:
    """add_file(name, text): a file beside those of `stages/metrics`."""
    folder, added = tmp_path / "more metrics", []
    folder.mkdir()
    monkeypatch.setattr(stages.metrics, "__path__", [*stages.metrics.__path__, str(folder)])

    def add(name: str, text: str) -> None:
        (folder / f"{name}.py").write_text(text)
        added.append(name)
        importlib.invalidate_caches()

    yield add
    for name in added:
        sys.modules.pop(f"stages.metrics.{name}", None)
        vars(stages.metrics).pop(name, None)


@pytest.fixture
def toy(add_file: AddFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new metric, on a machine without its network's weights."""
    add_file("toy_metric", TOY)
    gone = weights.Weights((tmp_path / "gone.pth").as_uri(), {"gone.pth": "00"})
    monkeypatch.setitem(weights.TABLE, "squeezenet", gone)
    for name in ("PLURIFILL_WEIGHTS", "TORCH_HOME"):
        monkeypatch.setenv(name, str(tmp_path))


def test_protocols_accept_a_new_metric(toy):
    block = {"testset": "box", "composite": True, "selection": "all", "metrics": ["toy_metric"]}
    (metric,) = protocols.read({"protocols": {"own": block}})["own"].metrics
    assert lookup.module(metric).NAMES == ("toy_metric",)
    assert evaluator.better([metric]) == {"toy_metric": "higher"}


def test_the_evaluator_gives_its_values(toy, handed_in):
    scored = score_folder(handed_in(samples=2), ("toy_metric",), torch.device("cpu"))
    (result,) = scored.results
    values = result.long[result.long["metric"] == "toy_metric"]
    assert sorted(zip(values["image"], values["k"], strict=True)) == sorted((key, k) for key in KEYS for k in (0, 1))
    summary = result.summary.set_index("metric").loc["toy_metric"]
    assert summary["estimate"] == pytest.approx(np.mean(values["value"]))
    assert (summary["better"], result.card.weights) == ("higher", {"squeezenet": "absent"})


def test_its_label_and_place_reach_the_pages(toy):
    assert labels.label("toy_metric") == Label("Toy", "px", "what a toy measures", "fidelity", rank=15)
    assert labels.is_column("toy_metric")
    columns = sorted(("l1", "toy_metric", "lpips_alex", "psnr", "ssim_gaussian11"), key=labels.order)
    assert columns == ["psnr", "toy_metric", "ssim_gaussian11", "l1", "lpips_alex"]


def test_it_is_a_default_where_it_says_so(toy):
    assert "toy_metric" in lookup.defaults(images=3, samples=1, raw=False)
    assert "toy_metric" not in lookup.defaults(images=2, samples=1, raw=False)


def test_the_doctor_says_what_it_needs(toy):
    assert "toy_metric" in doctor.needed_by()["squeezenet"]


def test_a_file_that_says_too_little_is_named_with_what_it_lacks(add_file):
    add_file("toy_half", "BETTER = 'lower'\n\n\ndef build(context, name): ...\n")
    with pytest.raises(UserError, match=r"toy_half\.py: a metric also defines NAMES, LABELS, DEFAULTS, needs"):
        lookup.module("toy_half")


def test_a_name_without_a_file_is_the_users_mistake():
    for name in ("novel", "core", "", "../psnr"):
        with pytest.raises(UserError, match="there is no metric"):
            lookup.module(name)


def test_a_values_network_is_its_metrics():
    values = ("prdc_alexnet_recall", "lpips_vgg_hole", "diversity_pixel", "psnr", "hole_ratio")
    assert [lookup.network(value) for value in values] == ["alexnet", "vgg16", None, None, None]


def test_every_file_is_a_metric():
    assert sorted(_stem(module) for module in lookup.every()) == FILES


@pytest.mark.parametrize("file", FILES)
def test_what_a_file_says_agrees_with_itself(file):
    module = lookup.module(file)
    assert module.NAMES and all(lookup.module(name) is module for name in module.NAMES)
    assert {module.needs(name) for name in module.NAMES} <= {None, *weights.TABLE}
    assert [lookup.network(name) for name in module.NAMES] == [module.needs(name) for name in module.NAMES]
    assert {default.metric for default in module.DEFAULTS} <= set(module.NAMES)
    assert module.LABELS and all(lookup.module(value) is module for value in module.LABELS)
    assert {told.group for told in module.LABELS.values()} <= set(GROUPS)
    assert module.BETTER in ("higher", "lower", "")


@pytest.mark.parametrize("file", FILES)
def test_a_metric_knows_what_is_shared_and_never_another_metric(file):
    text = (ROOT / "stages" / "metrics" / f"{file}.py").read_text()
    assert not re.search(r"from stages\.metrics(\.(?!core)| import)", text)


def test_defaults_grow_with_images_samples_and_raw_results():
    one = ("psnr", "ssim_uniform7", "ssim_gaussian11", "l1", "lpips_alex", "lpips_squeeze", "fd_alexnet")
    many = ("fid", "inception_score_splits10", "identity_discrimination")
    several = ("diversity_all_alex", "diversity_pixel", "energy_lpips_alex", "energy_pixel", "collapsed")
    eight = ("calibration_lpips_alex", "calibration_pixel", "spread_skill_lpips_alex", "spread_skill_pixel")
    assert lookup.defaults(images=999, samples=1, raw=False) == one
    assert lookup.defaults(images=1000, samples=1, raw=False) == one + many
    assert lookup.defaults(images=999, samples=2, raw=True) == (*one, *several, "known_error")
    assert lookup.defaults(images=999, samples=8, raw=False) == (*one, *several, *eight)
    assert lookup.defaults(images=5000, samples=2, raw=True) == (*one, *many, *several, "known_error")


def test_a_label_is_that_of_the_longest_first_words_and_tells_the_variant():
    told = {"l1": Label("L1", "%", "", "fidelity"), "l1_hole": Label("L1 hole", "%", "", "fidelity")}
    assert [label(value, told).text for value in ("l1", "l1_hole", "l1_hole_alexnet", "l1_some_net")] == [
        "L1",
        "L1 hole",
        "L1 hole alex",
        "L1 some net",
    ]
    assert label("l1hole", told) == Label("l1hole", "", "l1hole", "other")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("ssim_uniform7", "SSIM 7×7"),
        ("lpips_alex_hole", "LPIPS alex hole"),
        ("fd_alexnet", "FD alex"),
        ("prdc_alexnet_recall", "Recall alex"),
        ("inception_score_splits10_modified", "IS splits10 modified"),
        ("identity_discrimination_unpaired", "U-IDS"),
        ("diversity_five_vgg", "Diversity, five pairs vgg"),
        ("segmentation_deeplabv3", "mIoU deeplabv3"),
    ],
)
def test_values_bear_the_names_that_people_know(value, text):
    assert labels.label(value).text == text


def test_columns_stand_by_group_then_by_rank():
    shown = [name for module in lookup.every() for name in module.NAMES if labels.is_column(name)]
    groups = [labels.label(name).group for name in sorted(shown, key=labels.order)]
    assert list(dict.fromkeys(groups)) == [group for group in GROUPS if group in groups]
    assert not labels.is_column("collapsed") and not labels.is_column(evaluator.HOLE_RATIO)


def _stem(module: object) -> str:
    assert isinstance(module, ModuleType)
    return module.__name__.rpartition(".")[2]
