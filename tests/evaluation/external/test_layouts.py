"""Every program's folder is read as that program writes it, and each fault in its names is one line."""

from pathlib import Path

import pytest

from stages.contract import UserError
from stages.sampling.external.folder import cases, completions
from stages.sampling.external.layouts import NAMED, Layout, layout_of

KEYS = ("a_1", "a_2", "b")  # two end as a sample does
RUNS = ("run2", "run10")  # in the order of their numbers, which is not that of their letters
LISTED = ("b", "a_1", "a_2")  # the order of a list of images
# what the program writes of one image: samples in order; and what lies beside them
WRITTEN = {
    "inpaint": (("{key}/00.png", "{key}/01.png"), ()),
    "export": (("box/flow_fill/{key}/00.png", "box/flow_fill/{key}/01.png"), ()),
    "runs": (tuple(f"{run}/{{key}}.png" for run in RUNS), ()),
    "pic": (("{key}_out_0.png", "{key}_out_1.png"), ("{key}_truth.png", "{key}_mask.png")),
    "ict": (("{key}_0.png", "{key}_1.png"), ("condition_1/{key}.png", "condition_2/{key}.png")),
    "bat-fill": (("{key}_0.png", "{key}_1.png"), ()),
    "tfill": (("img_ref_out/{key}_0.png", "img_ref_out/{key}_1.png"), ("img_out/{key}_0.png", "img_m/{key}_0.png")),
    "tfill-coarse": (("img_out/{key}_0.png", "img_out/{key}_1.png"), ("img_ref_out/{key}_0.png",)),
    "put": (
        ("{key}/completed_cnt000000_fr200.png", "{key}/completed_cnt000001_fr200.png"),
        ("{key}/gt_mask_image.png",),
    ),
    "mat": (("{key}.png",), ()),
    "ldm": (("{key}.png",), ()),
    "lama": (("{key}_mask001.png",), ()),
    "repaint": (("srs/{key}.png",), ("gts/{key}.png", "lrs/{key}.png", "gt_keep_masks/{key}.png")),
    "dsi": (tuple(f"2021010{day}-101010_celebahq_Full/{{index:05d}}.png" for day in (1, 2)), ()),
}
OTHERWISE = {
    "put": (("completed/{key}.png",), ("masked_gt/{key}.png",)),  # one sample an image
    "repaint": (tuple(f"{run}/srs/{{key}}.png" for run in RUNS), tuple(f"{run}/gts/{{key}}.png" for run in RUNS)),
    "dsi": (("{index:05d}.png",), ()),
}
CASES = [(name, *made) for table in (WRITTEN, OTHERWISE) for name, made in table.items()]
IDS = [f"{name}-{len(samples)}" for name, samples, _ in CASES]
made_folders = pytest.mark.parametrize(("name", "samples", "beside"), CASES, ids=IDS)


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def placed(name: str, key: str) -> str:
    return name.format(key=key, index=LISTED.index(key) if key in LISTED else len(LISTED))


class Made:
    """A folder as a program leaves it, with images and masks by name."""

    def __init__(self, root: Path, name: str, samples: tuple[str, ...], beside: tuple[str, ...]) -> None:
        self.results, self.samples = root / "results", samples
        self.images, self.masks = root / "images", root / "masks"
        ending = "_mask001" if name == "lama" else ""
        for key in KEYS:
            touch(self.images, f"{key}.png")
            touch(self.masks, f"{key}{ending}.png")
            touch(self.results, *(placed(one, key) for one in (*samples, *beside)))
        if name == "lama":  # images and masks are one folder
            self.masks = self.images
            touch(self.images, *(f"{key}{ending}.png" for key in KEYS))
        index = root / "celeba.flist"
        index.write_text("".join(f"/gdata/test_set/{key}.png\n" for key in LISTED))
        self.layout = layout_of(name, index=index if name == "dsi" else None)

    def files(self, key: str) -> list[Path]:
        return [self.results / placed(one, key) for one in self.samples]

    def cases(self, layout: Layout | None = None) -> dict[str, list[Path]]:
        found = cases(self.results, self.images, self.masks, layout or self.layout)
        return {one.image.stem: list(one.completions) for one in found}

    def fault(self) -> str:
        with pytest.raises(UserError) as caught:
            self.cases()
        assert "\n" not in str(caught.value)
        return str(caught.value)


@pytest.fixture
def made(tmp_path: Path, name: str, samples: tuple[str, ...], beside: tuple[str, ...]) -> Made:
    return Made(tmp_path, name, samples, beside)


def test_every_layout_has_a_made_folder() -> None:
    assert set(WRITTEN) == set(NAMED)


@made_folders
def test_results_are_read_as_the_program_writes_them(made: Made) -> None:
    assert made.cases() == {key: made.files(key) for key in KEYS}


