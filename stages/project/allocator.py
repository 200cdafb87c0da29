"""What the C library does with memory that is given back to it."""

from __future__ import annotations

import ctypes

TRIM_THRESHOLD, MMAP_MAX = -1, -4  # mallopt's, of glibc's malloc.h
NEVER = 2**31 - 1  # bytes: the most that it takes


def keep_freed() -> bool:
    """Keep freed memory for what comes next; False where this is not glibc, and all stays as it is.

    By default a block of some MB is mapped for every tensor and unmapped after it, and the system fills each page with
    zeros anew: a quarter of the time of scoring by VGG. Training and sampling gain nothing: their tensors are smaller.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return all([mallopt(MMAP_MAX, 0), mallopt(TRIM_THRESHOLD, NEVER)])
