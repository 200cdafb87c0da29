"""`plurifill benchmark --results`: paths and declarations in, tables and a page out; a mistake is one line, exit 2."""

import json

import pytest
from PIL import Image

from stages.cli.app import run
from stages.project import tables


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
    assert set(small) == {"ssim_gaussian11", "lpips_alex", "lpips_squeeze", "diversity_all_alex"}


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
        ({"--hole": ""}, "--hole (not given): say white or black"),
        ({"--output-kind": ""}, "--output-kind (not given): say composited or raw"),
        ({"--output-kind": "both"}, "'--output-kind': 'both' is not one of 'composited', 'raw'"),
        ({"--hole": "grey"}, "'--hole': 'grey' is not one of 'white', 'black'"),
        ({"--images": ""}, "--results needs --images DIR"),
        ({"--hole": "black"}, "declared the wrong way round; use --hole white"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(changed, told, handed_in, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        run("benchmark", arguments(handed_in(), tmp_path / "out", **changed))
    lines = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2 and len(lines) == 1 and told in lines[0]
