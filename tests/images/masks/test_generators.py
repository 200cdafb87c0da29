"""Each generator's holes are what its block says, and a function of the random generator's state alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.contract import UserError
from stages.images.files import write_png
from stages.images.masks import MaskSet, doubt, freeze, generator_of

BLOCKS: list[dict[str, Any]] = [
    {"generator": "free_form", "size": "large"},
    {"generator": "box", "side": 0.8},
    {"generator": "border", "width": 0.25, "sides": ["left"]},
    {"generator": "bin", "low": 0.2, "high": 0.4},
]

# figures of the generators themselves, 600 masks each: mean, median, p10, p90, share above one half
MEASURED = {
    ("small", 256): (0.222, 0.196, 0.045, 0.435, 0.06),
    ("large", 256): (0.405, 0.420, 0.153, 0.629, 0.34),
    ("large512", 256): (0.485, 0.505, 0.223, 0.714, 0.51),
    ("large", 64): (0.405, 0.420, 0.153, 0.629, 0.34),
}


@pytest.mark.parametrize(("counts", "size"), MEASURED)
def test_free_form_has_the_published_hole_ratios(counts: str, size: int) -> None:
    chosen = generator_of({"generator": "free_form", "size": counts})
    rng = np.random.default_rng(5)
    ratios = np.array([chosen.draw(rng, size).mean() for _ in range(4000)])
    ours = (ratios.mean(), np.median(ratios), *np.quantile(ratios, (0.1, 0.9)), (ratios > 0.5).mean())
    # the figures of 600 masks are themselves uncertain: .02 for the centre, .03 for tails
    assert np.abs(np.subtract(ours, MEASURED[counts, size])).max() < 0.03
    assert np.abs(np.subtract(ours[:2], MEASURED[counts, size][:2])).max() < 0.02


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block["generator"])
def test_a_hole_is_a_function_of_the_random_generators_state(block: dict[str, Any]) -> None:
    first, second = (generator_of(block).draw(np.random.default_rng(7), 64) for _ in range(2))
    assert first.shape == (64, 64) and first.dtype == np.bool_
    assert np.array_equal(first, second)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("low", "high"), [(0.1, 0.3), (0.2, 0.4), (0.4, 0.6), (0.7, 0.9)])
def test_bins_are_met_at_the_size_asked_for(low: float, high: float, seed: int) -> None:
    chosen = generator_of({"generator": "bin", "low": low, "high": high})
    for size in (32, 64):
        assert low < chosen.draw(np.random.default_rng(seed), size).mean() <= high


def test_box_and_border_are_where_they_should_be() -> None:
    rng = np.random.default_rng(0)
    box_HW = generator_of({"generator": "box", "side": 0.5}).draw(rng, 64)
    assert box_HW[16:48, 16:48].all() and box_HW.sum() == 32 * 32
    border_HW = generator_of({"generator": "border", "width": 0.25, "sides": ["left", "top"]}).draw(rng, 64)
    assert not border_HW[16:, 16:].any() and border_HW.sum() == 64 * 64 - 48 * 48


def test_files_are_paired_by_name_and_polarity(tmp_path: Path) -> None:
    hole_HW = np.zeros((32, 32), dtype=np.uint8)
    hole_HW[4:8, 6:20] = 255
    write_png(tmp_path / "sub/a.b_mask.png", hole_HW)
    write_png(tmp_path / "other_mask.png", np.full((32, 32), 255, dtype=np.uint8))
    white, black = (files_of(tmp_path, hole=hole, suffix="_mask") for hole in ("white", "black"))
    assert np.array_equal(white.paired(Path("sub/a.b.jpg")).hole_HW, hole_HW > 0)
    assert np.array_equal(black.paired(Path("sub/a.b.jpg")).hole_HW, hole_HW == 0)
    for name in ("c", "sub-a_b", "a.b", "sub/a.b_mask"):
        with pytest.raises(UserError, match=rf"no mask named {name}_mask\.\*"):
            white.paired(Path(f"{name}.jpg"))


def test_two_masks_of_one_image_are_one_line(tmp_path: Path) -> None:
    for name in ("a.png", "a.bmp"):
        write_png(tmp_path / name, np.zeros((8, 8), dtype=np.uint8))
    with pytest.raises(UserError, match=r"a\.png: a\.bmp is a mask of the same image; keep one of the two"):
        files_of(tmp_path).paired(Path("b.png"))


def test_with_a_suffix_a_file_without_it_is_no_mask(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", np.zeros((8, 8), dtype=np.uint8))
    with pytest.raises(UserError, match="no mask files there whose names end with _mask"):
        files_of(tmp_path, suffix="_mask").draw(np.random.default_rng(0), 8)
    write_png(tmp_path / "a_mask.png", np.full((8, 8), 255, dtype=np.uint8))
    masks = files_of(tmp_path.parent / tmp_path.name / ".", suffix="_mask")  # another folder to what is remembered
    assert masks.paired(Path("a.png")).hole_HW.all()
    assert all(masks.draw(np.random.default_rng(seed), 8).all() for seed in range(9))


def test_images_with_their_masks_beside_them_are_no_masks(tmp_path: Path) -> None:
    for name, level in {"x": 0, "x_mask001": 255, "sub/y": 0, "sub/y_mask": 255}.items():
        write_png(tmp_path / f"{name}.png", np.full((8, 8), level, dtype=np.uint8))
    masks = files_of(tmp_path)
    assert masks.paired(Path("x.jpg")).hole_HW.all() and masks.paired(Path("sub/y.jpg")).hole_HW.all()
    assert all(masks.draw(np.random.default_rng(seed), 8).all() for seed in range(9))


def files_of(folder: Path, hole: str = "white", suffix: str = "") -> Any:
    return generator_of({"generator": "files", "folder": str(folder), "hole": hole, "suffix": suffix})


def test_doubts() -> None:
    ratios = {0.005: "almost nothing", 0.97: "almost everything", 0.8: "inverse fits", 0.2: None}
    for ratio, told in ratios.items():
        hole_HW = np.arange(10000).reshape(100, 100) < ratio * 10000
        found = doubt(hole_HW, 0.1, 0.3) if told == "inverse fits" else doubt(hole_HW)
        assert found is None if told is None else told in str(found)


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ({"generator": "boxx"}, "masks.mine.generator = 'boxx'.*did you mean box"),
        ({"side": 0.5}, "masks.mine.generator = 'None'"),
        ({"generator": "box", "side": 1.5}, "masks.mine.side = 1.5"),
        ({"generator": "box", "sides": 0.5}, "masks.mine.sides; did you mean side"),
        ({"generator": "bin", "low": 0.3, "high": 0.3}, "masks.mine.*at least"),
        ({"generator": "files", "folder": "x", "hole": "grey"}, "masks.mine.hole = 'grey'"),
    ],
)
def test_a_wrong_block_names_its_key(block: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError, match=told):
        generator_of(block, "masks.mine")


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    """Mask files of 16 px whose holes are white rows, 1 to 15 of them; their names tell another order."""
    for rows in range(1, 16):
        hole_HW = np.zeros((16, 16), dtype=np.uint8)
        hole_HW[:rows] = 255
        write_png(tmp_path / f"{rows * 7 % 16:05d}.png", hole_HW)
    return tmp_path


@pytest.mark.parametrize(("hole", "turn"), [("white", False), ("black", True)])
def test_files_are_chosen_by_the_ratio_that_is_measured(hole: str, turn: bool, measured: Path) -> None:
    block = {"generator": "files_by_ratio", "folder": str(measured), "hole": hole, "low": 0.25, "high": 0.5}
    drawn = [generator_of(block).draw(np.random.default_rng(seed), 32) for seed in range(200)]
    assert {hole_HW.mean() * 16 for hole_HW in drawn} == {5, 6, 7, 8}  # low is outside, high inside
    assert all(hole_HW[0].all() != turn and hole_HW[-1].all() == turn for hole_HW in drawn)


def test_a_bin_without_files_is_one_line(measured: Path) -> None:
    block = {"generator": "files_by_ratio", "folder": str(measured), "hole": "white", "low": 0.95, "high": 0.99}
    told = r"its 15 mask files have hole ratios of 0\.062 to 0\.938, none in 0\.95-0\.99; is `hole: white` declared"
    with pytest.raises(UserError, match=told):
        generator_of(block).draw(np.random.default_rng(0), 16)


def test_a_test_image_has_a_file_of_the_bin_by_its_key(
    measured: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    block = {"generator": "files_by_ratio", "folder": str(measured), "hole": "white", "low": 0.25, "high": 0.5}
    keys, folder = [f"image{i}" for i in range(40)], tmp_path_factory.mktemp("frozen")
    freeze(block, keys, 16, folder, "all")
    freeze(block, keys[::-3], 16, folder, "some")
    every, some = MaskSet.open(folder, "all"), MaskSet.open(folder, "some")
    assert all(np.array_equal(every.hole(key), some.hole(key)) for key in keys[::-3])
    assert len({every.hole(key).sum() for key in keys}) == 4
