"""The classical fills: known pixels stay, seeds do not matter, and each algorithm is its library's."""

import cv2
import numpy as np
import pytest
import torch

from stages.contract import Request, UserError
from stages.images.pixels import blank, to_float, to_uint8
from stages.methods.classical import inpaint
from stages.project.params import validate

CPU = torch.device("cpu")


def request(samples: int = 3) -> Request:
    rng = np.random.default_rng(0)
    image_BCHW = to_float(rng.integers(0, 256, (2, 32, 32, 3), dtype=np.uint8))
    known_B1HW = torch.ones(2, 1, 32, 32)
    known_B1HW[0, :, 8:24, 8:24] = 0
    known_B1HW[1, :, :10] = 0
    seeds_BK = torch.arange(2 * samples).view(2, samples)
    return Request(blank(image_BCHW, known_B1HW), known_B1HW, seeds_BK)


def sample(algorithm: str, asked: Request) -> torch.Tensor:
    return inpaint.build(inpaint.Params(algorithm=algorithm), {}, CPU).sample(asked).raw_BKCHW


@pytest.mark.parametrize("algorithm", inpaint.FILLS)
def test_known_pixels_stay_and_samples_are_one_picture(algorithm):
    asked = request()
    raw_BKCHW = sample(algorithm, asked)
    assert raw_BKCHW.shape == (2, 3, 3, 32, 32)
    known_BKCHW = asked.known_B1HW[:, None].expand_as(raw_BKCHW) > 0
    given_BKCHW = asked.image_BCHW[:, None].expand_as(raw_BKCHW)
    assert torch.allclose(raw_BKCHW[known_BKCHW], given_BKCHW[known_BKCHW], atol=1e-6)
    assert torch.equal(raw_BKCHW[:, 0], raw_BKCHW[:, 2])


def test_the_algorithms_differ():
    asked = request(samples=1)
    pictures = [sample(algorithm, asked) for algorithm in inpaint.FILLS]
    assert all(not torch.equal(a, b) for i, a in enumerate(pictures) for b in pictures[:i])


def test_mean_is_the_mean_of_the_known_pixels():
    asked = request(samples=1)
    levels_HWC = to_uint8(asked.image_BCHW)[0].numpy()
    known_HW = asked.known_B1HW[0, 0].numpy() > 0
    filled_HWC = to_uint8(sample("mean", asked)[0])[0].numpy()
    assert (filled_HWC[~known_HW] == np.round(levels_HWC[known_HW].mean(axis=0))).all()


def test_telea_is_opencvs():
    asked = request(samples=1)
    levels_HWC = to_uint8(asked.image_BCHW)[1].numpy()
    hole_HW = (asked.known_B1HW[1, 0].numpy() == 0).astype(np.uint8)
    expected_HWC = cv2.inpaint(levels_HWC, hole_HW, 3, cv2.INPAINT_TELEA)
    assert (to_uint8(sample("telea", asked)[1])[0].numpy() == expected_HWC).all()


def test_an_unknown_algorithm_is_the_users_mistake():
    with pytest.raises(UserError, match=r"methods\.classical\.inpaint\.algorithm"):
        validate(inpaint.Params, {"algorithm": "teela"}, "methods.classical.inpaint")
