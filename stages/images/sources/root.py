"""The folder that a dataset's files lie in."""

import os
from pathlib import Path

from stages.contract import UserError
from stages.images.dataset_params import DatasetParams


def root_of(params: DatasetParams, looked_for: str, where: str) -> Path:
    """The source's folder; UserError says what is looked for in it and where to get the data."""
    if params.root is None:
        raise UserError(f"dataset of layout {params.layout}: key root is missing; name the folder with {looked_for}")
    return existing(params.root, looked_for, where)


def existing(folder: str, looked_for: str, where: str) -> Path:
    """A folder by its name in params (~ and $VARIABLES are expanded); UserError where it is not there."""
    path = Path(os.path.expandvars(folder)).expanduser()
    if not path.is_dir():
        raise UserError(f"{path}: no such folder; looked for {looked_for}; get it from {where}")
    return path
