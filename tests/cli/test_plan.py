"""`plurifill plan`: what it says is the power of the paired test on scores that lie there; the user's mistakes."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stages.cli import plan
from stages.contract import UserError
from stages.evaluation.power import clusters_for
from stages.evaluation.statistics import interval
from stages.project import tables
from stages.project.files import write_json

CARD = "toy/test:555555 centre:aaaaaa n60 k1 all composited 64px #12345678"


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    """Two variants of one method that differ by 0.5 dB an image, two images a photograph, and a third further off."""
    rng, rows = np.random.default_rng(0), []
    hard_I = rng.normal(0, 8, 60)
    for entry, std in (("a", 0.0), ("b", 0.5), ("c", 2.0)):
        off_P = std * rng.normal(size=30)
        rows += [(entry, f"i{i}", f"s{i // 2}", -1, "psnr", hard_I[i] + off_P[i // 2]) for i in range(60)]
    long = pd.DataFrame(rows, columns=["method", "image", "source", "k", "metric", "value"])
    long = long.assign(protocol="box", card=CARD)
    tables.write(long, tmp_path / "one")
    write_json(tmp_path / "one.cards.json", {"cards": {"a": {}}})  # as an older version wrote it
    return tmp_path


def test_the_median_and_the_hardest_pair_tell_how_many_photographs(
    scores: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan.main("box", 0.1, given=scores)
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "psnr" in line)
    long = tables.read(scores / "one").set_index("image")
    values = {entry: own["value"] for entry, own in long.groupby("method")}
    needed = []
    for a, b in (("a", "b"), ("a", "c"), ("b", "c")):
        told = interval(values[a] - values[b], [f"s{i // 2}" for i in range(60)])
        needed.append(clusters_for(0.1, told.error * 30**0.5))
    _, pairs, photographs, each, _, median, hardest, *_ = line.split()
    assert (pairs, photographs, each) == ("3", "30", "2.00")
    assert (median, hardest) == tuple(f"{count:,.0f}" for count in sorted(needed)[1:])


def test_a_difference_that_is_as_large_as_what_is_seen_here_needs_the_photographs_that_are_here(
    scores: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan.main("box", 0.1, given=scores)
    seen = re.findall(r"psnr +3 +30 +2\.00 +(\S+)", capsys.readouterr().out)
    plan.main("box", 1.01 * float(seen[0]), given=scores)
    (needed,) = re.findall(r"psnr +3 +30 +2\.00 +\S+ +(\d+)", capsys.readouterr().out)
    assert int(needed) in (29, 30)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"protocol": "bow"}, "--protocol bow: .* has no scores under it; did you mean box"),
        ({"difference": 0.0}, "--difference 0: a difference is above 0"),
        ({"metric": ["psrn"]}, "--metric psrn: .* did you mean psnr"),
        ({"given": Path("nowhere")}, "nowhere has no scores under it; run plurifill benchmark METHOD"),
    ],
)
def test_a_mistake_is_one_line(scores: Path, options: dict[str, object], line: str) -> None:
    given = {"protocol": "box", "difference": 0.1, "given": scores, **options}
    with pytest.raises(UserError, match=line) as told:
        plan.main(**given)  # type: ignore[arg-type]
    assert "\n" not in str(told.value)


def test_one_entry_alone_has_no_difference(scores: Path) -> None:
    long = tables.read(scores / "one")
    tables.write(long[long["method"] == "a"], scores / "one")
    with pytest.raises(UserError, match="one entry alone is scored under box"):
        plan.main("box", 0.1, given=scores)
    tables.write(long.assign(value=0.0), scores / "one")
    with pytest.raises(UserError, match="no two entries under box differ"):
        plan.main("box", 0.1, given=scores)
