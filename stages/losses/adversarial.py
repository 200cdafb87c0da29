"""What a generator and a discriminator want of each other's logits, and the gradient penalty between them."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Adversarial = Literal["nonsaturating", "hinge"]
Penalty = Literal["norm", "squared"]
Patches = Literal["mean", "sum"]


def generator_loss(kind: Adversarial, fake: Tensor) -> Tensor:
    """-E log D(fake) (paper 000, eq. 10), or the hinge loss's -E D(fake); logits in."""
    fake = fake.float()
    return F.softplus(-fake).mean() if kind == "nonsaturating" else -fake.mean()


def discriminator_loss(kind: Adversarial, real: Tensor, fake: Tensor) -> Tensor:
    """-E log D(real) - E log(1 - D(fake)) (paper 000, eq. 11), or VQGAN's halved hinge; logits in."""
    real, fake = real.float(), fake.float()
    if kind == "nonsaturating":
        return F.softplus(-real).mean() + F.softplus(fake).mean()
    return 0.5 * (F.relu(1 - real).mean() + F.relu(1 + fake).mean())


def gradient_penalty(form: Penalty, logits: Tensor, real_BCHW: Tensor, patches: Patches = "mean") -> Tensor:
    """R1: E |grad D(real)| (paper 000, eq. 12: `norm`) or E |grad D(real)|^2 (as released: `squared`).

    D of an image is the `mean` of its patches' logits, as in the losses above, or (as released) their `sum`: that
    gradient is as many times longer as an image has patches, 900 at 256 px. `real_BCHW` must require its gradient.
    """
    judged_BP = logits.float().flatten(1)
    judged = judged_BP.sum() if patches == "sum" else judged_BP.mean(1).sum()
    (slope_BCHW,) = torch.autograd.grad(judged, real_BCHW, create_graph=True)
    square_B = slope_BCHW.float().square().sum((1, 2, 3))
    return square_B.mean() if form == "squared" else (square_B + 1e-12).sqrt().mean()


def adaptive_weight(reconstruction: Tensor, adversarial: Tensor, last: Tensor) -> Tensor:
    """How much adversarial loss pulls the last layer's weight as hard as reconstruction does (VQGAN's lambda).

    |grad of reconstruction| / (|grad of adversarial| + 1e-4), at most 1e4, without a gradient of its own.
    """
    (pull,) = torch.autograd.grad(reconstruction, last, retain_graph=True)
    (push,) = torch.autograd.grad(adversarial, last, retain_graph=True)
    return (pull.norm() / (push.norm() + 1e-4)).clamp(0.0, 1e4).detach()
