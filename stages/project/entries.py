"""What is compared: a method as its `inpaint` block stands, or with one of the block's named variants."""

from __future__ import annotations

from dataclasses import dataclass

PLAIN = "plain"  # the folder of a method as it stands: no variant may bear this name


@dataclass(frozen=True, order=True)
class Entry:
    """A method, or a variant of one; written `method` or `method/variant`."""

    method: str
    variant: str = ""

    @classmethod
    def parse(cls, text: str) -> Entry:
        """From `method` or `method/variant`."""
        method, _, variant = text.partition("/")
        return cls(method, variant)

    def __str__(self) -> str:
        return f"{self.method}/{self.variant}" if self.variant else self.method

    @property
    def folder(self) -> str:
        """The folder of its samples below their test set's."""
        return self.variant or PLAIN
