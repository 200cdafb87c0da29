"""`plurifill export`: stored completions as plain files, which score as the stored ones do."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stages import benchmark, sample
from stages.cli import export
from stages.contract import UserError
from stages.images.files import read_rgb, write_png
from stages.project import tables
from stages.sampling import testsets
from stages.sampling.exports import Exported
from stages.sampling.store import SampleStore
from tests.sampling import toy


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    root = toy.make(tmp_path_factory.mktemp("project"))
    with toy.inside(root):
        sample.main("classical", device="cpu")
    return root


def test_every_completion_is_a_file_with_the_stored_pixels(project, tmp_path, capsys):
    with toy.inside(project):
        export.main("classical", tmp_path / "all")
        stored = SampleStore.open(project / "data/samples/classical/centre/telea")
    assert "88 completions in 4 folders" in capsys.readouterr().out  # (12 x 3 + 4 x 2) x 2 entries
    for key in stored.keys:
        files = sorted((tmp_path / "all/centre/telea" / key).glob("*.png"))
        assert [file.name for file in files] == ["00.png", "01.png", "02.png"]
        assert np.array_equal(np.stack([read_rgb(file) for file in files]), stored.raw_KHWC(key))
    told = json.loads((tmp_path / "all/centre/telea.json").read_text())
    assert told["entry"] == "classical/telea" and told["testset"] == "centre"


def test_they_score_as_the_stored_ones_do(project, tmp_path):
    with toy.inside(project):
        benchmark.main("classical", device="cpu")
        export.main("classical", tmp_path / "first", samples=1)  # several that are one picture would be refused
        drawn = testsets.open_testset("centre", testsets.read(toy.params(project), "centre"))
        for position, key in zip(drawn.chosen, drawn.keys, strict=True):
            write_png(tmp_path / f"images/{key}.png", drawn.dataset.image(position))
            write_png(tmp_path / f"masks/{key}.png", drawn.masks.hole(key).astype(np.uint8) * 255)
        benchmark.main(
            given=tmp_path / "first/centre/telea",
            images=tmp_path / "images",
            masks=tmp_path / "masks",
            hole="white",
            output_kind="raw",
            output=tmp_path / "scored",
            metric=["psnr"],
            device="cpu",
        )
        stored = tables.read(Path("reports/scores/classical")).query("method == 'classical/telea'")
    place = ["image", "k"]
    own = stored.query("protocol == 'centre' and metric == 'psnr' and k == 0").set_index(place)
    assert len(own) == toy.IMAGES
    made = tables.read(tmp_path / "scored/scores").query("protocol == 'composited' and metric == 'psnr'")
    pd.testing.assert_series_equal(made.set_index(place)["value"].sort_index(), own["value"].sort_index())


def test_a_few_images_and_their_first_samples(project, tmp_path):
    with toy.inside(project):
        export.main("classical", tmp_path / "few", images=2, samples=1)
    read = Exported.open(tmp_path / "few/centre/mean.json")
    files = [path.relative_to(read.place).as_posix() for path in sorted(read.place.rglob("*.png"))]
    assert len(read.keys) == 2 and files == [f"{key}/00.png" for key in read.keys]
    stored = SampleStore.open(project / "data/samples/classical/centre/mean")
    assert all(np.array_equal(read.first(key), stored.raw_KHWC(key)[0]) for key in read.keys)


def test_what_is_there_is_not_written_over_and_what_is_not_finished_is_told(project, tmp_path):
    with toy.inside(project):
        with pytest.raises(UserError, match="is there already"):
            export.main("classical", tmp_path)
        with pytest.raises(UserError, match=r"flow_fill: no finished samples; run `plurifill sample flow_fill`"):
            export.main("flow_fill", tmp_path / "none")
    assert list(tmp_path.iterdir()) == []
