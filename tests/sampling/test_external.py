"""Results made elsewhere as rows of our own: the same checks, the same scores, in the same table."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stages import benchmark, report, sample
from stages.contract import UserError
from stages.evaluation import protocols
from stages.images.dataset import Dataset
from stages.images.masks import MaskSet
from stages.project import tables
from stages.sampling.store import SampleStore
from tests.evaluation.external.conftest import save
from tests.sampling import toy

DRAW = "few"
ENTRIES = (("classical", "telea"), ("external", "theirs"))


@pytest.fixture(scope="module")
def sampled(tmp_path_factory) -> Path:
    """The toy project with the classical samples, the results of OpenCV's Telea handed in as somebody else's."""
    root = toy.make(tmp_path_factory.mktemp("project"))
    values = toy.params(root)
    variants = {"theirs": {"output_kind": "composited"}}
    values["methods"]["external"] = {"inpaint": {"output_kind": "composited", "variants": variants}}
    values["testsets"] = {DRAW: values["testsets"][DRAW], "centre": values["testsets"]["centre"]}
    toy.write_params(root, values)
    with toy.inside(root):
        sample.main("classical", device="cpu")
        finished = SampleStore.open(Path("data/samples/classical") / DRAW / "telea")
        for key in finished.keys:
            save(Path("data/external/theirs") / DRAW / f"{key}.png", finished.raw_KHWC(key)[0])
    return root


@pytest.fixture
def project(sampled, tmp_path) -> Path:
    shutil.copytree(sampled, tmp_path / "project")
    return tmp_path / "project"


def theirs(project: Path) -> Path:
    return project / "data" / "external" / "theirs" / DRAW


def values(project: Path, method: str, row: str) -> pd.DataFrame:
    long = tables.read(project / "reports" / "scores" / method)
    own = long[(long["method"] == row) & (long["protocol"] == DRAW)]
    return own[["image", "k", "metric", "value"]].reset_index(drop=True)


def test_the_same_pictures_score_as_our_own_and_stand_in_one_table(project):
    with toy.inside(project):
        sample.main("external", device="cpu")
        for method in ("classical", "external"):
            benchmark.main(method, device="cpu")
        report.main()
    ours, other = values(project, "classical", "classical/telea"), values(project, "external", "external/theirs")
    pd.testing.assert_frame_equal(ours, other)
    notes = [json.loads((project / f"reports/scores/{m}.cards.json").read_text()) for m in ("classical", "external")]
    cards = {row: cards[DRAW] for note in notes for row, cards in note["cards"].items()}
    protocols.refuse_unlike(cards)
    assert notes[1]["cost"] == [] and set(notes[1]["cards"]["external/theirs"]) == {DRAW}  # nothing of other test sets
    assert "external/<wbr>theirs" in (project / "reports" / "index.html").read_text()


def test_raw_results_are_composited_by_us(project):
    for path in theirs(project).iterdir():
        picture_HWC = np.array(Image.open(path))
        picture_HWC[0] = 255 - picture_HWC[0]  # known pixels
        save(path, picture_HWC)
    with toy.inside(project):
        with pytest.raises(UserError, match=r"declared composited, but known pixels differ .*set output_kind: raw"):
            sample.main("external", device="cpu")
        raw = ["methods.external.inpaint.variants.theirs.output_kind=raw"]
        sample.main("external", device="cpu", set_=raw)
        for method in ("classical", "external"):
            benchmark.main(method, device="cpu", set_=raw if method == "external" else None)
    ours, other = values(project, "classical", "classical/telea"), values(project, "external", "external/theirs")
    pd.testing.assert_frame_equal(ours, other)


def laid_out(layout: str) -> list[str]:
    variant = f"{{output_kind: composited, layout: {layout}, ignore: ['*_truth.png']}}"
    return [f"methods.external.inpaint.variants={{theirs: {variant}}}"]


@pytest.mark.parametrize(("layout", "name"), [("pic", "{}_out_0.png"), ("lama", "{}_mask001.png")])
def test_results_are_read_as_their_program_names_them(layout, name, project):
    for path in list(theirs(project).iterdir()):
        shutil.copy(path, path.with_name(f"{path.stem}_truth.png"))
        path.rename(path.with_name(name.format(path.stem)))
    with toy.inside(project):
        sample.main("external", device="cpu", set_=laid_out(layout))
        ours, own = (SampleStore.open(Path("data/samples") / m / DRAW / e) for m, e in ENTRIES)
        assert all((own.raw_KHWC(key) == ours.raw_KHWC(key)[:1]).all() for key in ours.keys)
        with pytest.raises(UserError, match=r"few: no results in it: no picture is named as \{key\}/completed_cnt"):
            sample.main("external", device="cpu", set_=laid_out("put"))


def test_two_masks_of_one_image_have_no_two_results_in_a_test_set(project):
    first = sorted(theirs(project).iterdir())[0]
    for number in (1, 2):
        shutil.copy(first, first.with_name(f"{first.stem}_mask00{number}.png"))
    first.unlink()
    with toy.inside(project), pytest.raises(UserError, match=r"_mask002\.png: .*_mask001\.png is a result of the same"):
        sample.main("external", device="cpu", set_=laid_out("lama"))


def missing(folder: Path) -> None:
    sorted(folder.iterdir())[0].unlink()


def extra(folder: Path) -> None:
    shutil.copy(sorted(folder.iterdir())[0], folder / "other.png")


def another_size(folder: Path) -> None:
    path = sorted(folder.iterdir())[0]
    save(path, np.array(Image.open(path))[:-1])


def a_jpeg(folder: Path) -> None:
    path = sorted(folder.iterdir())[0]
    save(path, np.array(Image.open(path)), format="JPEG")


def another_draw(folder: Path) -> None:
    folder.rename(folder.with_name("feww"))


def nothing(folder: Path) -> None:
    shutil.rmtree(folder)


def three(folder: Path) -> None:
    for path in list(folder.iterdir()):
        picture_HWC, hole_at = np.array(Image.open(path)), toy.SIZE // 2
        for k in range(3):
            picture_HWC[hole_at, hole_at] = k
            save(folder / path.stem / f"{k:02d}.png", picture_HWC)
        path.unlink()


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (missing, r"few: no result for test-00 \(1 of 4 images have none\)"),
        (extra, r"other\.png: no image other in testsets\.few"),
        (another_size, r"00\.png: 64 x 63 pixels, but toy/test-00 has 64 x 64"),
        (a_jpeg, r"00\.png: a JPEG file; results must be PNG"),
        (another_draw, r"feww: no test set of that name in params\.yaml; did you mean few\?"),
        (nothing, r"theirs: no results of external/theirs; put <testset>/<key>\.png there"),
        (three, r"few: 3 results an image, but testsets\.few\.samples = 2"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_fault_is_one_line_that_names_the_file(fault, told, project):
    fault(theirs(project))
    with toy.inside(project), pytest.raises(UserError, match=told) as caught:
        sample.main("external", device="cpu")
    assert "\n" not in str(caught.value) and not (project / "data/samples/external").exists()


def test_results_that_were_made_with_hole_and_rest_swapped_are_told(project):
    with toy.inside(project):
        dataset, masks = Dataset.open(Path("data/shards/toy"), "test"), MaskSet.open(Path("data/masks/toy"), "centre")
        for path in theirs(project).iterdir():
            image_HWC, hole_HW = dataset.image(dataset.keys.index(path.stem)), masks.hole(path.stem)
            save(path, np.where(hole_HW[..., None], image_HWC, 255 - image_HWC))
        with pytest.raises(UserError, match=r"testsets\.few: under its masks no result differs .* swapped"):
            sample.main("external", device="cpu")


def test_another_picture_is_another_configuration(project):
    with toy.inside(project):
        sample.main("external", device="cpu")
        place = Path("data/samples/external") / DRAW / "theirs"
        before = SampleStore.open(place).description["fingerprint"]
        path = sorted(theirs(project).iterdir())[0]
        picture_HWC = np.array(Image.open(path))
        picture_HWC[toy.SIZE // 2, toy.SIZE // 2] ^= 1
        save(path, picture_HWC)
        sample.main("external", device="cpu")
        assert SampleStore.open(place).description["fingerprint"] != before


def test_without_results_there_is_no_entry_and_no_complaint(project):
    with toy.inside(project):
        none = ["methods.external.inpaint.variants={}"]
        sample.main("external", device="cpu", set_=none)
        benchmark.main("external", device="cpu", set_=none)
        benchmark.main("classical", device="cpu")
        report.main()
        assert list(Path("data/samples/external").iterdir()) == []
        assert json.loads(Path("reports/scores/external.json").read_text()) == {}
        assert pd.api.types.is_float_dtype(tables.read(Path("reports/tables"))["estimate"])
