"""`plurifill evaluate METHOD PART`: a released part's own figures on a split, beside those of its untrained network.

What training tells of val at intervals (bits per dimension by hole ratio, used codes, accuracy ...) is told here of any
split and of all its images, under the law of holes that the part learnt under or another one. Leaves
reports/parts/<method>/<part>.<split>.<law> as a table: figure, trained, untrained, and what they are of.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import torch
import typer
from torch import nn

from stages import places, tables
from stages.contract import Part, UserError
from stages.engine import device as devices
from stages.engine import parts
from stages.engine.distributed import Ranks
from stages.engine.feed import to_device
from stages.engine.loop_params import LoopParams
from stages.engine.params import dig, read
from stages.engine.parts import Plan
from stages.engine.progress import tell
from stages.engine.release import read_config, read_trained
from stages.engine.seed import seed_all
from stages.engine.tools import Workbench
from stages.images import masks as laws
from stages.images.dataset import Dataset
from stages.images.stream import fixed
from stages.metrics import lpips

SPLITS = ("train", "val", "test")


def main(
    method: Annotated[str, typer.Argument(help="a method: a folder in stages/methods")],
    part: Annotated[str, typer.Argument(help="a trained part of it")],
    split: Annotated[str, typer.Option(help="train, val or test")] = "test",
    masks: Annotated[str, typer.Option(help="a law of masks by name; default: the one the part learnt under")] = "",
    limit: Annotated[int, typer.Option(min=0, help="the first so many images; 0: all")] = 0,
    set_: Annotated[list[str] | None, typer.Option("-S", metavar="KEY=VALUE", help="override a key of params")] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1; default: cuda where there is one")] = "",
    params: Annotated[Path, typer.Option(help="the params file")] = Path("params.yaml"),
) -> None:
    """Tell a released part's figures on a split, and its untrained network's beside them."""
    if split not in SPLITS:
        raise UserError(f"--split {split}: choose {', '.join(SPLITS)}")
    plan, on = as_released(read(params, set_ or ()), method, part, masks), devices.choose(device or None)
    data = Dataset.open(places.shards(plan.dataset), split)
    table = figures(plan, data, limit or len(data), on)
    path = tables.write(table, places.parts(method) / f"{part}.{split}.{plan.masks or 'whole'}")
    print(table[["figure", "trained", "untrained"]].to_string(index=False, float_format="%.4g"))
    print(path)


def as_released(values: dict[str, Any], method: str, part: str, masks: str) -> Plan:
    """The plan that the released part was made by, whatever params say now; under another law where one is named."""
    plan, config = parts.plan(values, method, part), read_config(places.model(method, part))
    law = config["masks"] if not masks else {"name": masks, "law": dig(values, f"masks.{masks}")}
    return replace(
        plan,
        params=plan.module.Params.model_validate(config["params"]),
        loop=LoopParams.model_validate(config["loop"]),
        dataset=config["dataset"]["name"],
        masks=law["name"],
        law=law["law"],
    )


def figures(plan: Plan, data: Dataset, images: int, device: torch.device) -> pd.DataFrame:
    """figure, trained, untrained, n ...: both networks see the same images, holes and seeds."""
    law = laws.law(plan.law) if plan.law else None
    batches = fixed(data, law, plan.loop.eval_batch, images, plan.loop.seed)
    tools = Workbench(plan.title, plan.loop, device, Ranks(), lpips.distance)
    seed_all(plan.loop.seed, "build")
    parents = {name: read_trained(places.model(plan.method, name)) for name in plan.parents}
    learner = plan.build(parents, data.spec, tools)
    _refuse_counts(plan, learner)
    found = {}
    for name in ("untrained", "trained"):
        tell(f"{plan.title}, {name}: {sum(len(batch.keys) for batch in batches)} images of {data.name}/{data.split}")
        if name == "trained":
            learner.model.load_state_dict(dict(read_trained(places.model(plan.method, plan.name)).tensors))
        _rest(learner)
        seed_all(plan.loop.seed, "evaluate")
        with torch.no_grad():
            found[name] = learner.evaluate(to_device(batch, device, plan.loop.channels_last) for batch in batches)
    return _table(found, plan, data, sum(len(batch.keys) for batch in batches))


def _refuse_counts(plan: Plan, part: Part) -> None:
    """UserError where figures hang on what was counted beside the model in training: that is not released."""
    beside = {name: value for name, value in part.state().items() if value is not part.model}
    for name, value in beside.items():
        if isinstance(value, nn.Module) and not any(True for _ in value.parameters()):
            card = places.model(plan.method, plan.name) / "card.md"
            raise UserError(f"{plan.title}: figures hang on its {name}, which is not released; see {card}")


def _rest(part: Part) -> None:
    for value in part.state().values():
        if isinstance(value, nn.Module):
            value.eval()


def _table(found: dict[str, dict[str, float]], plan: Plan, data: Dataset, images: int) -> pd.DataFrame:
    names = list(dict.fromkeys([*found["trained"], *found["untrained"]]))
    columns = {"figure": names, **{way: [found[way].get(name) for name in names] for way in ("trained", "untrained")}}
    sha256 = read_config(places.model(plan.method, plan.name))["sha256"]
    about = {"dataset": data.name, "data": data.hash, "masks": plan.masks or "", "n": images, "weights": sha256}
    return pd.DataFrame(columns).assign(**about)
