"""A pattern of file names: `{key}_out_{k}` tells of a name which image it completes, and as which sample."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from stages.contract import UserError
from stages.images.listing import ENDINGS
from stages.images.names import composed, stem_of

PLACES = {
    "{key}": "(?P<key>[^/]+)",
    "{index}": "(?P<index>[0-9]+)",
    "{k}": "(?P<sample>[0-9]+)",
    "{run}": "(?P<sample>[^/]+)",
    "*": "[^/]*",
}
SPLIT = re.compile(r"(\{[^}]*\}|\*)")
TOUCHING = re.compile(r"[}*][{*]")


@dataclass(frozen=True)
class Named:
    """What a file name tells; `image` is a key, or a line's number in a list of images; `sample` a number or a run."""

    image: str
    sample: str


@dataclass(frozen=True)
class Pattern:
    """File names relative to the folder of results, without ending unless the pattern has one."""

    text: str

    @classmethod
    def of(cls, text: str) -> Pattern:
        """UserError where names could not be told apart by it."""
        text = text.removesuffix(".*")
        places = [piece for piece in SPLIT.findall(text) if piece != "*"]
        unknown = [piece for piece in places if piece not in PLACES]
        if unknown:
            raise UserError(
                f"layout {text!r}: {unknown[0]} is no place; write {{key}} or {{index}}, {{k}} or {{run}}, *"
            )
        images, samples = (
            [piece for piece in places if piece in two] for two in (("{key}", "{index}"), ("{k}", "{run}"))
        )
        if len(images) != 1 or len(samples) > 1:
            raise UserError(f"layout {text!r}: write {{key}} or {{index}} once, and {{k}} or {{run}} once at most")
        if TOUCHING.search(text):
            raise UserError(f"layout {text!r}: two places touch; put what is between them in the names there")
        return cls(text)

    @property
    def listed(self) -> bool:
        """Whether names tell of a line in a list of images, and not of the image."""
        return "{index}" in self.text

    @property
    def numbered(self) -> bool:
        """Whether names tell a sample's number, and not a run's name."""
        return "{run}" not in self.text

    @property
    def depth(self) -> int:
        """Folders above a file."""
        return self.text.count("/")

    @cached_property
    def folder(self) -> Path:
        """The folders that all files of the pattern lie in: what is beside these is nothing of it."""
        above = self.text.split("/")[:-1]
        plain = next((i for i, part in enumerate(above) if SPLIT.search(part)), len(above))
        return Path(*above[:plain])

    def named(self, name: Path) -> Named | None:
        """What a relative file name tells; None where it is not of the pattern."""
        found = self._expression.fullmatch(composed(name.as_posix()) if self._ended else stem_of(name))
        if found is None:
            return None
        told = found.groupdict()
        return Named(told.get("key") or told["index"], told.get("sample") or "0")

    @property
    def _ended(self) -> bool:
        return PurePosixPath(self.text).suffix.lower() in ENDINGS

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        return re.compile("".join(PLACES.get(piece) or re.escape(piece) for piece in SPLIT.split(composed(self.text))))
