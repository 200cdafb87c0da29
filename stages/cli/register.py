"""`plurifill register METHOD`: the trained inpainter as an MLflow model, images and masks in, K completions out.

The model holds its weights, its params and this code; `mlflow.pyfunc.load_model("models:/plurifill@METHOD")` loads it,
`mlflow models serve --env-manager local` answers by HTTP. The same content is registered once.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from stages.cli import options
from stages.contract import UserError
from stages.project import params as settings
from stages.project import paths, provenance
from stages.project.entries import Entry
from stages.project.hashing import of_file, of_values
from stages.project.params import validate
from stages.project.releases import read_config
from stages.sampling import serving
from stages.tracking import models, store
from stages.tracking.models import Model
from stages.tracking.store import TrackParams

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
)


def main(
    method: options.EntryArgument,
    set_: options.Set = None,
    params: options.ParamsFile = options.PARAMS,
) -> None:
    """Register the method's trained inpainter in MLflow, under an alias of its name."""
    values = settings.read(params, set_ or ())
    track = validate(TrackParams, values.get("track", {}), "track")
    if track.backend == "none":
        raise UserError(f"{params}: track is none, and a model is registered in MLflow; set track.backend: mlflow")
    with tempfile.TemporaryDirectory() as place, store.asked():
        about = serving.pack(values, Entry.parse(method), Path(place) / "inpainter")
        serving.serve(Path(place) / "inpainter")  # what cannot answer is not registered
        address, version, new = models.register(track, _model(track, about, Path(place) / "inpainter"))
    print(f"{address} version {version}{'' if new else ', registered already'}")
    print(f"serve it: MLFLOW_TRACKING_URI={store.uri()} mlflow models serve --env-manager local --model-uri {address}")


def _model(track: TrackParams, about: dict[str, Any], folder: Path) -> Model:
    entry = Entry.parse(about["entry"])
    fingerprints = {part: read_config(paths.model(entry.method, part))["fingerprint"] for part in about["parts"]}
    lineage = {"method": str(entry), "commit": provenance.commit(), "dvc.lock": provenance.lock()}
    return Model(
        str(entry).replace("/", "-"),
        folder,
        "stages.sampling.serving:serve",
        serving.INPUTS,
        serving.OUTPUTS,
        serving.OPTIONS,
        serving.example(),
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
