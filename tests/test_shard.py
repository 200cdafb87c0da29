"""`plurifill shard` as a user runs it."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stages import shard
from stages.cli.app import run
from stages.contract import UserError
from stages.images.dataset import Dataset
from stages.images.masks import MaskSet
from stages.project.params import read
from stages.sampling import testsets

PARAMS = """\
# numbers
datasets:
  mine: {layout: folder, root: src, size: 16, shares: {val: 0.1, test: 0.3}, manifest: ''}  # yours
masks:
  box80: {generator: box, side: 0.8}
  large: {generator: free_form, size: "large"}
  unused: {generator: box, side: 0.2}
testsets:
  box: {masks: box80, samples: 1}
  large: {masks: large, samples: 1}
  val: {masks: box80, split: val, samples: 1}
  others: {masks: unused, dataset: other, samples: 1}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PLURIFILL_DATA", raising=False)
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / "src").mkdir()
    for seed in range(20):
        pixels = np.random.default_rng(seed).integers(0, 256, (20, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"src/{seed}.png")
    return tmp_path


def refused(*arguments: str) -> int:
    """The exit code of a verb that ends with an error."""
    with pytest.raises(SystemExit) as ended:
        run("shard", list(arguments))
    return int(str(ended.value.code))


def test_shards_and_masks_are_made_twice_alike(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shard.main()
    first, told = _files(project / "data"), capsys.readouterr()
    shutil.rmtree(project / "data/progress")  # or they would be put back
    shard.main()
    assert _files(project / "data") == first
    assert "0 quarantined" in told.err and "mine/large" in told.out
    test = Dataset.open(project / "data/shards/mine", "test")
    masks = MaskSet.open(project / "data/masks/mine", "box80")
    assert all(masks.hole(key).sum() == 13 * 13 for key in test.keys)
    assert {path.name for path in (project / "data/shards").iterdir()} == {"mine"}


def test_masks_are_frozen_for_what_test_sets_name(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shard.main()
    made = {str(path.relative_to(project / "data/masks")) for path in (project / "data/masks").rglob("*.npz")}
    assert made == {"mine/box80.npz", "mine/large.npz", "mine/val/box80.npz"}
    assert "mine/val/box80 " in capsys.readouterr().out
    values = read(project / "params.yaml")
    values["data"] = {"dataset": "mine"}
    of_val = testsets.open_testset("val", testsets.read(values, "val"))
    assert of_val.keys == list(Dataset.open(project / "data/shards/mine", "val").keys) and of_val.keys
    assert all(of_val.masks.hole(key).sum() == 13 * 13 for key in of_val.keys)
    with pytest.raises(UserError, match=r"testsets: no mask generator box8 in masks; did you mean box80\?"):
        shard.main(set_=["testsets.val.masks=box8"])


def test_shards_are_put_back_where_masks_alone_have_changed(project: Path) -> None:
    """As links to the finished ones: the very same files."""
    shard.main()
    index = project / "data/shards/mine/dataset.json"
    made = index.stat().st_ino
    shutil.rmtree(project / "data/shards")
    shard.main(set_=["masks.box80.side=0.5"])
    masks = MaskSet.open(project / "data/masks/mine", "box80")
    assert index.stat().st_ino == made and all(masks.hole(key).sum() == 8 * 8 for key in masks.rows)
    shard.main(set_=["datasets.mine.size=20"])
    assert index.stat().st_ino != made
    (project / "src/0.png").unlink()
    shard.main()
    assert index.stat().st_ino != made


def test_mask_files_are_frozen_by_their_images_names_and_geometry(project: Path) -> None:
    for folder in ("src/test", "files/test"):
        (project / folder).mkdir(parents=True)
    pixels = np.random.default_rng(50).integers(0, 256, (20, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(project / "src/test/写真1.png")
    for name, left in {"写真1": 10, "照片1": 20}.items():  # of one key
        hole_HW = np.zeros((20, 40), dtype=np.uint8)
        hole_HW[:, left : left + 5] = 255
        Image.fromarray(hole_HW).save(project / f"files/test/{name}.png")
    block = "masks:\n  mine: {generator: files, folder: files, hole: white}\n"
    named = PARAMS.replace("size: 16", "size: 20").replace("masks:\n", block).replace("masks: large", "masks: mine")
    (project / "params.yaml").write_text(named)
    shard.main()
    test, masks = Dataset.open(project / "data/shards/mine", "test"), MaskSet.open(project / "data/masks/mine", "mine")
    assert len(test.keys) == 1 and np.flatnonzero(masks.hole(test.keys[0]).any(axis=0)).tolist() == [0, 1, 2, 3, 4]
    (project / "files/test/写真1.png").unlink()
    (project / "files").rename(project / "other")
    with pytest.raises(UserError, match=r"other: no mask named test/写真1\.\*"):
        shard.main(set_=["masks.mine.folder=other"])


def test_refresh_writes_the_manifest_and_leaves_the_rest(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shard.main(refresh=True)
    once = (project / "params.yaml").read_text()
    manifest = capsys.readouterr().out.split()[1]
    assert once == PARAMS.replace("manifest: ''", f"manifest: {manifest}") or manifest in once
    assert "# numbers" in once and "# yours" in once and '"large"' in once
    shard.main(refresh=True)
    assert "unchanged" in capsys.readouterr().out and (project / "params.yaml").read_text() == once
    (project / "src/0.png").unlink()
    shard.main()
    assert "shard --refresh mine" in capsys.readouterr().err
    shard.main(refresh=True)
    assert manifest not in (project / "params.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["mien"], "did you mean mine"),
        (["mine", "-S", "datasets.mine.layout=fodler"], "did you mean folder"),
        (["mine", "-S", "datasets.mine.root=nowhere"], "nowhere: no such folder"),
    ],
)
def test_mistakes_are_one_line_and_exit_two(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert refused(*arguments) == 2
    out, err = capsys.readouterr()
    assert told in err and err.count("\n") == 1 and not out


def test_too_many_faults_exit_two(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "src/broken.png").write_bytes(b"")
    assert refused("mine") == 2
    assert "quarantine_limit" in capsys.readouterr().err
    assert not (project / "data/shards/mine").exists()


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
