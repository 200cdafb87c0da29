"""Guidance from the door to the inpainter: the hole does not come in by it, and a person's maps take its place."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from stages import shard
from stages.contract import NO_CLASS, Completions, Guidance, Guided, Request, Spec, UserError
from stages.images.dataset import Dataset
from stages.images.files import write_png
from stages.images.pixels import to_float
from stages.project.entries import Entry
from stages.sampling import guidance
from stages.sampling.completion import Job, completions
from stages.sampling.maps import Maps
from stages.sampling.sampler import Sampler, Work, fill
from stages.sampling.testsets import TestSet, TestSetParams, open_testset
from stages.sampling.windows import Window
from tests.sampling import toy

CPU = torch.device("cpu")
SIZE, CLASSES, IMAGES = 16, 5, 4


@dataclass
class Tinter:
    """A method whose completions hang on every value that it is handed, masks or not: a flat picture of their sums."""

    edges: bool = True
    classes: int = CLASSES
    guided_by_truth: bool = False
    handed: list[tuple[Tensor, Tensor | None]] = field(default_factory=list)

    def guidance(self, image_BCHW: Tensor, known_B1HW: Tensor, labels_BHW: Tensor | None) -> Guidance:
        """The image's brighter pixels as edges, and the labels."""
        self.handed.append((image_BCHW, labels_BHW))
        edges_B1HW = (image_BCHW.mean(1, keepdim=True) > 0.1).float()
        labels_known_B1HW = None if labels_BHW is None else (labels_BHW != NO_CLASS)[:, None].float()
        return Guidance(edges_B1HW, known_B1HW, labels_BHW, labels_known_B1HW)

    def sample(self, request: Request) -> Completions:
        """Red: the labels' sum; green: the edges'; blue: the seed's noise."""
        given = request.guidance or Guidance()
        red_B, green_B = (_level(a_map, request) for a_map in (given.labels_BHW, given.edges_B1HW))
        noise_BK = (request.seeds_BK % 7) / 7.0
        red_BK, green_BK = red_B[:, None].expand_as(noise_BK), green_B[:, None].expand_as(noise_BK)
        flat_BKC = torch.stack([red_BK, green_BK, noise_BK], dim=2)
        return Completions(flat_BKC[..., None, None].expand(-1, -1, -1, *request.image_BCHW.shape[2:]))


def _level(map_BHW: Tensor | None, request: Request) -> Tensor:
    """A map's sum as a grey level, in [-1, 1]; mid-grey without one."""
    if map_BHW is None:
        return torch.zeros(len(request.image_BCHW))
    return map_BHW.flatten(1).sum(1) % 256 / 127.5 - 1


@dataclass(frozen=True)
class Repainted:
    """A dataset with another image, or other labels, in its holes."""

    testset: TestSet
    what: str

    def __getattr__(self, name: str) -> Any:
        return getattr(self.testset.dataset, name)

    def _hole(self, index: int) -> np.ndarray:
        return self.testset.masks.hole(self.testset.dataset.keys[index])

    def image(self, index: int) -> np.ndarray:
        image_HWC = self.testset.dataset.image(index)
        return np.where(self._hole(index)[..., None] & (self.what == "image"), 255 - image_HWC, image_HWC)

    def labels(self, index: int) -> np.ndarray:
        labels_HW = self.testset.dataset.labels(index)
        assert labels_HW is not None
        return np.where(self._hole(index) & (self.what == "labels"), CLASSES - 1 - labels_HW, labels_HW)


@pytest.fixture(scope="module")
def testset(tmp_path_factory: pytest.TempPathFactory) -> TestSet:
    """Four pictures with maps of five classes, the middle missing."""
    root, rng = tmp_path_factory.mktemp("labelled"), np.random.default_rng(0)
    for number in range(IMAGES):
        write_png(root / f"pictures/test/{number}.png", rng.integers(0, 90, (SIZE, SIZE, 3), dtype=np.uint8))
        write_png(root / f"maps/test/{number}.png", rng.integers(0, 2, (SIZE, SIZE), dtype=np.uint8))
    block = {"layout": "folder", "root": str(root / "pictures"), "labels": str(root / "maps")}
    datasets = {"toy": {**block, "size": SIZE, "classes": CLASSES}}
    masks, testsets = {"centre": {"generator": "box", "side": 0.5}}, {"toy": {"masks": "centre", "samples": 2}}
    toy.write_params(root, {"datasets": datasets, "masks": masks, "testsets": testsets})
    with toy.inside(root):
        shard.main(["toy"])
        opened = open_testset("toy", TestSetParams(dataset="toy", masks="centre", samples=2))
    assert isinstance(opened.dataset, Dataset)
    return replace(opened, dataset=replace(opened.dataset, folder=root / "data/shards/toy"))


