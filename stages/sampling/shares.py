"""What one of several workers does of a test set (`--part I/N`): one worker's work, cut along its pieces."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from stages.contract import UserError
from stages.project import locks
from stages.project.progress import tell
from stages.sampling import store

# `_make` by its own name: an edit of the sampler, whose code is in their fingerprints, would make all samples anew
from stages.sampling.sampler import PIECE, Work, _make, chunks

SPELT = re.compile(r"([1-9]\d{0,5})/([1-9]\d{0,5})")


@dataclass(frozen=True)
class Share:
    """The `number`-th of `of` shares, from 1 on: every `of`-th piece, so that shares cost alike where images do not."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Share:
        """From `I/N`; UserError where it is none."""
        match = SPELT.fullmatch(text)
        if match is None or int(match[1]) > int(match[2]):
            raise UserError(f"--part {text}: write I/N, the I-th of N parts, with I from 1 to N")
        return cls(int(match[1]), int(match[2]))

    def has(self, piece: int) -> bool:
        """Whether the piece of that number, from 0 on, is one of it."""
        return piece % self.of == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def fill(work: Work, share: Share) -> None:
    """The samples of the share's pieces, those that are there and undamaged taken over.

    Nothing is finished: `sampler.fill` does that, and finds these pieces made.
    """
    pieces = enumerate(chunks(work.testset.chosen, max(1, PIECE // work.testset.params.samples)))
    own = [(number, piece) for number, piece in pieces if share.has(number)]
    for done, (number, piece) in enumerate(own, start=1):
        lock = work.place / f".samples-{number:05d}.lock"
        with locks.held(lock, math.inf, ""):  # a share of another count may have the piece, too
            if store.read_piece(work.place, number) is None:
                _make(work, number, piece)
            lock.unlink()
        tell(f"{work.entry} {work.testset.name}: {done}/{len(own)} pieces of part {share}")
