"""The vq's own encoder as the start of one that tells tokens: its features, and the nearest code as the likeliest."""

from __future__ import annotations

import torch
from torch import Tensor

from stages.contract import UserError
from stages.methods.latent_codes import vq
from stages.methods.latent_codes.blocks.token_mask import Sizes
from stages.nets.pyramid import Encoder

SHARPNESS = 4.0  # of logits over codes; ours: the lowest val cross-entropy of six values on photographs
SIZES = ("width", "multipliers", "blocks", "attention", "normalisation")


def same_sizes(asked: Sizes, parent: vq.Params) -> None:
    """UserError unless the vq's weights fit the encoder that is asked for."""
    for key in SIZES:
        own, theirs = getattr(asked, key), getattr(parent, key)
        if own != theirs:
            raise UserError(
                f"params: methods.latent_codes.encoder.start: vq needs the vq's sizes, but encoder.{key} is {own} "
                f"and vq.{key} {theirs}: make them one, or set start: scratch"
            )


@torch.no_grad()
def begin(encoder: Encoder, net: vq.Autoencoder) -> None:
    """Give the encoder the vq's weights, so that of a wholly known image its likeliest class is the vq's code.

    Channels of the mask, which come first, begin unheard.
    """
    weights = {key: value.clone() for key, value in net.encoder.state_dict().items()}
    stem = encoder.state_dict()["stem.conv.weight"].clone().zero_()
    stem[:, -weights["stem.conv.weight"].shape[1] :] = weights["stem.conv.weight"]
    head, bias = _classes(net, weights["head.conv.weight"], weights["head.conv.bias"])
    encoder.load_state_dict({**weights, "stem.conv.weight": stem, "head.conv.weight": head, "head.conv.bias": bias})


def _classes(net: vq.Autoencoder, head_DCkk: Tensor, bias_D: Tensor) -> tuple[Tensor, Tensor]:
    """Weight (K, C, k, k) and bias (K,) of the vq's last two layers and its codebook in one.

    Logits are z * code - |code|^2 / 2: what is left of -|z - code|^2 / 2 without |z|^2, which is every code's.
    """
    codes_KD = net.quantizer.vectors()
    to_code_DD = net.to_code.weight[:, :, 0, 0]
    assert net.to_code.bias is not None
    z_bias_D = to_code_DD @ bias_D + net.to_code.bias
    weight_KCkk = torch.einsum("kd,de,ecij->kcij", codes_KD, to_code_DD, head_DCkk)
    return SHARPNESS * weight_KCkk, SHARPNESS * (codes_KD @ z_bias_D - codes_KD.square().sum(1) / 2)