def drawn(inpainter: Any, testset: TestSet) -> np.ndarray:
    return Sampler(lambda: inpainter, CPU).draw(testset, testset.chosen).raw_BKHWC


def test_the_toy_is_guided_and_reads_maps(testset):
    assert isinstance(Tinter(), Guided) and not isinstance(toy.Noise(), Guided)
    raw_BKHWC = drawn(Tinter(), testset)
    assert (raw_BKHWC[..., 0] != drawn(Tinter(classes=0), testset)[..., 0]).all()


@pytest.mark.parametrize("what", ["image", "labels"])
def test_hole_content_changes_completions_only_where_the_truth_guides(testset, what):
    other = replace(testset, dataset=Repainted(testset, what))
    assert (drawn(Tinter(), testset) == drawn(Tinter(), other)).all()
    true, changed = (drawn(Tinter(guided_by_truth=True), one) for one in (testset, other))
    assert (true != changed).any(axis=(1, 2, 3, 4)).all()


def test_what_is_handed_over_is_blank_in_the_hole_and_has_no_class_there(testset):
    holes_BHW = torch.from_numpy(np.stack([testset.masks.hole(key) for key in testset.keys]))
    whole_BCHW = to_float(np.stack([testset.dataset.image(i) for i in testset.chosen]))
    maps_BHW = torch.from_numpy(np.stack([testset.dataset.labels(i) for i in testset.chosen])).long()
    blind, oracle = Tinter(), Tinter(guided_by_truth=True)
    for inpainter in (blind, oracle):
        drawn(inpainter, testset)
    ((image_BCHW, labels_BHW),) = blind.handed
    assert torch.equal(image_BCHW, whole_BCHW * ~holes_BHW[:, None]) and labels_BHW is not None
    assert labels_BHW.dtype == torch.int64
    assert torch.equal(labels_BHW, torch.where(holes_BHW, NO_CLASS, maps_BHW))
    ((image_BCHW, labels_BHW),) = oracle.handed
    assert torch.equal(image_BCHW, whole_BCHW) and labels_BHW is not None and torch.equal(labels_BHW, maps_BHW)


def test_guided_completions_do_not_hang_on_the_batch(testset, tmp_path):
    for batch in (0, 1, 3):
        work = Work(testset, Entry("tinter"), Sampler(Tinter, CPU), tmp_path / str(batch), batch)
        fill(work, {"entry": "tinter"})
    whole, *others = ((tmp_path / str(batch) / "samples-00000.tar").read_bytes() for batch in (0, 1, 3))
    assert others == [whole, whole]


def test_an_inpainter_that_maps_do_not_guide_gets_none_and_no_map_is_read(testset):
    class Unread(Repainted):
        def labels(self, index: int) -> np.ndarray:
            raise AssertionError("a label map was read")

    class Seen(toy.Noise):
        def sample(self, request: Request) -> Completions:
            assert request.guidance is None
            return super().sample(request)

    other = replace(testset, dataset=Unread(testset, "nothing"))
    assert (drawn(Seen(), other) == drawn(toy.Noise(), testset)).all()
    drawn(Tinter(classes=0), other)


def test_data_without_label_maps_has_none_to_hand_over(testset):
    @dataclass(frozen=True)
    class Plain(Repainted):
        spec: Spec

        def labels(self, index: int) -> None:
            return None

    for spec in (Spec(SIZE), Spec(SIZE, CLASSES)):  # a layout may have classes, and its source no maps
        inpainter = Tinter()
        drawn(inpainter, replace(testset, dataset=Plain(testset, "nothing", spec)))
        assert inpainter.handed[0][1] is None


def test_maps_of_other_classes_are_refused_in_one_line(testset):
    with pytest.raises(UserError, match=r"testsets\.toy: toy has label maps of 5 classes, the method knows 12; name a"):
        drawn(Tinter(classes=12), testset)


def test_a_transfer_is_not_guided(testset):
    class Copies(Tinter):
        def transfer(self, request: Request, target_BCHW: Tensor) -> Completions:
            assert request.guidance is None
            return Completions(target_BCHW[:, None])

    side = Sampler(Copies, CPU).draw(testset, testset.chosen).side
    assert all("transfer" in pictures for pictures in side)


def test_maps_move_together():
    there = torch.device("meta")
    maps = guidance.moved(Guidance(edges_B1HW=torch.ones(1, 1, 2, 2), labels_BHW=torch.ones(1, 2, 2)), there)
    assert maps.edges_B1HW is not None and maps.edges_B1HW.device == there
    assert maps.labels_BHW is not None and maps.labels_BHW.device == there
    assert maps.edges_known_B1HW is None and maps.labels_known_B1HW is None


