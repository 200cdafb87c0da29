"""What MLflow runs when it loads a registered model (by its path, as a script): the entry that the model names answers.

A UserError is the asker's mistake: an MlflowException of an invalid value, which the scoring server turns into a 400.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

from stages.contract import UserError


class Answering(PythonModel):
    """A table in, a table out, by `module:function` of the model's config: folder -> (table, params) -> table."""

    def load_context(self, context: Any) -> None:
        module, _, name = context.model_config["entry"].partition(":")
        self._answer = getattr(import_module(module), name)(Path(context.artifacts["folder"]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        try:
            return self._answer(model_input, params or {})
        except UserError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from error


set_model(Answering())
