"""What looks wrong about a mask: nearly nothing missing, nearly all missing, or the inverse of what was declared."""

import numpy as np

from stages.images.pixels import Bool


def doubt(hole_HW: Bool, low: float = 0.0, high: float = 1.0) -> str | None:
    """A warning about a mask whose hole ratio is declared to lie in [low, high]; None where there is nothing to say."""
    ratio = float(np.count_nonzero(hole_HW)) / hole_HW.size
    if not low <= ratio <= high and low <= 1 - ratio <= high:
        return f"hole ratio {ratio:.3f} is outside {low}-{high}, but the inverse fits: is `hole` declared rightly?"
    if ratio < 0.01:
        return f"hole ratio {ratio:.3f}: almost nothing is missing"
    if ratio > 0.95:
        return f"hole ratio {ratio:.3f}: almost everything is missing"
    return None