# a person's pictures


def given(side: int = 2) -> Mapping[str, Guidance]:
    """Guidance by the names of the maps in it."""
    ones_B1HW = torch.ones(1, 1, side, side)
    edges, labels = Guidance(ones_B1HW, ones_B1HW), Guidance(None, None, ones_B1HW[:, 0].long(), ones_B1HW)
    both = Guidance(ones_B1HW, ones_B1HW, ones_B1HW[:, 0].long(), ones_B1HW)
    return {"": Guidance(), "edges": edges, "labels": labels, "edges labels": both}


@pytest.mark.parametrize("names", given())
def test_a_persons_maps_take_the_place_of_the_methods_own(names):
    image_BCHW, known_B1HW = torch.zeros(1, 3, 2, 2), torch.tensor([[[[1.0, 0.0], [1.0, 1.0]]]])
    asked = given()[names]
    got = guidance.of_picture(Tinter(), image_BCHW, known_B1HW, asked)
    assert got is not None and got.labels_BHW is asked.labels_BHW and got.labels_known_B1HW is asked.labels_known_B1HW
    assert got.edges_known_B1HW is not None
    assert torch.equal(got.edges_known_B1HW, known_B1HW if asked.edges_B1HW is None else torch.ones(1, 1, 2, 2))


@pytest.mark.parametrize("names", given())
def test_where_the_truth_guides_there_are_a_persons_maps_alone(names):
    oracle, asked = Tinter(guided_by_truth=True), given()[names]
    got = guidance.of_picture(oracle, torch.zeros(1, 3, 2, 2), torch.ones(1, 1, 2, 2), asked)
    assert oracle.handed == [] and got is not None
    assert all(getattr(got, one.name) is getattr(asked, one.name) for one in fields(Guidance))


def test_an_inpainter_that_maps_do_not_guide_has_no_guidance():
    assert guidance.of_picture(toy.Noise(), torch.zeros(1, 3, 2, 2), torch.ones(1, 1, 2, 2), Guidance()) is None


@pytest.mark.parametrize(("kind", "size"), [("whole", 10), ("hole", 10), ("whole", None)])
def test_hole_content_of_a_persons_picture_cannot_reach_the_methods_own_guidance(kind, size):
    image_HWC = np.random.default_rng(0).integers(0, 256, (40, 20, 3), dtype=np.uint8)
    hole_HW = np.zeros((40, 20), dtype=bool)
    hole_HW[8:24, 4:16] = True
    inpainter = Tinter()
    for picture_HWC in (image_HWC, np.where(hole_HW[..., None], 255 - image_HWC, image_HWC)):
        completions(Job(inpainter, CPU, size, seeds=(0,), window=kind), picture_HWC, hole_HW)
    (one_BCHW, _), (other_BCHW, _) = inpainter.handed
    assert torch.equal(one_BCHW, other_BCHW) and one_BCHW.abs().sum() > 0


def test_a_picture_and_its_maps_meet_the_network_through_one_window():
    class Seen(Tinter):
        def sample(self, request: Request) -> Completions:
            self.request = request
            return super().sample(request)

    edges_HW, labels_HW = np.zeros((40, 20), dtype=bool), np.full((40, 20), 3, dtype=np.uint8)
    edges_HW[10], hole_HW = True, np.zeros((40, 20), dtype=bool)
    hole_HW[8:24, 4:16] = True
    inpainter = Seen()
    job = Job(inpainter, CPU, 10, seeds=(0, 1))
    raw_KHWC = completions(job, np.zeros((40, 20, 3), dtype=np.uint8), hole_HW, Maps(edges_HW, labels_HW))
    asked = inpainter.request.guidance
    assert raw_KHWC.shape == (2, 40, 20, 3) and asked is not None
    inside = torch.zeros(10, 10)  # the picture in the middle of the square of 40 px, a network's pixel is 4 x 4 of its
    inside[:, 3:7] = 1  # columns 10 to 30; those that reach over the border have unknown edges
    assert asked.edges_known_B1HW is not None and torch.equal(asked.edges_known_B1HW[0, 0], inside)
    assert asked.edges_B1HW is not None and (asked.edges_B1HW[0, 0] * inside).nonzero().tolist() == [
        [2, column] for column in (3, 4, 5, 6)
    ]
    centred = torch.zeros(10, 10)
    centred[:, 2:7] = 1  # centres at 10, 14, ... 30 of 10 ... 29: in the picture
    assert asked.labels_known_B1HW is not None and torch.equal(asked.labels_known_B1HW[0, 0], centred)
    assert asked.labels_BHW is not None and (asked.labels_BHW[0][centred > 0] == 3).all()
    assert guidance.seen(Maps(), Window(0, 0, 4, 4), None) == Guidance()
