"""Entries: the plain block and its variants, none twice."""

import pytest
import torch

from stages.contract import UserError
from stages.project.entries import Entry
from stages.sampling import inpainters

BLOCK = {"algorithm": "mean", "radius": 3.0}


def params(**variants: dict) -> dict:
    return {"methods": {"classical": {"inpaint": {**BLOCK, "variants": variants}}}}


def names(values: dict, method: str) -> list[str]:
    return [str(entry) for entry in inpainters.entries(values, method)]


def test_without_variants_there_is_the_methods_own_entry() -> None:
    assert names(params(), "classical") == ["classical"]
    assert names({"methods": {"classical": {"inpaint": BLOCK}}}, "classical") == ["classical"]


def test_every_variant_is_an_entry_and_the_plain_one_is_not_told_twice() -> None:
    telea, wide = {"algorithm": "telea"}, {"radius": 9.0}
    assert names(params(telea=telea, wide=wide), "classical") == [
        "classical",
        "classical/telea",
        "classical/wide",
    ]
    assert names(params(mean={"algorithm": "mean"}, telea=telea), "classical") == [
        "classical/mean",
        "classical/telea",
    ]


def test_a_variant_overrides_and_keeps_the_rest() -> None:
    own = inpainters.params(params(telea={"algorithm": "telea"}), Entry("classical", "telea"))
    assert own.model_dump() == {"algorithm": "telea", "radius": 3.0}


def test_a_misspelt_key_of_a_variant_names_the_nearest() -> None:
    with pytest.raises(UserError, match="algoritm; did you mean algorithm"):
        names(params(telea={"algoritm": "telea"}), "classical")


def test_an_inpainter_is_ready_on_its_device() -> None:
    inpainter = inpainters.load(params(), Entry("classical"), torch.device("cpu"))
    assert inpainter.device == torch.device("cpu")  # type: ignore[attr-defined]


def test_an_entry_is_written_as_it_is_read() -> None:
    for text, folder in (("classical", "plain"), ("classical/telea", "telea")):
        assert str(Entry.parse(text)) == text and Entry.parse(text).folder == folder


def test_a_variant_may_not_bear_the_plain_ones_folder_nor_hold_a_slash() -> None:
    for name in ("plain", "a/b"):
        with pytest.raises(UserError, match=f"variants.{name}: choose another name"):
            inpainters.entries(params(**{name: {}}), "classical")
