"""Names of image files, and the keys that shards, masks, samples and scores know an image by."""

import re
from pathlib import Path

ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif"}


def image_files(root: Path) -> list[Path]:
    """Image files under `root` at any depth, relative to it, sorted by name; hidden ones are left out."""
    found = (path.relative_to(root) for path in root.rglob("*") if path.suffix.lower() in ENDINGS)
    return sorted(path for path in found if not any(part.startswith(".") for part in path.parts))


def key_of(name: Path) -> str:
    """A relative file name as a key: no ending, no slash, no dot (a WebDataset key ends at its first dot)."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", "-".join((*name.parent.parts, name.stem)))
