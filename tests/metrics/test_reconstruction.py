"""PSNR, SSIM, L1 and the known-region error against scikit-image and their definitions."""

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from skimage.morphology import dilation, erosion, footprint_rectangle

from stages.contract import UserError
from stages.metrics import known_error, l1, psnr, seam, ssim
from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import MetricContext
from stages.metrics.core.pixel_difference import band

CONTEXT = MetricContext(torch.device("cpu"), images=2)


def levels(image_CHW: torch.Tensor) -> np.ndarray:
    return ((image_CHW + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()


def pairs(batch: EvalBatch):
    """Every completion with its original, as uint8, with its place in the values."""
    for b in range(batch.judged_BKCHW.shape[0]):
        for k in range(batch.judged_BKCHW.shape[1]):
            yield (b, k), levels(batch.image_BCHW[b]), levels(batch.judged_BKCHW[b, k])


def test_psnr_is_scikit_images(make_batch):
    shown = make_batch()
    value_BK = psnr.psnr(shown)["psnr"]
    for place, image, judged in pairs(shown):
        assert float(value_BK[place]) == pytest.approx(peak_signal_noise_ratio(image, judged), abs=1e-4)


def test_psnr_of_a_copy_is_finite(make_batch):
    shown = make_batch()
    copies = EvalBatch(shown.image_BCHW, shown.known_B1HW, shown.raw_BKCHW, shown.image_BCHW[:, None], 0, 1)
    assert torch.isfinite(psnr.psnr(copies)["psnr"]).all()


SCIKIT = {
    "ssim_uniform7": {},
    "ssim_gaussian11": {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False},
}


@pytest.mark.parametrize("name", SCIKIT)
def test_ssim_is_scikit_images(make_batch, name):
    shown = make_batch()
    value_BK = ssim.build(CONTEXT, name)(shown)[name]
    for place, image, judged in pairs(shown):
        expected = structural_similarity(image, judged, channel_axis=2, data_range=255, **SCIKIT[name])
        assert float(value_BK[place]) == pytest.approx(expected, abs=2e-5)


def test_ssim_of_flat_images_is_scikit_images(make_batch):
    shown = make_batch(images=1, samples=1, size=32)
    flat = EvalBatch(shown.image_BCHW * 0 + 0.9, shown.known_B1HW, shown.raw_BKCHW, shown.judged_BKCHW * 0 + 0.8, 0, 1)
    (_, image, judged), *_ = pairs(flat)
    expected = structural_similarity(image, judged, channel_axis=2, data_range=255)
    assert float(ssim.build(CONTEXT, "ssim_uniform7")(flat)["ssim_uniform7"]) == pytest.approx(expected, abs=1e-3)


def test_an_unknown_window_is_the_users_mistake():
    with pytest.raises(UserError, match="ssim_gaussian11"):
        ssim.build(CONTEXT, "ssim_12")


def test_l1_equals_its_definition(make_batch):
    shown = make_batch()
    values = l1.l1(shown)
    hole_HW = shown.known_B1HW[0, 0].numpy() == 0
    square = footprint_rectangle((5, 5))  # 64 px: reach 2
    band_HW = dilation(hole_HW, square) & ~erosion(hole_HW, square)
    for place, image, judged in pairs(shown):
        off_HWC = np.abs(image.astype(float) - judged) / 2.55
        assert float(values["l1"][place]) == pytest.approx(off_HWC.mean(), rel=1e-5)
        assert float(values["l1_hole"][place]) == pytest.approx(off_HWC[hole_HW].mean(), rel=1e-5)
        assert float(values["l1_band"][place]) == pytest.approx(off_HWC[band_HW].mean(), rel=1e-5)


def test_the_band_has_both_sides_of_the_border():
    known_B1HW = torch.ones(1, 1, 64, 64)
    known_B1HW[..., :32] = 0
    assert band(known_B1HW)[0, 0, 0].nonzero().flatten().tolist() == [30, 31, 32, 33]


def test_the_known_region_is_measured_before_compositing(make_batch):
    shown = make_batch()
    value_BK = known_error.known_error(shown)["known_error"]
    given_HW = shown.known_B1HW[0, 0].numpy() == 1
    off_HWC = np.abs(levels(shown.image_BCHW[0]).astype(float) - levels(shown.raw_BKCHW[0, 1])) / 2.55
    assert float(value_BK[0, 1]) == pytest.approx(off_HWC[given_HW].mean(), rel=1e-5)
    untouched = EvalBatch(shown.image_BCHW, shown.known_B1HW, shown.judged_BKCHW, shown.judged_BKCHW, 0, 4)
    assert known_error.known_error(untouched)["known_error"].abs().max() == 0


def at_border(jump: float, slope: float = 0.0) -> EvalBatch:
    """A ramp of `slope` levels a pixel whose right half, the hole, is `jump` levels brighter."""
    image_11CHW = (torch.arange(32.0) * slope / 127.5 - 1).expand(1, 1, 3, 32, 32).clone()
    known_B1HW = torch.ones(1, 1, 32, 32)
    known_B1HW[..., 16:] = 0
    judged_11CHW = image_11CHW + (1 - known_B1HW) * jump / 127.5
    return EvalBatch(image_11CHW[:, 0], known_B1HW, judged_11CHW, judged_11CHW, 0, 1)


def test_the_seam_is_the_jump_that_the_original_does_not_have():
    for jump, slope in ((10.0, 0.0), (10.0, 2.0), (0.0, 2.0)):
        assert float(seam.seam(at_border(jump, slope))["seam"]) == pytest.approx(jump / 2.55, abs=1e-4)
    assert float(seam.seam(at_border(-2.0, 2.0))["seam"]) == pytest.approx(2 / 2.55, abs=1e-4)  # smoother than it was


def test_the_seam_is_the_mean_over_straddling_neighbours(make_batch):
    shown = make_batch(images=1, samples=1)
    hole_HW = shown.known_B1HW[0, 0].numpy() == 0

    def jump(image_HWC: np.ndarray) -> float:
        apart = [np.abs(np.diff(image_HWC.astype(float), axis=a))[np.diff(hole_HW, axis=a)] for a in (0, 1)]
        return np.concatenate(apart).mean() / 2.55

    (_, image, judged), *_ = pairs(shown)
    assert float(seam.seam(shown)["seam"]) == pytest.approx(abs(jump(judged) - jump(image)), abs=1e-4)
