"""`plurifill inpaint`: hole content enters nothing, known pixels return untouched, a bad input is one clear line."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from stages.cli import app, inpaint
from stages.contract import UserError
from stages.images import files
from stages.sampling import pairs
from tests.pages.project import finished

ROOT = Path(__file__).resolve().parents[2]
PARAMS = "methods: {classical: {inpaint: {algorithm: mean, variants: {telea: {algorithm: telea}}}}}\n"


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with params.yaml, images/ (two pictures of odd sizes) and masks/ with a hole each."""
    rng = np.random.default_rng(0)
    for key, (height, width) in {"a b'c": (37, 50), "z": (64, 41)}.items():
        files.write_png(tmp_path / f"images/{key}.png", rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
        hole_HW = np.zeros((height, width), dtype=np.uint8)
        hole_HW[10:25, 5:30] = 255
        files.write_png(tmp_path / f"masks/{key}.png", hole_HW)
    (tmp_path / "params.yaml").write_text(PARAMS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(work: Path, **options: object) -> None:
    given = {"method": "classical", "image": work / "images", "mask": work / "masks", "output": work / "out"}
    inpaint.main(**{**given, **options})  # type: ignore[arg-type]


def test_known_pixels_are_untouched_and_the_hole_is_filled(work: Path) -> None:
    run(work, nsampling=2)
    for key in ("a b'c", "z"):
        image, hole = files.read_rgb(work / f"images/{key}.png"), files.read_hole(work / f"masks/{key}.png")
        for k in range(2):
            result = files.read_rgb(work / f"out/{key}/{k:02d}.png")
            assert (result[~hole] == image[~hole]).all()
            assert (result[hole] != image[hole]).any()


@pytest.mark.parametrize("row", ["classical", "classical/telea"])
def test_hole_content_cannot_reach_the_files(work: Path, row: str) -> None:
    one, two = work / "images/z.png", work / "other.png"
    image, hole = files.read_rgb(one).copy(), files.read_hole(work / "masks/z.png")
    image[hole] = 255 - image[hole]
    files.write_png(two, image)
    for path, output in ((one, work / "1.png"), (two, work / "2.png")):
        run(work, method=row, image=path, mask=work / "masks/z.png", output=output)
    assert (work / "1.png").read_bytes() == (work / "2.png").read_bytes()


def test_masks_are_paired_by_name_not_by_position(work: Path) -> None:
    shutil.copy(work / "masks/z.png", work / "masks/0-first-by-position.png")
    found = {pair.key: pair.mask.name for pair in pairs.pair(work / "images", work / "masks")}
    assert found == {"a b'c": "a b'c.png", "z": "z.png"}


def test_provenance_and_params_lie_beside(work: Path) -> None:
    run(work, image=work / "images/z.png", mask=work / "masks/z.png", output=work / "z.png", seed=7)
    note = json.loads((work / "z.provenance.json").read_text())
    assert (note["method"], note["seeds"], note["hole"]) == ("classical", [7], "white")
    assert (work / "z.params.yaml").is_file()


def test_finished_pictures_are_not_made_again_but_changed_ones_are(work: Path) -> None:
    run(work)
    first = {path: path.stat().st_mtime_ns for path in (work / "out").rglob("*.png")}
    run(work)
    assert first == {path: path.stat().st_mtime_ns for path in (work / "out").rglob("*.png")}
    run(work, method="classical/telea")
    assert all(path.stat().st_mtime_ns != time for path, time in first.items())


def test_hole_black_reads_the_mask_the_other_way(work: Path) -> None:
    mask = files.read_rgb(work / "masks/z.png")
    files.write_png(work / "black.png", 255 - mask)
    run(work, image=work / "images/z.png", mask=work / "masks/z.png", output=work / "1.png")
    run(work, image=work / "images/z.png", mask=work / "black.png", output=work / "2.png", hole="black")
    assert (work / "1.png").read_bytes() == (work / "2.png").read_bytes()


def test_a_likely_wrong_polarity_is_warned_of(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = files.read_rgb(work / "images/z.png").copy()
    image[files.read_hole(work / "masks/z.png")] = 255  # a hole painted in, as some collections have it
    files.write_png(work / "painted.png", image)
    run(work, image=work / "painted.png", mask=work / "masks/z.png", output=work / "1.png", hole="black")
    assert "every known pixel has one and the same colour; --hole white reads" in capsys.readouterr().err


def test_strokes_on_a_transparent_ground_are_the_hole_and_that_is_told(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hole = files.read_hole(work / "masks/z.png")
    strokes = np.full((*hole.shape, 4), 255, dtype=np.uint8)
    strokes[..., 3] = hole * 255
    Image.fromarray(strokes).save(work / "strokes.png")
    run(work, image=work / "images/z.png", mask=work / "masks/z.png", output=work / "1.png")
    assert "warning" not in capsys.readouterr().err
    run(work, image=work / "images/z.png", mask=work / "strokes.png", output=work / "2.png")
    assert (work / "1.png").read_bytes() == (work / "2.png").read_bytes()
    assert "strokes.png: only its transparency tells parts apart: what is drawn" in capsys.readouterr().err


def test_a_jpeg_mask_is_read_and_its_levels_are_told(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.open(work / "masks/z.png").save(work / "z.jpg", quality=70)
    run(work, image=work / "images/z.png", mask=work / "z.jpg", output=work / "1.png")
    told = capsys.readouterr().err
    assert "warning: " in told and "z.jpg: its levels are 0 to 255" in told


def test_alpha_and_icc_profile_come_back_and_what_is_lost_is_told(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image, hole = files.read_rgb(work / "images/z.png"), files.read_hole(work / "masks/z.png")
    own = np.dstack([image, np.random.default_rng(1).integers(0, 256, hole.shape, dtype=np.uint8)])
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(own).save(work / "clear.png", icc_profile=profile)
    run(work, image=work / "clear.png", mask=work / "masks/z.png", output=work / "1.png")
    with Image.open(work / "1.png") as done:
        assert done.info["icc_profile"] == profile
        assert (np.asarray(done)[~hole] == own[~hole]).all() and (np.asarray(done)[hole][:, 3] == 255).all()
    assert "warning" not in capsys.readouterr().err
    Image.fromarray(image[..., 0].astype(np.uint16) * 257).save(work / "deep.png")
    run(work, image=work / "deep.png", mask=work / "masks/z.png", output=work / "2.png")
    assert f"warning: {work}/deep.png: 16 bits a channel are rounded to 8\n" in capsys.readouterr().err


def test_a_folder_of_images_with_their_masks_beside_them(work: Path) -> None:
    both = work / "both"
    both.mkdir()
    shutil.copy(work / "images/z.png", both / "z.png")
    shutil.copy(work / "masks/z.png", both / "z_mask001.png")
    run(work, image=both, mask=both)
    assert [path.relative_to(work / "out").as_posix() for path in (work / "out").rglob("*.png")] == ["z/00.png"]
    image, hole = files.read_rgb(both / "z.png"), files.read_hole(both / "z_mask001.png")
    result = files.read_rgb(work / "out/z/00.png")
    assert (result[~hole] == image[~hole]).all() and (result[hole] != image[hole]).any()


def faults(work: Path) -> dict[str, tuple[dict[str, object], str]]:
    """Each bad input with what its line must say."""
    image, mask = work / "images/z.png", work / "masks/z.png"
    (work / "empty.png").write_bytes(b"")
    (work / "text.png").write_text("not an image")
    Image.new("L", (41, 64), 0).save(work / "nothing.png")
    Image.new("L", (41, 64), 255).save(work / "everything.png")
    (work / "few").mkdir()
    shutil.copy(mask, work / "few/other.png")
    one = {"image": image, "mask": mask, "output": work / "o.png"}
    return {
        "missing image": ({**one, "image": work / "no.png"}, "no.png: no such file or folder"),
        "missing mask": ({"mask": work / "few"}, r"few: no mask named a b'c\.\* \(2 of 2 images have none\)"),
        "sizes": ({**one, "mask": work / "masks/a b'c.png"}, "50 x 37 pixels, but .* has 41 x 64"),
        "empty mask": ({**one, "mask": work / "nothing.png"}, "nothing.png: no hole in it"),
        "all hole": ({**one, "mask": work / "everything.png"}, "everything.png: nothing is known"),
        "empty file": ({**one, "image": work / "empty.png"}, "empty.png: empty file"),
        "not an image": ({**one, "image": work / "text.png"}, "text.png: not an image"),
        "its own mask": ({**one, "mask": image}, "z.png: the mask is the image itself"),
        "images as masks": ({"mask": work / "images"}, "images and masks are one folder, and no x_mask.png"),
        "no such polarity": ({**one, "hole": "grey"}, "'grey'"),
        "jpeg output": ({**one, "output": work / "o.jpg"}, "o.jpg: results are PNG"),
        "many in one file": ({**one, "nsampling": 2}, "one file cannot hold several"),
        "unknown method": ({**one, "method": "clasical"}, "clasical: no such method"),
        "unknown variant": ({**one, "method": "classical/tela"}, "no tela; did you mean telea"),
        "unknown key": ({**one, "set_": ["methods.classical.inpaint.algo=mean"]}, "did you mean algorithm"),
    }


FAULTS = [
    "missing image",
    "missing mask",
    "sizes",
    "empty mask",
    "all hole",
    "empty file",
    "not an image",
    "its own mask",
    "images as masks",
    "no such polarity",
    "jpeg output",
    "many in one file",
    "unknown method",
    "unknown variant",
    "unknown key",
]


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_one_clear_line(work: Path, fault: str) -> None:
    options, line = faults(work)[fault]
    with pytest.raises(UserError, match=line) as told:
        run(work, **options)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("option", "value", "line"),
    [
        ("--hole", "grey", "'--hole': 'grey' is not one of 'white', 'black'"),
        ("--window", "half", "'--window': 'half' is not one of 'whole', 'hole'"),
        ("--rank", "best", "'--rank': 'best' is not one of 'seed', 'likelihood'"),
        ("--nsampling", "0", "'--nsampling'"),
        ("--windwo", "hole", "--windwo"),
    ],
)
def test_a_wrong_option_is_one_line_and_exit_code_2(work: Path, capsys, option: str, value: str, line: str) -> None:
    words = ["--method", "classical", "--image", "images", "--mask", "masks", "--output", "out", option, value]
    with pytest.raises(SystemExit) as ended:
        app.run("inpaint", words)
    told = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2 and len(told) == 1 and line in told[0]


def test_the_users_mistake_ends_with_2(work: Path) -> None:
    words = ["inpaint", "--method", "classical", "--image", "no.png", "--mask", "masks", "--output", "out"]
    command = [sys.executable, "-m", "stages.cli.app", *words]
    done = subprocess.run(
        command, cwd=work, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (2, "plurifill inpaint: no.png: no such file or folder\n")


# a learned method: a network of 32 px, pictures of other sizes


@pytest.fixture
def learned(work: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The pictures of `work`, completed by the latent codes of the finished project."""
    for name in ("PLURIFILL_DATA", "PLURIFILL_REPORTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(finished())
    return work


def completed(work: Path, output: str, **options: object) -> list[np.ndarray]:
    given = {"method": "latent_codes", "image": work / "images/z.png", "mask": work / "masks/z.png", "nsampling": 3}
    run(work, **{**given, "output": work / output, **options})
    return [files.read_rgb(path).astype(int) for path in sorted((work / output).rglob("*.png"))]


@pytest.mark.parametrize("window", ["whole", "hole"])
def test_hole_content_cannot_reach_a_learned_completion(learned: Path, window: str) -> None:
    image, hole = files.read_rgb(learned / "images/z.png").copy(), files.read_hole(learned / "masks/z.png")
    first = completed(learned, "first", window=window)
    image[hole] = 255 - image[hole]
    files.write_png(learned / "other/z.png", image)
    second = completed(learned, "second", window=window, image=learned / "other/z.png")
    assert len(first) == 3 and all((a == b).all() for a, b in zip(first, second, strict=True))
    assert all((sample[~hole] == image[~hole]).all() for sample in first)


def test_sample_k_is_the_sample_of_seed_plus_k_whatever_the_batch(learned: Path) -> None:
    together = completed(learned, "together", seed=5)
    alone = completed(learned, "alone", seed=5, batch_size=1)
    last = completed(learned, "last", seed=7, nsampling=1)
    assert all(abs(a - b).max() <= 1 for a, b in zip(together, alone, strict=True))
    assert abs(together[2] - last[0]).max() <= 1
    assert (together[0] != together[1]).any()
