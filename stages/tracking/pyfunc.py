"""What MLflow runs when it loads a registered model (by its path, as a script): the entry that the model names answers.

A UserError is the asker's mistake: an MlflowException of an invalid value, which the scoring server turns into a 400.
Whatever else happens is ours: a 500, and it says what.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, scoring_server

from stages.contract import UserError


class Unknown(logging.Filter):
    """MLflow drops params and columns that a model does not have, and warns its own log: here they are refused.

    A misspelt param would else be answered as if it were not there, and the asker would not know.
    """

    def __init__(self, params: Sequence[str], columns: Sequence[str]) -> None:
        super().__init__()
        self._params, self._columns = params, columns

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if text.startswith("Found extra inputs"):
            unknown = text.partition("signature: `")[2].partition("`")[0]
            raise MlflowException.invalid_parameter_value(f"no columns {unknown}; there are {', '.join(self._columns)}")
        if text.startswith("Unrecognized params") and all(repr(name) in text for name in self._params):
            unknown = text.removeprefix("Unrecognized params ").partition(" are ignored")[0]
            raise MlflowException.invalid_parameter_value(f"no params {unknown}; there are {', '.join(self._params)}")
        return True


def refuse_beside(params: Sequence[str]) -> None:
    """MLflow's server also drops what stands beside the table and `params` in a request, without a word: refuse it."""
    split = scoring_server._split_data_and_params
    if hasattr(split, "__wrapped__"):  # done by a model that was loaded before
        return

    @wraps(split)
    def checked(request: Any) -> Any:
        fields = scoring_server._decode_json_input(request)
        read = {*scoring_server.SUPPORTED_FORMATS, scoring_server.SERVING_PARAMS_KEY}
        beside = [name for name in fields if name not in read]
        if beside and scoring_server.SUPPORTED_FORMATS & fields.keys():  # else there is no table, which MLflow tells
            told = (
                f"{', '.join(beside)}: not read beside the table; put it into `params`, which takes {', '.join(params)}"
            )
            raise MlflowException.invalid_parameter_value(told)
        return split(request)

    scoring_server._split_data_and_params = checked


class Answering(PythonModel):
    """A table in, a table out, by `module:function` of the model's config: folder -> (table, params) -> table."""

    def load_context(self, context: Any) -> None:
        module, _, name = context.model_config["entry"].partition(":")
        self._answer = getattr(import_module(module), name)(Path(context.artifacts["folder"]))
        checks = logging.getLogger("mlflow.models.utils")  # where MLflow holds what is asked against the signature
        checks.setLevel(logging.WARNING)
        checks.addFilter(Unknown(context.model_config["params"], context.model_config["columns"]))
        refuse_beside(context.model_config["params"])

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        try:
            return self._answer(model_input, params or {})
        except UserError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from error
        except Exception as error:
            raise MlflowException(f"{type(error).__name__}: {error}") from error


set_model(Answering())
