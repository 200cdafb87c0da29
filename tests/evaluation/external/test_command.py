"""`plurifill benchmark --results`: paths and declarations in, tables and a page out; a mistake is one line, exit 2."""

import pytest

from stages.cli.app import run


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
