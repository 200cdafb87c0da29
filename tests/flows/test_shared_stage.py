"""Points that share an unmade stage: it is made once, and then they run side by side, two on one card."""

import pytest

from tests.flows import toy
from tests.flows.stack import Stack, until

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

OTHER = "methods.toy.other.steps"
LONG = [30_000, 30_001]  # steps: nothing that learns so ends while the test looks


@pytest.fixture
def card(tmp_path):
    """One card with two slots. The toy's parts leave it alone: it need not be there."""
    own = {"CUDA_VISIBLE_DEVICES": "0", "PLURIFILL_GPU_SLOTS": "2", "PLURIFILL_POOLS": "flows gpu"}
    with Stack.served(toy.make(tmp_path / "toy"), **own) as found:
        found.flows("workers", "start")
        found.flows("deploy")
        yield found


def test_points_run_side_by_side_as_soon_as_the_part_that_they_share_is_there(card):
    run = card.run("sweep/grid", name="two", grid={OTHER: LONG})
    begun = until(lambda: other if len(other := learning(card, "learn", "other/-")) == 2 else None, 600)
    assert {line[4] for line in begun} == {"gpu0", "gpu0.1"}
    [shared], [first] = learning(card, "learnt", "train/1"), learning(card, "learn", "train/1")
    assert float(first[5]) < float(shared[5]) < min(float(line[5]) for line in begun)
    assert not learning(card, "learnt", "other/-")
    for one in [*card.runs("run-point"), {"id": run}]:
        card.set_state(one["id"], "CANCELLING")


def learning(stack: Stack, verb: str, key: str) -> list[list[str]]:
    return [line for line in stack.log() if line[:2] == [verb, key]]
