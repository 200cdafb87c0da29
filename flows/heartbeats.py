"""Signs of life: for every flow run of ours, on whatever machine, Prefect's engine sends heartbeats for as long as its
process lives. The server keeps them as events.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient

EVERY_S = 30  # the least that Prefect takes
EVENT = "prefect.flow-run.heartbeat"
RESOURCE = "prefect.flow-run."  # and the run's id: what events call a run
SKEW = timedelta(days=1)  # events are dated by the machine that sends them: its clock may be ahead


def latest(client: SyncPrefectClient, runs: Sequence[UUID]) -> dict[UUID, str]:
    """Run -> when its last heartbeat was, by the clock of its machine; runs that have sent none are left out."""
    if not runs:
        return {}
    wanted = {
        "event": {"name": [EVENT]},
        "resource": {"id": [f"{RESOURCE}{run}" for run in runs]},
        "occurred": {"until": (datetime.now(UTC) + SKEW).isoformat()},
    }
    place = {"countable": "resource"}
    counts = client.request("POST", "/events/count-by/{countable}", path_params=place, json={"filter": wanted}).json()
    return {UUID(one["value"].removeprefix(RESOURCE)): one["end_time"] for one in counts}


@dataclass
class Silence:
    """For how long each run gives no new sign, by this machine's clock alone, from when it first looked."""

    heard: dict[UUID, tuple[Hashable, float]] = field(default_factory=dict)

    def lasts(self, signs: Mapping[UUID, Hashable], now: float) -> dict[UUID, float]:
        """Run -> seconds up to `now`, on a clock that no one sets; runs that are not among `signs` are forgotten."""
        new = {run: (sign, now) for run, sign in signs.items()}
        same = {run: one for run, one in self.heard.items() if run in signs and one[0] == signs[run]}
        self.heard = new | same
        return {run: now - since for run, (_, since) in self.heard.items()}
