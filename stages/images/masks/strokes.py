"""Brush strokes and boxes of free-form masks, drawn as 1 into a canvas of 0, which is then brought to an image's size.

A mask's random numbers are drawn together, and its strokes' moves are mirrored instead of its canvas: the polylines
themselves are then half of a mask's time.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.images.pixels import Bool, Uint8

SIDE = 256  # the canvas's own size: stroke widths are pixels of it and do not scale
REACH = math.hypot(SIDE, SIDE) / 8  # mean length of a stroke's segments
TURN = 2 * math.pi / 5  # mean angle; a stroke's angles lie within SWAY of it
SWAY = 2 * math.pi / 15
LONGEST = 17  # segments
EVEN = np.where(np.arange(LONGEST) % 2, 1.0, -1.0)  # even segments turn the other way


def brush(canvas_HW: Uint8, rng: np.random.Generator, count: int) -> None:
    """`count` zigzags of 4-17 segments, 12-47 pixels wide, with round caps, all mirrored together."""
    if not count:
        return
    mirror = rng.random(2).round() * 2 - 1
    draws = rng.random((count, 6 + LONGEST))
    steps = (_steps(draws[:, 4:], rng.standard_normal((count, LONGEST))) * mirror).tolist()
    for (width, number, x, y), moves in zip(draws[:, :4].tolist(), steps, strict=True):
        path = _walk(x * SIDE, y * SIDE, moves[: 4 + int(number * (LONGEST - 3))])
        thickness = int(12 + 36 * width) - 1  # OpenCV draws a line of thickness t about t + 1 pixels wide
        cv2.polylines(canvas_HW, [path], False, 1, thickness)


def _steps(uniform: NDArray[np.float64], normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """(count, LONGEST, 2): each segment's move right and down. A stroke has its own range of angles about TURN."""
    low, high, share = TURN - SWAY * uniform[:, :1], TURN + SWAY * uniform[:, 1:2], uniform[:, 2:]
    angles = (low + (high - low) * share) * EVEN
    lengths = np.minimum(np.maximum(REACH + REACH // 2 * normal, 0), 2 * REACH)
    steps = np.empty((*angles.shape, 2))
    np.multiply(np.cos(angles), lengths, out=steps[..., 0])
    np.multiply(np.sin(angles), lengths, out=steps[..., 1])
    return steps


def _walk(x: float, y: float, moves: list[list[float]]) -> NDArray[np.int32]:
    path = [x, y]
    for right, down in moves:  # each vertex is clipped before the next is set
        x += right
        y += down
        x = 0.0 if x < 0 else SIDE if x > SIDE else x
        y = 0.0 if y < 0 else SIDE if y > SIDE else y
        path += (x, y)
    return np.array(path).astype(np.int32).reshape(-1, 2)


def boxes(canvas_HW: Uint8, rng: np.random.Generator, count: int, limit: int) -> None:
    """`count` boxes with sides below `limit`, which may overhang the canvas by half."""
    for width, height, across, down in rng.random((count, 4)).tolist() if count else ():
        wide, high = int(width * limit), int(height * limit)
        x, y = _overhang(across, wide), _overhang(down, high)
        canvas_HW[max(y, 0) : max(y + high, 0), max(x, 0) : max(x + wide, 0)] = 1


def _overhang(share: float, length: int) -> int:
    half = length // 2
    return int(share * (SIDE - length + 2 * half)) - half


def resized(canvas_HW: Uint8, size: int) -> Bool:
    """A canvas of 0 and 1 at another size: hole where about half of a pixel's area or more is."""
    if size == canvas_HW.shape[0]:
        return canvas_HW.view(np.bool_)
    return cv2.resize(canvas_HW, (size, size), interpolation=cv2.INTER_AREA).view(np.bool_)
