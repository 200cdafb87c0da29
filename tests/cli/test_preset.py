"""Presets: the base is the committed params.yaml, overlays do not depend on what was there before."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from stages.cli import preset
from stages.contract import UserError

ROOT = Path(__file__).resolve().parents[2]
BASE = """\
# the base
data: {dataset: photographs}   # the global one
masks:
  box80: {generator: box, side: 0.8}  # paper 000
methods:
  latent_codes:
    prior:
      width: 192   # divides by heads
      lr: 1.0e-3
    inpaint: {temperature: 1.0, variants: {}}
"""
SMALL = "# small\nmethods: {latent_codes: {prior: {width: 32}, inpaint: {variants: {cold: {temperature: 0.1}}}}}\n"
BIG = "# big\nmasks: {box80: null, centre: {generator: box, side: 0.5}}\nmethods: {latent_codes: {prior: {lr: 0.1}}}\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "presets").mkdir()
    for name, text in (("photographs", BASE), ("small", SMALL), ("big", BIG)):
        (tmp_path / f"presets/{name}.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_base_is_written_byte_for_byte(project: Path) -> None:
    preset.main("photographs")
    assert (project / "params.yaml").read_text() == BASE


def test_comments_and_order_survive_an_overlay(project: Path) -> None:
    text = preset.render("small")
    assert [line.partition("#")[2] for line in text.splitlines()] == [
        line.partition("#")[2] for line in BASE.splitlines()
    ]
    assert YAML(typ="safe").load(text)["methods"]["latent_codes"]["prior"] == {"width": 32, "lr": 1e-3}


def test_one_preset_after_another_leaves_nothing_of_the_first(project: Path) -> None:
    preset.main("small")
    alone = Path("params.yaml").read_text()
    preset.main("big")
    preset.main("small")
    assert Path("params.yaml").read_text() == alone


def test_an_overlay_is_laid_on_the_one_that_it_extends(project: Path) -> None:
    (project / "presets/larger.yaml").write_text("# larger\nextends: big\nmasks: {rim: {generator: box, side: 0.9}}\n")
    (project / "presets/largest.yaml").write_text("extends: larger\nmethods: {latent_codes: {prior: {lr: 0.2}}}\n")
    values = YAML(typ="safe").load(preset.render("largest"))
    assert list(values["masks"]) == ["centre", "rim"] and values["methods"]["latent_codes"]["prior"]["lr"] == 0.2
    for other in ("largest", "photographs", "none"):
        (project / "presets/big.yaml").write_text(f"extends: {other}\n")
        with pytest.raises(
            UserError, match=rf"presets/big\.yaml: extends: '{other}' is no preset that it could extend"
        ):
            preset.render("largest")


def test_names_are_added_and_taken_out(project: Path) -> None:
    values = YAML(typ="safe").load(preset.render("big"))
    assert list(values["masks"]) == ["centre"]
    small = YAML(typ="safe").load(preset.render("small"))
    assert small["methods"]["latent_codes"]["inpaint"]["variants"] == {"cold": {"temperature": 0.1}}


def test_an_unknown_key_names_the_nearest(project: Path) -> None:
    (project / "presets/bad.yaml").write_text("methods: {latent_codes: {prior: {widht: 3}}}\n")
    with pytest.raises(UserError, match=r"bad\.yaml: unknown key methods\.latent_codes\.prior\.widht; .* width"):
        preset.render("bad")


def test_an_unknown_preset_names_the_nearest(project: Path) -> None:
    with pytest.raises(UserError, match="no preset smal; did you mean small"):
        preset.main("smal")


def test_show_writes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    preset.main("photographs")
    capsys.readouterr()
    preset.main("big", show=True)
    lines = capsys.readouterr().out.splitlines()
    assert "methods.latent_codes.prior.lr: 0.001 -> 0.1" in lines
    assert "masks.box80.side: 0.8 -> -" in lines
    assert Path("params.yaml").read_text() == BASE


def test_without_a_name_the_presets_are_listed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    preset.main()
    assert capsys.readouterr().out.split() == ["photographs", "the", "base", "big", "big", "small", "small"]


def test_the_committed_params_are_the_base_preset() -> None:
    assert (ROOT / "params.yaml").read_bytes() == (ROOT / "presets/photographs.yaml").read_bytes()


def test_every_committed_preset_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert {"gpu", "paper", "photographs", "tiny"} <= set(preset.presets())
    for name in preset.presets():
        assert (
            YAML(typ="safe").load(preset.render(name)).keys()
            == YAML(typ="safe").load(preset.render(preset.BASE)).keys()
        )


def test_faces_are_all_shown_but_where_each_has_many_completions() -> None:
    shown = YAML(typ="safe").load(preset.render("faces"))["testsets"]
    assert {block["images"] for name, block in shown.items() if name != "many"} == {482}
