"""`plurifill preset NAME`: params.yaml from presets/photographs.yaml, the base, and an overlay of what differs.

Overlays are always laid on the base and never on the params.yaml of the day, so a preset gives the same file
whatever was there before. The base's comments and layout are kept. An overlay that `extends` another is laid on that.
"""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from ruamel.yaml import YAML

from stages.contract import UserError
from stages.project.files import write_text
from stages.project.params import check, load, nearest

PRESETS = Path("presets")
BASE = "photographs"
EXTENDS = "extends"
# mappings whose keys are names that the user gives: an overlay may add one, and take one out by null
NAMED = ("datasets", "masks", "testsets", "protocols", "variants")


def main(
    name: Annotated[str, typer.Argument(help="a file of presets/ without its ending; none: list them")] = "",
    show: Annotated[bool, typer.Option("--show", help="print what would change, write nothing")] = False,
    output: Annotated[Path, typer.Option(help="the params file to write")] = Path("params.yaml"),
) -> None:
    """Write params.yaml from a preset, show what it would change, or list the presets."""
    if not name:
        print("\n".join(f"{preset:<12} {headline(preset)}" for preset in presets()))
        return
    text = render(name)
    changes = differences(load(output) if output.is_file() else {}, YAML(typ="safe").load(text))
    if show:
        print("\n".join(changes) or f"{output} is {name} already")
        return
    write_text(output, text)
    print(f"{output}: preset {name}, {len(changes)} values changed")


def presets() -> list[str]:
    """The presets by name, the base first."""
    names = sorted((path.stem for path in PRESETS.glob("*.yaml")), key=lambda name: (name != BASE, name))
    if BASE not in names:
        raise UserError(f"{PRESETS / BASE}.yaml: no such file; run in the project's root")
    return names


def headline(name: str) -> str:
    """The preset's first comment line, which says what it is for."""
    lines = (PRESETS / f"{name}.yaml").read_text().splitlines()
    return next((line.lstrip("# ") for line in lines if line.startswith("#")), "")


def render(name: str) -> str:
    """The preset as the text of a params file."""
    if name not in presets():
        raise UserError(f"no preset {name}{nearest(name, presets())}")
    text = (PRESETS / f"{BASE}.yaml").read_text()
    if name == BASE:
        return text
    yaml = YAML()
    yaml.preserve_quotes, yaml.width = True, 4096  # lines are broken where the base breaks them
    values = yaml.load(text)
    for laid in reversed(_chain(name)):
        changes = {key: change for key, change in load(PRESETS / f"{laid}.yaml").items() if key != EXTENDS}
        overlay(values, changes, f"{PRESETS / laid}.yaml")
    check(values, PRESETS / f"{name}.yaml")
    out = io.StringIO()
    yaml.dump(values, out)
    return out.getvalue()


def _chain(name: str) -> list[str]:
    """The preset and those that it extends, in turn; UserError where one is not there, or extends itself."""
    chain = [name]
    while (other := load(PRESETS / f"{chain[-1]}.yaml").get(EXTENDS)) is not None:
        if other in chain or other not in presets()[1:]:
            raise UserError(f"{PRESETS / chain[-1]}.yaml: {EXTENDS}: {other!r} is no preset that it could extend")
        chain.append(other)
    return chain


def overlay(values: dict[str, Any], changes: Mapping[str, Any], where: str, at: tuple[str, ...] = ()) -> None:
    """Lay `changes` on `values` in place; a key that the base lacks is an error, unless it names a user's thing."""
    named = bool(at) and at[-1] in NAMED
    for key, change in changes.items():
        if key not in values and not named:
            raise UserError(f"{where}: unknown key {'.'.join((*at, str(key)))}{nearest(str(key), list(values))}")
        if named and change is None:
            values.pop(key, None)
        elif isinstance(change, Mapping) and isinstance(values.get(key), Mapping):
            overlay(values[key], change, where, (*at, key))
        else:
            values[key] = change


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """One line a value that differs: `key: old -> new`; `-` where there is none."""
    before, after = dict(_leaves(old)), dict(_leaves(new))
    keys = [*after, *(key for key in before if key not in after)]
    shown = ((key, before.get(key, "-"), after.get(key, "-")) for key in keys)
    return [f"{key}: {was} -> {now}" for key, was, now in shown if was != now]


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", _shown(value)


def _shown(value: Any) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
