"""How results lie in their folder: by a pattern, or as one of the known programs writes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from stages.contract import UserError
from stages.project.params import nearest
from stages.sampling.external.pattern import Pattern


@dataclass(frozen=True)
class Layout:
    """`patterns`: results have the names of one of them. `ignored`: siblings that are no results (* spans folders).

    `by_mask`: a result has its mask's name instead of its image's. `index` is a list of image files, one a line.
    """

    patterns: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    by_mask: bool = False
    index: Path | None = None

    @property
    def told(self) -> str:
        """Its patterns in words."""
        return " or ".join(self.patterns)

    def ignores(self, name: Path) -> bool:
        """Whether the file of that relative name is a sibling."""
        return any(fnmatchcase(name.as_posix(), pattern) for pattern in self.ignored)


OWN = Layout(("{key}", "{key}/{k}"))
NUMBERED = Layout(("{key}_{k}",))
SINGLE = Layout(("{key}",))
NAMED = {
    "inpaint": Layout(("{key}/{k}",)),
    "export": Layout(("*/*/{key}/{k}",)),  # <testset>/<entry>/...: of one entry and one test set
    "runs": Layout(("{run}/{key}",)),
    "pic": Layout(("{key}_out_{k}",), ("*_truth.*", "*_mask.*")),
    "ict": replace(NUMBERED, ignored=("condition_*/*",)),
    "bat-fill": NUMBERED,
    "tfill": Layout(("img_ref_out/{key}_{k}",)),
    "tfill-coarse": Layout(("img_out/{key}_{k}",)),
    "put": Layout(("{key}/completed_cnt{k}_fr*", "completed/{key}"), ("*/gt_mask_image.*",)),
    "mat": SINGLE,
    "ldm": SINGLE,
    "lama": Layout(("{key}",), by_mask=True),
    "repaint": Layout(("srs/{key}", "{run}/srs/{key}"), ("*/gts/*", "*/lrs/*", "*/gt_keep_masks/*")),
    "dsi": Layout(("{run}_Full/{index}", "{index}")),
}


def layout_of(text: str | None, ignored: Sequence[str] = (), index: Path | None = None) -> Layout:
    """The layout of that name or pattern; None: `<key>.png` or `<key>/<kk>.png`. UserError where there is none such."""
    chosen = OWN if text is None else NAMED.get(text) or Layout((_pattern(text),))
    if index and not any(Pattern.of(pattern).listed for pattern in chosen.patterns):
        raise UserError(f"--index: names of the layout {text or chosen.told} tell no line of a list; leave it out")
    return replace(chosen, ignored=(*chosen.ignored, *ignored), index=index)


def _pattern(text: str) -> str:
    """UserError where it is neither a layout's name nor a pattern."""
    if "{" not in text:
        known = ", ".join(NAMED)
        raise UserError(
            f"layout {text!r}: no such layout{nearest(text, list(NAMED))} ({known}, or a pattern with {{key}})"
        )
    return Pattern.of(text).text
