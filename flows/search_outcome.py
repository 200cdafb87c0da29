"""What a search has found so far, in words."""

import math
from functools import partial

from flows.results import Results
from flows.search_spec import Search


def told(search: Search | None, results: Results) -> list[str]:
    """A line for the best of its finished points; none where there is no such."""
    if search is None:
        return []
    goal = search.goal
    scores = {point: results.score(point, goal) for point in results.finished()}
    scores = {point: score for point, score in scores.items() if math.isfinite(score)}
    if not scores:
        return []
    best = (min if goal.better == "lower" else max)(scores, key=partial(dict.__getitem__, scores))
    return [f"The best of {len(scores)} by {goal.metric} under {goal.protocol}: {best} ({scores[best]:.4g})."]
