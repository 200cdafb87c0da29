"""Names of image files: what files are paired by, and the keys that shards, samples and scores know an image by."""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from stages.contract import UserError
from stages.images.listing import ENDINGS, text_of

BESIDE = re.compile(r"(.+)_mask\d*")  # LaMa's names of masks that lie beside their images: x.png, x_mask001.png


def key_of(name: Path) -> str:
    """A relative file name as a key: no ending, no slash, no dot (a WebDataset key ends at its first dot)."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", "-".join((*name.parent.parts, name.stem)))


def stem_of(name: Path) -> str:
    """What files are paired by: a relative name without its ending, as text."""
    return composed((name.with_suffix("") if name.suffix.lower() in ENDINGS else name).as_posix())


def composed(name: str) -> str:
    """A name as text with its accents composed (NFC): systems store them in two ways."""
    return unicodedata.normalize("NFC", text_of(name))


def distinct(named: Iterable[tuple[str, Path]], fault: str) -> dict[str, Path]:
    """Files by name; UserError that ends with `fault` where two have one name."""
    found: dict[str, Path] = {}
    for name, path in named:
        if name in found:
            raise UserError(f"{path}: {found[name].name} {fault}")
        found[name] = path
    return found


def beside(stems: Iterable[str]) -> dict[str, str]:
    """Mask -> image, of those stems that are masks beside their images."""
    known = set(stems)
    matches = ((stem, BESIDE.fullmatch(stem)) for stem in sorted(known))
    return {stem: match[1] for stem, match in matches if match and match[1] in known}
