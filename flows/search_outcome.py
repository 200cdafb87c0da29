"""What a search has found so far, in words."""

import math
from functools import partial

from flows.results import Results
from flows.search_spec import Search


def told(search: Search | None, results: Results) -> list[str]:
    """A line for the best of its finished points, and one for those that were given up; none where there is no such."""
    if search is None:
        return []
    goal, stop, given_up = search.goal, search.stop, results.stopped()
    scores = {point: results.score(point, goal) for point in results.finished()}
    scores = {point: score for point, score in scores.items() if math.isfinite(score)}
    if not scores:
        return []
    best = (min if goal.better == "lower" else max)(scores, key=partial(dict.__getitem__, scores))
    lines = [f"The best of {len(scores)} by {goal.metric} under {goal.protocol}: {best} ({scores[best]:.4g})."]
    if stop and given_up:
        lines.append(f"{len(given_up)} more were stopped early, by val {stop.curve} of {stop.part}.")
    return lines
