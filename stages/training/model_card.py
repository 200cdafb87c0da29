"""card.md: what a released part is, in words; the same facts as config.json and metrics.json, for a reader."""

from collections.abc import Mapping, Sequence
from typing import Any


def render(config: Mapping[str, Any], metrics: Mapping[str, Any], facts: Mapping[str, str]) -> str:
    """The card as markdown. `facts` are further lines (hardware, commit, versions), in order."""
    data, masks, loop = config["dataset"], config["masks"], config["loop"]
    parents = ", ".join(f"{name} ({sha256[:12]})" for name, sha256 in config["parents"].items())
    splits = f"train split {data['train'][:12]}, val split {data['val'][:12]}"
    length = f"{loop['steps']:,} steps x {loop['batch']} images"
    rows = {
        "Data": f"{data['name']}, {splits}, {config['spec']['size']} px",
        "Masks": masks["name"] or "none: whole images",
        "Parents": parents or "none",
        "Training": f"{length}, {metrics['seconds']:.0f} s in all, seed {loop['seed']}",
        "Parameters": f"{metrics['parameters']:,}",
        "Averaged weights": f"decay {loop['ema']}" if loop["ema"] else "no: the last step's",
        "Losses read": ", ".join(config["loss_networks"]) or "no pretrained network",
        "Left out": ", ".join(config["left_out"]) or "nothing",
        "Skipped steps": f"{metrics['skipped_steps']} (a gradient was not finite)",
        **facts,
    }
    lines = [f"- {name}: {value}" for name, value in rows.items()]
    return "\n".join([f"# {config['method']}/{config['part']}", "", *lines, "", *_table(metrics), ""])


def _table(metrics: Mapping[str, Any]) -> Sequence[str]:
    head = ["| val | untrained | final | lowest | highest |", "|---|---|---|---|---|"]
    ways = [metrics[way] for way in ("untrained", "final", "lowest", "highest")]
    names = metrics["final"]
    return [*head, *("| " + " | ".join([name, *(_number(way.get(name)) for way in ways)]) + " |" for name in names)]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
