"""Completions made elsewhere, beside our own in every table: a variant is a folder, data/external/<variant>/<draw>/."""

from collections.abc import Mapping

import torch

from stages import contract
from stages.contract import Completions, Request, Trained, UserError

PARENTS: tuple[str, ...] = ()
SHARED: tuple[str, ...] = ()


class Params(contract.Made):
    """What the results are."""


class External:
    """Hands on what the door read; the seeds are not looked at."""

    def sample(self, request: Request) -> Completions:
        """The completions of the request; UserError where it brings none."""
        if request.made_BKCHW is None:
            raise UserError(
                "external completes nothing itself: it holds results made elsewhere, for `plurifill sample`"
            )
        return Completions(request.made_BKCHW)


def build(params: Params, parents: Mapping[str, Trained], device: torch.device) -> External:
    """The inpainter; `params` told the door what to check."""
    return External()