@made_folders
def test_an_image_without_results_is_named(made: Made, name: str) -> None:
    for file in made.files("b"):
        file.unlink()
    ending = "_mask001" if name == "lama" else ""
    assert f"results: no result for b{ending} (1 of 3 images have none)" in made.fault()


@made_folders
def test_a_sample_less_is_named(made: Made, samples: tuple[str, ...]) -> None:
    if len(samples) > 1:
        made.files("b")[-1].unlink()
        assert "of b; give every image as many (2)" in made.fault()


@made_folders
def test_a_result_of_no_image_is_named(made: Made, name: str, samples: tuple[str, ...]) -> None:
    touch(made.results, *(placed(one, "z") for one in samples))
    told = made.fault()
    assert ("celeba.flist: 3 images, but a result is numbered 3" if name == "dsi" else "no image z") in told


@made_folders
def test_two_files_of_one_sample_are_named(made: Made) -> None:
    first = made.files("b")[0]
    first.with_suffix(".jpg").touch()
    assert f"{first}: " in (told := made.fault()) and "is a result of the same image and sample" in told


@made_folders
def test_a_picture_too_many_is_named_unless_it_is_ignored(made: Made, name: str) -> None:
    odd = made.files("b")[0].with_name("overview.png")
    odd.touch()
    assert "overview" in made.fault()
    ignoring = layout_of(name, ["*overview.png"], made.layout.index)
    assert made.cases(ignoring) == {key: made.files(key) for key in KEYS}


@pytest.mark.parametrize(
    ("pattern", "files", "expected"),
    [
        ("{key}_sample_{k}_*", ["a_1_sample_1_x.png", "a_1_sample_2_y.png"], {"a_1": [0, 1]}),  # numbered from 1
        ("{k}/{key}.png", ["9/a.png", "10/a.png", "8/a.jpg", "7/a.png"], None),
        ("seed{k}/{key}.png", ["seed0/a.png", "seed1/a.png", "seed1/a.jpg"], None),
        ("{key}.{k}", ["a.0.png", "a.1.png"], {"a": [0, 1]}),
        ("{key}/{k}.*", ["a/10.png"] + [f"a/{k}.png" for k in range(10)], {"a": [*range(1, 11), 0]}),
    ],
)
def test_a_pattern_of_ones_own(pattern: str, files: list[str], expected, tmp_path: Path) -> None:
    touch(tmp_path, *files)
    if expected is None:
        with pytest.raises(UserError, match=r"not named as|is missing"):
            completions(tmp_path, layout_of(pattern))
    else:
        want = {key: tuple(tmp_path / files[place] for place in places) for key, places in expected.items()}
        assert completions(tmp_path, layout_of(pattern)) == want


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("pics", r"layout 'pics': no such layout; did you mean pic\?"),
        ("{name}_{k}", r"\{name\} is no place; write \{key\} or \{index\}"),
        ("out_{k}", r"write \{key\} or \{index\} once"),
        ("{key}/{key}_{k}", r"write \{key\} or \{index\} once"),
        ("{run}/{key}_{k}", r"\{k\} or \{run\} once at most"),
        ("{key}{k}", r"two places touch"),
        ("{key}*", r"two places touch"),
    ],
)
def test_a_pattern_that_could_not_be_read_is_refused(text: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        layout_of(text)


def test_an_export_of_two_test_sets_is_ambiguous(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{testset}/dsi/{key}/00.png" for testset in ("box", "centre") for key in "abcde"))
    others = r"\(centre/dsi/a/00\.png, centre/dsi/b/00\.png, centre/dsi/c/00\.png \.\.\. \(5\)\)"
    with pytest.raises(UserError, match=rf"box/dsi/a/00\.png is a result of the same image and sample {others}"):
        completions(tmp_path, layout_of("export"))


def test_a_list_is_looked_for_beside_the_results_and_only_where_it_is_asked_for(tmp_path: Path) -> None:
    touch(tmp_path, "00000.png", "00001.png")
    with pytest.raises(UserError, match=r"index\.txt: no list of images"):
        completions(tmp_path, layout_of("dsi"))
    (tmp_path / "index.txt").write_text("x.jpg\n\ny.jpg\n")
    assert completions(tmp_path, layout_of("dsi")) == {"x": (tmp_path / "00000.png",), "y": (tmp_path / "00001.png",)}
    (tmp_path / "index.txt").write_text("one/x.jpg\ntwo/x.jpg\n")
    with pytest.raises(UserError, match=r"index\.txt: x is listed twice"):
        completions(tmp_path, layout_of("dsi"))
    with pytest.raises(UserError, match=r"--index: names of the layout mat tell no line of a list"):
        layout_of("mat", index=tmp_path / "index.txt")
