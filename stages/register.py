"""`plurifill register METHOD`: the trained inpainter as an MLflow model, images and masks in, K completions out.

The model holds its weights, its params and this code; `mlflow.pyfunc.load_model("models:/plurifill@METHOD")` loads it,
`mlflow models serve --env-manager local` answers by HTTP. The same content is registered once.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from stages import places, provenance, served
from stages.contract import UserError
from stages.engine import params as settings
from stages.engine.fingerprint import of_file, of_values
from stages.engine.params import validate
from stages.engine.release import read_config
from stages.engine.tracking import models, store
from stages.engine.tracking.models import Model
from stages.engine.tracking.store import TrackParams

NEEDS = (  # what the model's environment holds beside Python
    "mlflow",
    "torch",
    "numpy",
    "pandas",
    "pillow",
    "pydantic",
    "ruamel.yaml",
    "safetensors",
    "opencv-python-headless",
    "scikit-image",
    "simplejpeg",
    "rich",
    "typer",
)


def main(
    method: Annotated[str, typer.Argument(help="a method, or one of its variants as METHOD/VARIANT")],
    set_: Annotated[list[str] | None, typer.Option("-S", metavar="KEY=VALUE", help="override a key of params")] = None,
    params: Annotated[Path, typer.Option(help="the params file")] = Path("params.yaml"),
) -> None:
    """Register the method's trained inpainter in MLflow, under an alias of its name."""
    values = settings.read(params, set_ or ())
    track = validate(TrackParams, values.get("track", {}), "track")
    if track.backend == "none":
        raise UserError(f"{params}: track is none, and a model is registered in MLflow; set track.backend: mlflow")
    with tempfile.TemporaryDirectory() as place, store.asked():
        about = served.pack(values, method, Path(place) / "inpainter")
        served.serve(Path(place) / "inpainter")  # what cannot answer is not registered
        address, version, new = models.register(track, _model(track, about, Path(place) / "inpainter"))
    print(f"{address} version {version}{'' if new else ', registered already'}")
    print(f"serve it: MLFLOW_TRACKING_URI={store.uri()} mlflow models serve --env-manager local --model-uri {address}")


def _model(track: TrackParams, about: dict[str, Any], folder: Path) -> Model:
    row, method = about["row"], about["row"].partition("/")[0]
    fingerprints = {part: read_config(places.model(method, part))["fingerprint"] for part in about["parts"]}
    lineage = {"method": row, "commit": provenance.commit(), "dvc.lock": provenance.lock()}
    return Model(
        row.replace("/", "-"),
        folder,
        "stages.served:serve",
        served.INPUTS,
        served.OUTPUTS,
        served.OPTIONS,
        served.example(),
        tuple(f"{name}=={version}" for name, version in provenance.versions(NEEDS).items() if version != "absent"),
        of_values({**about, "code": _code()}),
        {
            **lineage,
            **models.trained(track, fingerprints),
            **{f"weights.{p}": sha for p, sha in about["parts"].items()},
        },
    )


def _code() -> dict[str, str]:
    """sha256 of every source file that the model brings along."""
    return {str(path.relative_to(models.CODE)): of_file(path) for path in sorted(models.CODE.rglob("*.py"))}
