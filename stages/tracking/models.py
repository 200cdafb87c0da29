"""Models in MLflow's registry: one registered name, an alias a method, a version a content."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from stages.tracking import store
from stages.tracking.store import TrackParams

CODE = Path(__file__).resolve().parents[1]  # the package that a model brings along


@dataclass(frozen=True)
class Model:
    """What is logged: `folder` (copied) is read by `entry` (module:function) when the model is loaded.

    `inputs` and `outputs` are column types by name, `options` the defaults of predict's params; `content` marks what
    the answers depend on, `tags` tell the lineage.
    """

    alias: str
    folder: Path
    entry: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    options: Mapping[str, Any]
    example: pd.DataFrame
    requirements: tuple[str, ...]
    content: str
    tags: Mapping[str, str]


def register(params: TrackParams, model: Model) -> tuple[str, str, bool]:
    """The model's address (by its alias), its version, and whether it had to be logged."""
    client, experiment = store.connect(params, "models")
    name, address = params.experiment, f"models:/{params.experiment}@{model.alias}"
    if (version := _at(client, name, model)) is not None:
        return address, version, False
    version = _log(experiment, name, model)
    for key, value in {**model.tags, "content": model.content}.items():
        client.set_model_version_tag(name, version, key, value)
    client.set_registered_model_alias(name, model.alias, version)
    return address, version, True


def trained(params: TrackParams, fingerprints: Mapping[str, str]) -> dict[str, str]:
    """Tags that lead to the training runs of parts, by the fingerprints in their config.json."""
    client, experiment = store.connect(params, "training")
    found = {part: store.trained(client, experiment, fingerprint) for part, fingerprint in fingerprints.items()}
    return {f"parent.{part}": run for part, run in found.items() if run}


def _at(client: Any, name: str, model: Model) -> str | None:
    """The version under the alias, if its content is the model's."""
    from mlflow.exceptions import MlflowException

    try:
        version = client.get_model_version_by_alias(name, model.alias)
    except MlflowException:  # no such name or alias yet
        return None
    return version.version if version.tags.get("content") == model.content else None


def _log(experiment: str, name: str, model: Model) -> str:
    import mlflow

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    mlflow.set_tracking_uri(store.uri())
    with mlflow.start_run(experiment_id=experiment, run_name=model.alias, tags=dict(model.tags)):
        logged = mlflow.pyfunc.log_model(
            name=model.alias,
            code_paths=[str(CODE)],
            input_example=model.example,
            registered_model_name=name,
            **own(model),
        )
    return str(logged.registered_model_version)


def own(model: Model) -> dict[str, Any]:
    """What MLflow is told of a model, wherever it is put."""
    return {
        "python_model": str(Path(__file__).with_name("pyfunc.py")),
        "artifacts": {"folder": str(model.folder)},
        "model_config": {"entry": model.entry, "params": list(model.options), "columns": list(model.inputs)},
        "signature": _signature(model),
        "pip_requirements": list(model.requirements),
    }


def _signature(model: Model) -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

    kinds = {int: DataType.long, str: DataType.string}
    inputs, outputs = (
        Schema([ColSpec(kind, name) for name, kind in columns.items()]) for columns in (model.inputs, model.outputs)
    )
    options = [ParamSpec(name, kinds[type(default)], default) for name, default in model.options.items()]
    return ModelSignature(inputs, outputs, ParamSchema(options))
