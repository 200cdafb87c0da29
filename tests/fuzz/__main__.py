"""`python -m tests.fuzz [DOOR ...]`: every door attacked; counts and faults, as a table into reports/faults.md.

`--share 0.1` takes a tenth of the inputs, `--seed` others. Exit code 1 where a fault was found. The page is touched by
`--write` alone.
"""

import argparse
import platform
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from stages.project.files import write_text
from tests.fuzz import door
from tests.fuzz.door import Tally

PAGE = Path(__file__).resolve().parents[2] / "reports/faults.md"
BEGIN, END = "<!-- hostile inputs: begin -->", "<!-- hostile inputs: end -->"


@dataclass(frozen=True)
class Attack:
    """What became of one door."""

    name: str
    tally: Tally
    seconds: float
    fault: str = ""

    @property
    def row(self) -> str:
        inputs = self.tally.accepted + self.tally.refused
        counts = f"{inputs:,} | {self.tally.accepted:,} | {self.tally.refused:,} | {len(self.tally.lines):,}"
        return f"| `{self.name}` | {counts} | {'1' if self.fault else '0'} | {door.find(self.name).WRONG} |"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Hostile inputs at every door.")
    parser.add_argument("doors", nargs="*", default=door.names(), help=f"of {' '.join(door.names())}; default: all")
    parser.add_argument("--share", type=float, default=1.0, help="of every door's inputs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="put the table into reports/faults.md")
    given = parser.parse_args()
    attacks: list[Attack] = []
    for name in given.doors:
        attacks.append(_attacked(name, given.share, given.seed))
        print(attacks[-1].row, flush=True)
        if given.write:
            write_text(PAGE, with_table(PAGE.read_text(), table(attacks, given.seed)))
    return int(any(attack.fault for attack in attacks))


def _attacked(name: str, share: float, seed: int) -> Attack:
    one, begin, tally = door.find(name), time.monotonic(), Tally()
    try:
        door.attack(one, max(1, round(one.INPUTS * share)), seed, tally)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        traceback.print_exc()
        return Attack(name, tally, time.monotonic() - begin, str(error) or type(error).__name__)
    finally:
        print(f"{name}: {tally.accepted + tally.refused} inputs, {time.monotonic() - begin:.0f} s", file=sys.stderr)
    return Attack(name, tally, time.monotonic() - begin)


def table(attacks: list[Attack], seed: int) -> str:
    """Counts by door, in markdown."""
    inputs = sum(attack.tally.accepted + attack.tally.refused for attack in attacks)
    minutes = sum(attack.seconds for attack in attacks) / 60
    head = "| door | inputs | accepted, rightly | refused in one line | unlike lines | faults | a wrong acceptance is |"
    faults = sum(bool(attack.fault) for attack in attacks)
    told = f"{inputs:,} inputs, {faults} faults; seed {seed}, {minutes:.0f} minutes, Python {platform.python_version()}"
    rows = "\n".join(attack.row for attack in attacks)
    return f"{told}.\n\n{head}\n|---|---:|---:|---:|---:|---:|---|\n{rows}"


def with_table(page: str, text: str) -> str:
    """The page with another table in the place of its own."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    sys.exit(main())
