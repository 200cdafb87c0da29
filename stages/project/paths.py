"""Where artefacts lie: the only file that knows the layout of data/ and reports/."""

import os
from pathlib import Path


def root() -> Path:
    """The artefacts' folder: PLURIFILL_DATA, or data/ in the project."""
    return Path(os.environ.get("PLURIFILL_DATA", "data"))


def shards(dataset: str) -> Path:
    """A dataset's tars, index, packed images and audit."""
    return root() / "shards" / dataset


def masks(dataset: str, split: str = "test") -> Path:
    """Frozen masks of a dataset: of its test images in the folder, of another split in a folder of its name there."""
    folder = root() / "masks" / dataset
    return folder if split == "test" else folder / split


def model(method: str, part: str) -> Path:
    """A trained part: weights, config, card, curves, pictures."""
    return root() / "models" / method / part


def progress(method: str, work: str, fingerprint: str) -> Path:
    """State in progress, outside DVC's outs; one folder a configuration."""
    return root() / "progress" / method / work / fingerprint


def finished(method: str, work: str, fingerprint: str) -> Path:
    """Links to what was published: DVC removes outs before it runs a stage, which may have nothing to do."""
    return root() / "progress" / "finished" / method / work / fingerprint


def tars() -> Path:
    """Local copies of tars from elsewhere, and lists of what lies in them."""
    return root() / "progress" / "tars"


def unlogged() -> Path:
    """What trainings note for MLflow, until it is logged: PLURIFILL_UNLOGGED (a sweep's points share the project's)."""
    return Path(os.environ.get("PLURIFILL_UNLOGGED") or root() / "progress" / "unlogged")


def samples(method: str) -> Path:
    """A method's finished completions, one folder a test set."""
    return root() / "samples" / method


def external(name: str) -> Path:
    """Completions made elsewhere, put there by the user: one folder a test set."""
    return root() / "external" / name


def reports() -> Path:
    """Results: scores, sweeps, pages."""
    return Path(os.environ.get("PLURIFILL_REPORTS", "reports"))


def parts(method: str) -> Path:
    """Trained parts' own figures, a table a part, split and masks."""
    return reports() / "parts" / method


def scores() -> Path:
    """One table of scores and one summary a method."""
    return reports() / "scores"


def sweeps() -> Path:
    """One folder a sweep, its finished points in it."""
    return reports() / "sweeps"
