"""What the best of k samples of an image scores, for k = 1 ... K; the best is the one of highest PSNR, as PIC has it.

Of K samples in order of PSNR (rank 0 is the best), the best of k drawn without replacement has rank r with probability
C(K - 1 - r, k - 1) / C(K, k): the mean over all subsets of size k is exact. It goes from selection `all` at k = 1 to
`best_of_k` at k = K.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from math import comb

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.evaluation.scores import WHOLE_IMAGE
from stages.evaluation.statistics import interval


def chances(samples: int) -> NDArray[np.float64]:
    """(K, K): row k - 1 holds, by rank, the probability of being the best of k."""
    ks, ranks = range(1, samples + 1), range(samples)
    return np.array([[comb(samples - 1 - rank, k - 1) / comb(samples, k) for rank in ranks] for k in ks])


def curves(long: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """One method's long table under one protocol -> a row a metric and k: estimate, low, high, std, n, clusters.

    Metrics that are no value a sample have no curve; without PSNR, or with one sample an image, there is none at all.
    """
    rows = long[long["k"] != WHOLE_IMAGE]
    psnr_NK = _grid(rows, "psnr")
    if psnr_NK.empty or psnr_NK.shape[1] < 2:
        return pd.DataFrame()
    order_NK = np.argsort(-psnr_NK.to_numpy(), axis=1, kind="stable")
    sources = rows.drop_duplicates("image").set_index("image")["source"].loc[psnr_NK.index].tolist()
    told = []
    for metric in (name for name in metrics if name in set(rows["metric"])):
        values_NK = _grid(rows, metric).loc[psnr_NK.index].to_numpy()
        best_NK = np.take_along_axis(values_NK, order_NK, axis=1) @ chances(values_NK.shape[1]).T
        told += [
            {"metric": metric, "k": k, **asdict(interval(best_N, sources))} for k, best_N in enumerate(best_NK.T, 1)
        ]
    return pd.DataFrame(told)


def _grid(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Values of a metric by image (rows) and sample (columns); empty without any."""
    own = rows[rows["metric"] == metric]
    return own.pivot_table(index="image", columns="k", values="value", dropna=False) if len(own) else pd.DataFrame()
