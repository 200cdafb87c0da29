"""What paper 003 states against the preset `paper` as it is rendered; a sweep's reference is in it."""

from __future__ import annotations

from typing import Any

import pytest
from ruamel.yaml import YAML

from stages.cli import preset
from stages.contract import Spec
from stages.methods.flow_fill import decoder, prior
from stages.project.entries import Entry
from stages.project.params import dig
from stages.sampling import inpainters
from stages.training import parts

STATED: dict[str, dict[str, Any]] = {
    "prior": {
        "lr": 5e-4,  # Sec. 4.1, and the next one
        "halve_at": (150_000, 225_000, 270_000, 285_000),
        "levels": 4,  # eq. 11
        "flow_steps": 10,
        "permutation": "fixed",  # Sec. 3.2
        "injector": True,  # eq. 6
        "draft": 0.0,  # eq. 4: the likelihood alone
    },
    "decoder": {
        "lr": 1e-4,  # Sec. 4.1
        "l1": 1.0,  # eq. 10
        "adversarial": 0.1,
        "lpips": 0.0,  # eq. 10 has none
        "correct": False,  # eq. 7: G makes the picture
    },
}
ALONE = ("size", "levels", "steps", "injector", "permutation", "draft", "bits", "temperature", "degradation")


@pytest.fixture(scope="module")
def values() -> Any:
    return YAML(typ="safe").load(preset.render("paper"))


@pytest.mark.parametrize("part", STATED)
def test_the_rendered_preset_has_every_stated_value(values, part):
    params = parts.plan(values, "flow_fill", part).params
    assert {name: getattr(params, name) for name in STATED[part]} == STATED[part]


def test_parts_are_trained_as_section_4_1_says(values):
    loops = {part: parts.plan(values, "flow_fill", part).loop for part in STATED}
    assert (loops["prior"].steps, loops["prior"].batch, loops["decoder"].batch) == (300_000, 16, 8)
    assert prior.BETAS == (0.9, 0.999) and decoder.BETAS == (0.0, 0.9)


def test_the_first_stage_has_64_px_of_256(values):
    params: Any = parts.plan(values, "flow_fill", "prior").params
    assert params.side(Spec(values["datasets"]["celeba_hq"]["size"])) == 64


def test_z_is_drawn_as_it_was_learnt(values):
    params: Any = inpainters.params(values, Entry("flow_fill"))
    assert (params.temperature, params.texture) == (1.0, True)


@pytest.mark.parametrize("name", ["photographs", "faces", "paper"])
def test_a_sweep_of_one_key_has_the_presets_own_value_to_compare_with(name):
    values = YAML(typ="safe").load(preset.render(name))
    grids = {sweep: values["sweeps"][f"flow_fill_{sweep}"]["grid"] for sweep in ALONE}
    assert all(dig(values, key) in choices for grid in grids.values() for key, choices in grid.items())
