"""What pictures are compared by: maps of high receptive field, else LPIPS, else nothing, and never unsaid."""

from __future__ import annotations

import pytest
import torch

from stages.contract import Features, Perceptual
from stages.losses.hrf import hrf_loss
from stages.methods.mm_invertfill.blocks.perception import NETWORK, perception
from stages.training.accelerator import TorchAccelerator
from stages.training.distributed import Ranks
from tests.methods.conftest import PlainTools, mean_square, pyramid
from tests.methods.mm_invertfill.encoders import random
from tests.methods.mm_invertfill.whole import LABELLED, blocks
from tests.methods.small import figures_of, learn
from tests.training.toys import CPU, loop

MADE, REAL = random(2, 3, 32, 32, seed=1).tanh(), random(2, 3, 32, 32, seed=2).tanh()


class Lender(PlainTools):
    """Remembers what it was asked for."""

    asked: tuple[str, ...] = ()

    def perceptual(self, net: str) -> Perceptual | None:
        self.asked += (net,)
        return super().perceptual(net)

    def features(self, net: str) -> Features | None:
        self.asked += (net,)
        return super().features(net)


def test_hrf_is_the_loss_of_the_segmenters_maps():
    lender = Lender(mean_square, pyramid)
    distance = perception("hrf", "alex", lender)
    assert distance is not None and lender.asked == (NETWORK,)
    assert torch.equal(distance(MADE, REAL), hrf_loss(pyramid(MADE), pyramid(REAL)))


@pytest.mark.parametrize(("kind", "asked"), [("lpips", ("vgg",)), ("hrf", (NETWORK, "vgg"))])
def test_lpips_stands_where_it_is_asked_for_or_the_segmenter_is_not_to_be_had(kind, asked):
    lender = Lender(mean_square)
    distance = perception(kind, "vgg", lender)
    assert distance is not None and lender.asked == asked
    assert torch.equal(distance(MADE, REAL), mean_square(MADE, REAL).mean())


def test_without_any_weights_there_is_no_distance():
    assert perception("hrf", "alex", PlainTools()) is perception("lpips", "alex", PlainTools()) is None


def test_an_encoder_without_classifiers_weights_learns_all_the_rest_and_says_what_is_left_out(labelled, capsys):
    accelerator = TorchAccelerator("a/part", loop(), CPU, Ranks(), *[lambda _: None] * 3)
    part = LABELLED.part("encoder", labelled, accelerator, perceptual="hrf")  # type: ignore[arg-type]
    assert set(accelerator.left_out()) == {f"features:{NETWORK}", "perceptual:alex"}
    assert capsys.readouterr().err.count("WARNING") == 2
    (row,) = learn(part, blocks, range(1))
    assert {name for name, value in row.items() if value == 0} == {"perceptual", "scale_perceptual", "l1"}
    assert not any(name.startswith("lpips") for name in figures_of(part, [blocks(1)]))


def test_a_network_whose_term_weighs_nothing_is_not_asked_for(labelled):
    for weights, asked in (((0.0, 0.0), {"alex"}), ((0.0, 1.0), {"alex", NETWORK}), ((1.0, 0.0), {"alex", NETWORK})):
        lender, changes = (
            Lender(mean_square, pyramid),
            dict(zip(("perceptual_weight", "scale_perceptual"), weights, strict=True)),
        )
        part = LABELLED.part("encoder", labelled, lender, perceptual="hrf", **changes)
        assert set(lender.asked) == asked  # the figures' LPIPS in any case
        (row,) = learn(part, blocks, range(1))
        assert (row["perceptual"] > 0, row["scale_perceptual"] > 0) == (weights[0] > 0, weights[1] > 0)
