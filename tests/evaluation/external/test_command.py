"""`plurifill benchmark --results`: paths and declarations in, tables and a page out; a mistake is one line, exit 2."""

import json
import shutil

import pandas as pd
import pytest
from PIL import Image

from stages.cli.app import run
from stages.project import tables

FILES = ["cards.json", "index.html", "scores.md", "scores.parquet", "summary.parquet"]


def arguments(folders, output, **changed):
    said = {
        "--results": folders.results,
        "--images": folders.images,
        "--masks": folders.masks,
        "--hole": folders.hole,
        "--output-kind": folders.kind,
        "--output": output,
        "--device": "cpu",
    }
    return [str(word) for option, value in {**said, **changed}.items() if value for word in (option, value)]


def test_paths_with_spaces_and_quotes_are_scored_and_the_files_are_told(handed_in, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)  # no params.yaml here
    with pytest.raises(SystemExit) as ended:
        run("benchmark", arguments(handed_in(), tmp_path / "the 'out'"))
    assert ended.value.code == 0
    told = [line.rpartition("/")[2] for line in capsys.readouterr().out.splitlines()]
    assert told == ["scores.parquet", "summary.parquet", "cards.json", "index.html", "scores.md"]


def test_small_results_are_scored_by_what_fits_into_them_and_the_rest_is_told(handed_in, tmp_path, capsys):
    """8 px: LPIPS and SSIM's windows but one are larger; every one of them is a line, and PSNR is there."""
    folders = handed_in(samples=2)
    for path in [*folders.images.rglob("*.png"), *folders.masks.rglob("*.png"), *folders.results.rglob("*.png")]:
        Image.open(path).crop((0, 4, 8, 12)).save(path)
    with pytest.raises(SystemExit) as ended:
        run("benchmark", arguments(folders, tmp_path / "out"))
    assert ended.value.code == 0
    summary = set(tables.read(tmp_path / "out" / "summary")["metric"])
    assert {"psnr", "ssim_uniform7", "diversity_pixel"} <= summary
    absent = json.loads((tmp_path / "out" / "cards.json").read_text())["absent"]["composited"]
    small = {name: reason for name, reason in absent.items() if "and these have 8" in reason}
    assert set(small) == {"ssim_gaussian11", "lpips_alex", "lpips_squeeze", "diversity_all_alex", "energy_lpips_alex"}


