"""When a build must end because it has lost too much of its source: unusable files, duplicates, a whole split."""

from collections import Counter
from pathlib import Path

from stages.contract import UserError
from stages.images.audit import Audit
from stages.images.dataset_params import DatasetParams
from stages.project import tables


def refuse_losses(audit: Audit, params: DatasetParams, counts: Counter[str], dataset: Path) -> None:
    """UserError where the audit of a source with `counts` files a split passes a limit of the dataset's.

    What was lost is then in a table beside `dataset`, whose name is the dataset's.
    """
    _refuse_unusable(audit, params, counts.total(), dataset)
    _refuse_duplicates(audit, params, counts["train"], dataset)
    if counts["train"] and not audit.kept["train"]:
        first = next(row for row in audit.refused if row["split"] == "train")  # duplicates alone are past their limit
        raise UserError(
            f"{dataset.name}: none of its {counts['train']} training images is left; the first: {first['name']}: "
            f"{first['reason']}; all: {_write(audit, 'quarantine', dataset)}; give images that can be used"
        )


def _refuse_unusable(audit: Audit, params: DatasetParams, count: int, dataset: Path) -> None:
    if len(audit.refused) <= params.quarantine_limit * count:
        return
    first = audit.refused[0]
    raise UserError(
        f"{len(audit.refused)} of {count} files of {dataset.name} are unusable, over datasets.{dataset.name}."
        f"quarantine_limit = {params.quarantine_limit}; the first: {first['name']}: {first['reason']}; "
        f"all: {_write(audit, 'quarantine', dataset)}"
    )


def _refuse_duplicates(audit: Audit, params: DatasetParams, count: int, dataset: Path) -> None:
    removed = [row for row in audit.duplicates if row["removed"]]
    if len(removed) <= params.duplicates.limit * count:
        return
    key, first = f"datasets.{dataset.name}.duplicates", removed[0]
    raise UserError(
        f"{len(removed)} of {count} training images of {dataset.name} are duplicates of val or test images, over "
        f"{key}.limit = {params.duplicates.limit}; the first: {first['name']} ({first['kind']}, of {first['of_key']}); "
        f"all: {_write(audit, 'duplicates', dataset)}; where they only look alike, set {key}.near: null"
    )


def _write(audit: Audit, table: str, dataset: Path) -> Path:
    return tables.write(audit.tables()[table], dataset.with_name(f"{dataset.name}-{table}"))
