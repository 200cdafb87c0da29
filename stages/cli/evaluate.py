"""`plurifill evaluate METHOD PART`: a released part's own figures on a split, beside those of its untrained network.

What training tells of val at intervals (bits per dimension by hole ratio, used codes, accuracy ...) is told here of any
split and of all its images, with the masks that the part learnt under or others. Leaves
reports/parts/<method>/<part>.<split>.<masks> as a table: figure, trained, untrained, and what they are of.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated, Any

import pandas as pd
import torch
import typer
from torch import nn

from stages.cli import options
from stages.cli.options import Split
from stages.contract import Part, UserError
from stages.images import masks as generators
from stages.images.dataset import Dataset
from stages.images.stream import FixedBatches
from stages.project import devices, paths, tables
from stages.project.params import dig, read
from stages.project.progress import tell
from stages.project.releases import read_config, read_trained
from stages.project.seeds import seed_all
from stages.training import parts
from stages.training.accelerator import TorchAccelerator
from stages.training.distributed import Ranks
from stages.training.lenders import LENDERS
from stages.training.loop_params import LoopParams
from stages.training.measuring import measured
from stages.training.parts import Plan
from stages.training.prefetch import to_device


def main(
    method: options.Method,
    part: Annotated[str, typer.Argument(help="a trained part of it")],
    split: Annotated[Split, typer.Option(help="of the dataset")] = Split.test,
    masks: Annotated[str, typer.Option(help="masks by name; default: those the part learnt under")] = "",
    limit: options.Limit = 0,
    set_: options.Set = None,
    device: options.Device = "",
    params: options.ParamsFile = options.PARAMS,
) -> None:
    """Tell a released part's figures on a split, and its untrained network's beside them."""
    plan, on = as_released(read(params, set_ or ()), method, part, masks), devices.choose(device)
    data = Dataset.open(paths.shards(plan.dataset), split)
    table = figures(plan, data, limit or len(data), on)
    path = tables.write(table, paths.parts(method) / f"{part}.{split}.{plan.masks or 'whole'}")
    print(table[["figure", "trained", "untrained"]].to_string(index=False, float_format="%.4g"))
    print(path)


def as_released(values: dict[str, Any], method: str, part: str, masks: str) -> Plan:
    """The plan that the released part was made by, whatever params say now; with other masks where these are named."""
    plan, config = parts.plan(values, method, part), read_config(paths.model(method, part))
    released = config["masks"] if not masks else {"name": masks, "generator": dig(values, f"masks.{masks}")}
    block = released.get("generator") or released.get("law")  # its earlier name
    return replace(
        plan,
        params=plan.module.Params.model_validate(config["params"]),
        loop=LoopParams.model_validate(config["loop"]),
        dataset=config["dataset"]["name"],
        masks=released["name"],
        generator=generators.renamed(block) if block else None,
    )


def figures(plan: Plan, data: Dataset, images: int, device: torch.device) -> pd.DataFrame:
    """figure, trained, untrained, n ...: both networks see the same images, holes and seeds."""
    generator = generators.generator_of(plan.generator) if plan.generator else None
    batches = FixedBatches(data, generator, plan.loop.eval_batch, images, plan.loop.seed)
    accelerator = TorchAccelerator(plan.title, plan.loop, device, Ranks(), *LENDERS)
    seed_all(plan.loop.seed, "build")
    parents = {name: read_trained(paths.model(plan.method, name)) for name in plan.parents}
    learner = plan.build(parents, data.spec, accelerator)
    _refuse_counts(plan, learner)
    on_device = partial(to_device, device=device, channels_last=plan.loop.channels_last)
    found = {}
    for name in ("untrained", "trained"):
        tell(f"{plan.title}, {name}: {batches.images} images of {data.name}/{data.split}")
        if name == "trained":
            learner.model.load_state_dict(dict(read_trained(paths.model(plan.method, plan.name)).tensors))
        _rest(learner)
        with torch.no_grad():
            found[name] = learner.figures(measured(learner, batches, on_device, plan.loop.seed, Ranks()))
    return _table(found, plan, data, batches.images)


def _refuse_counts(plan: Plan, part: Part) -> None:
    """UserError where figures hang on what was counted beside the model in training: that is not released."""
    beside = {name: value for name, value in part.state().items() if value is not part.model}
    for name, value in beside.items():
        if isinstance(value, nn.Module) and not any(True for _ in value.parameters()):
            card = paths.model(plan.method, plan.name) / "card.md"
            raise UserError(f"{plan.title}: figures hang on its {name}, which is not released; see {card}")


def _rest(part: Part) -> None:
    for value in part.state().values():
        if isinstance(value, nn.Module):
            value.eval()


def _table(found: dict[str, dict[str, float]], plan: Plan, data: Dataset, images: int) -> pd.DataFrame:
    names = list(dict.fromkeys([*found["trained"], *found["untrained"]]))
    columns = {"figure": names, **{way: [found[way].get(name) for name in names] for way in ("trained", "untrained")}}
    sha256 = read_config(paths.model(plan.method, plan.name))["sha256"]
    about = {"dataset": data.name, "data": data.hash, "masks": plan.masks or "", "n": images, "weights": sha256}
    return pd.DataFrame(columns).assign(**about)