@pytest.mark.parametrize("place", ["{}", "{}/below"])
def test_an_output_that_is_a_file_is_refused_before_anything_is_scored(handed_in, tmp_path, capsys, place):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as ended:
        run("benchmark", arguments(handed_in(), place.format(tmp_path / "file")))
    lines = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2 and len(lines) == 1
    assert f"{tmp_path / 'file'} is a file; name a folder" in lines[0]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"--output-kind": ""}, "--output-kind (not given): say composited or raw"),
        ({"--output-kind": "both"}, "'--output-kind': 'both' is not one of 'composited', 'raw'"),
        ({"--hole": "grey"}, "'--hole': 'grey' is not one of 'white', 'black'"),
        ({"--images": ""}, "--results needs --images DIR"),
        ({"--layout": "pics"}, "layout 'pics': no such layout; did you mean pic?"),
        ({"--layout": "{key}_{k}"}, "results: no results in it: no picture is named as {key}_{k}"),
        ({"--index": "list.txt"}, "--index: names of the layout {key} or {key}/{k} tell no line of a list"),
        ({"--output": ""}, "--results needs --output DIR, the folder for tables and page (or --check)"),
        ({"--hole": "black"}, "declared the wrong way round; use --hole white"),
        ({"--part": "3/2"}, "--part 3/2: write I/N, the I-th of N parts, with I from 1 to N"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(changed, told, handed_in, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        run("benchmark", arguments(handed_in(), tmp_path / "out", **changed))
    lines = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2 and len(lines) == 1 and told in lines[0]


def named_as_pic(folders) -> None:
    """Two samples an image, as PIC names them, and beside them what is none."""
    for folder in list(folders.results.iterdir()):
        for path in folder.iterdir():
            path.rename(folders.results / f"{folder.name}_out_{int(path.stem)}.png")
        shutil.copy(folders.images / f"{folder.name}.png", folders.results / f"{folder.name}_truth.png")
        folder.rmdir()


def test_another_layout_scores_as_the_plain_one(handed_in, tmp_path):
    tables_of = {}
    for layout in ("", "pic"):
        folders = handed_in(samples=2)
        if layout:
            shutil.rmtree(folders.results)
            named_as_pic(handed_in(samples=2))
        with pytest.raises(SystemExit) as ended:
            run("benchmark", arguments(folders, tmp_path / f"out{layout}", **{"--layout": layout, "--metric": "psnr"}))
        assert ended.value.code == 0
        tables_of[layout] = tables.read(tmp_path / f"out{layout}" / "scores")
    pd.testing.assert_frame_equal(tables_of[""], tables_of["pic"])


@pytest.mark.parametrize("hole", ["white", "black"])
def test_a_check_tells_what_it_saw_and_writes_nothing(hole, handed_in, tmp_path, capsys):
    folders = handed_in(samples=2, hole=hole)
    named_as_pic(folders)
    with pytest.raises(SystemExit) as ended:
        run("benchmark", [*arguments(folders, "", **{"--layout": "pic", "--hole": ""}), "--check"])
    assert ended.value.code == 0
    seen = f"3 images x 2, 32 x 32 pixels, {hole} holes of 19% to 19%, composited: can be scored"
    assert capsys.readouterr().out == f"{folders.results}: {seen}\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == [folders.results.parent.name]


def test_holes_that_results_do_not_tell_are_asked_for(handed_in, tmp_path, capsys):
    """Raw results differ from their images on both sides of a mask."""
    with pytest.raises(SystemExit) as ended:
        run("benchmark", arguments(handed_in(kind="raw"), tmp_path / "out", **{"--hole": ""}))
    lines = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2 and len(lines) == 1
    assert "--hole (not given): " in lines[0] and "say white or black" in lines[0]


@pytest.mark.parametrize("words", [["classical", "--check"], ["--results", ".", "--check", "--part", "1/2"]])
def test_a_check_without_results_or_of_a_part_is_a_mistake(words, capsys):
    with pytest.raises(SystemExit) as ended:
        run("benchmark", words)
    assert ended.value.code == 2
    assert "--check looks at all of a folder of --results; name one, and no --part" in capsys.readouterr().err


def test_parts_of_a_folder_give_one_runs_tables_and_what_changed_meanwhile_counts(handed_in, tmp_path):
    """70 samples: a piece is an image, in two batches. The last image's results are other ones after its part."""
    folders, metrics = handed_in(samples=70), {"--metric": "calibration_pixel"}
    changed = sorted((folders.results / sorted(path.name for path in folders.results.iterdir())[-1]).iterdir())[0]
    found = {}
    for name, parts in (("one", ()), ("parts", ("2/2", "1/2")), ("changed", ("1/1",))):
        for words in [*({"--part": part} for part in parts), {}]:
            if name == "changed" and not words:
                Image.open(changed.with_name("69.png")).save(changed)
            with pytest.raises(SystemExit) as ended:
                run("benchmark", arguments(folders, tmp_path / name, **metrics, **words))
            assert ended.value.code == 0
        assert sorted(path.name for path in (tmp_path / name).iterdir()) == FILES
        found[name] = tables.read(tmp_path / name / "scores")
    pd.testing.assert_frame_equal(found["parts"], found["one"], check_exact=True)
    ranks = found["one"][found["one"]["metric"] == "calibration_pixel"]
    assert ranks["k"].tolist() == [*range(70)] * 3
    assert not found["changed"]["value"].equals(found["one"]["value"])


def test_jpeg_results_are_raw_alone_and_marked(handed_in, tmp_path, capsys):
    folders = handed_in(kind="raw")
    for path in list(folders.results.iterdir()):
        Image.open(path).save(path.with_suffix(".jpg"))
        path.unlink()
    with pytest.raises(SystemExit) as ended:
        run("benchmark", arguments(folders, tmp_path / "out", **{"--metric": "psnr"}))
    assert ended.value.code == 0
    cards = json.loads((tmp_path / "out" / "cards.json").read_text())["cards"]
    assert cards["raw"]["lossy"] is cards["composited"]["lossy"] is True
    assert "from JPEG files" in (tmp_path / "out" / "index.html").read_text()
    with pytest.raises(SystemExit) as ended:
        run("benchmark", arguments(folders, tmp_path / "out", **{"--output-kind": "composited"}))
    assert ended.value.code == 2
    assert "a JPEG file; results must be PNG (JPEG only where they are raw)" in capsys.readouterr().err
