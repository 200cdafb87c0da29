"""Rows: the plain block and its variants, none twice."""

import pytest
import torch

from stages import inpainters
from stages.contract import UserError

BLOCK = {"algorithm": "mean", "radius": 3.0}


def params(**variants: dict) -> dict:
    return {"methods": {"classical": {"inpaint": {**BLOCK, "variants": variants}}}}


def test_without_variants_there_is_the_methods_own_row() -> None:
    assert inpainters.names(params(), "classical") == ["classical"]
    assert inpainters.names({"methods": {"classical": {"inpaint": BLOCK}}}, "classical") == ["classical"]


def test_every_variant_is_a_row_and_the_plain_one_is_not_told_twice() -> None:
    telea, wide = {"algorithm": "telea"}, {"radius": 9.0}
    assert inpainters.names(params(telea=telea, wide=wide), "classical") == [
        "classical",
        "classical/telea",
        "classical/wide",
    ]
    assert inpainters.names(params(mean={"algorithm": "mean"}, telea=telea), "classical") == [
        "classical/mean",
        "classical/telea",
    ]


def test_a_variant_overrides_and_keeps_the_rest() -> None:
    own = inpainters.params(params(telea={"algorithm": "telea"}), "classical", "classical/telea")
    assert own.model_dump() == {"algorithm": "telea", "radius": 3.0}


def test_a_misspelt_key_of_a_variant_names_the_nearest() -> None:
    with pytest.raises(UserError, match="algoritm; did you mean algorithm"):
        inpainters.names(params(telea={"algoritm": "telea"}), "classical")


def test_an_inpainter_is_ready_on_its_device() -> None:
    inpainter = inpainters.load(params(), "classical", "classical", torch.device("cpu"))
    assert inpainter.device == torch.device("cpu")  # type: ignore[attr-defined]
