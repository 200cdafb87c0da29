"""An encoder that begins as the vq's, and the vq's own in the encoder's place."""

from __future__ import annotations

import pytest
import torch

from stages.contract import UserError
from stages.images.pixels import blank
from stages.methods.latent_codes.encoder import EncoderPart
from tests.methods.latent_codes.conftest import make_part, release
from tests.methods.small import figures_of

START = {"start": "vq", "normalisation": "group"}


@pytest.fixture(params=[True, False], ids=["normalised", "free"])
def vq(request, accelerator, batch_of):
    """A vq whose codes lie on the sphere, or anywhere; they are features of images, so that many are in use."""
    changes = {"normalised_codes": request.param}
    part = make_part("vq", {}, accelerator, **changes)
    features_BDHW = part.model.features(batch_of(9, 16).image_BCHW).detach()
    part.model.quantizer.codebook_KD.data.copy_(features_BDHW[:, :, 3, 4])
    return {"vq": release("vq", part, **changes)}


@pytest.mark.parametrize("changes", [{}, {"mask_input": True}, {"kind": "vanilla"}, {"kind": "miracle"}])
def test_where_all_is_known_it_begins_with_the_vqs_codes(vq, accelerator, batch_of, changes):
    part, batch = make_part("encoder", vq, accelerator, **START, **changes), batch_of(0, 8)
    logits_BKHW = part.model(batch.image_BCHW, torch.ones_like(batch.known_B1HW))
    codes_BHW = part.teacher.exact_codes(batch.image_BCHW)
    assert torch.equal(logits_BKHW.argmax(1), codes_BHW) and len(codes_BHW.unique()) > 2


@pytest.mark.parametrize(
    ("key", "value"), [("width", 16), ("blocks", 2), ("attention", [16]), ("normalisation", "layer")]
)
def test_other_sizes_than_the_vqs_are_refused_by_name(vq, accelerator, key, value):
    with pytest.raises(UserError, match=rf"encoder\.start: vq needs .* encoder\.{key} is .* vq\.{key}"):
        make_part("encoder", vq, accelerator, **{**START, key: value})


def test_the_vqs_own_reads_the_masked_image_and_learns_nothing(vq, accelerator, batch_of, learn):
    """Whatever the encoder's sizes are."""
    part: EncoderPart = make_part("encoder", vq, accelerator, kind="vq", width=16, normalisation="layer")
    before = {key: value.clone() for key, value in part.model.state_dict().items()}
    assert learn(part, range(2))[0]["cross_entropy"] > 0
    assert all(torch.equal(value, before[key]) for key, value in part.model.state_dict().items())
    batch = batch_of(5)
    codes_BHW = part.teacher.exact_codes(blank(batch.image_BCHW, batch.known_B1HW))
    assert torch.equal(part.model(batch.image_BCHW, batch.known_B1HW).argmax(1), codes_BHW)
    figures = figures_of(part, [batch])
    assert figures["accuracy"] == figures["vq_accuracy"]
