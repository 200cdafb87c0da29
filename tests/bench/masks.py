"""Free-form masks: ours against a loop over PIL, scalar draws and clips, as MAT's generators have it."""

import math
import time
from statistics import median

import numpy as np
from PIL import Image, ImageDraw

from stages.images.masks import generator_of

SIDE = 256


def peer(rng: np.random.RandomState, halves: int = 4, wholes: int = 2, strokes: int = 8) -> np.ndarray:
    """hole_HW by one call a vertex: a line and a disc each, scalar draws."""
    hole_HW = _brush(rng, strokes)
    for count, limit in ((halves, SIDE // 2), (wholes, SIDE)):
        for _ in range(rng.randint(count)):
            width, height = rng.randint(limit), rng.randint(limit)
            x = rng.randint(-(width // 2), SIDE - width + width // 2)
            y = rng.randint(-(height // 2), SIDE - height + height // 2)
            hole_HW[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)] = 1
    return hole_HW > 0


def _brush(rng: np.random.RandomState, strokes: int) -> np.ndarray:
    canvas = Image.new("L", (SIDE, SIDE), 0)
    draw = ImageDraw.Draw(canvas)
    for _ in range(rng.randint(strokes)):
        points, width = _points(rng), int(rng.uniform(12, 48))
        draw.line(points, fill=1, width=width)
        for x, y in points:
            draw.ellipse((x - width // 2, y - width // 2, x + width // 2, y + width // 2), fill=1)
        for way in (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM):
            if rng.random_sample() > 0.5:
                canvas.transpose(way)  # the generators make it, every other time, and do not keep it
    hole_HW = np.array(canvas)
    hole_HW = np.flip(hole_HW, 0) if rng.random_sample() > 0.5 else hole_HW
    return (np.flip(hole_HW, 1) if rng.random_sample() > 0.5 else hole_HW).copy()


def _points(rng: np.random.RandomState) -> list[tuple[int, int]]:
    reach = math.hypot(SIDE, SIDE) / 8
    low, high = (2 * math.pi / 5 + sign * rng.uniform(0, 2 * math.pi / 15) for sign in (-1, 1))
    points = [(rng.randint(0, SIDE), rng.randint(0, SIDE))]
    for vertex in range(rng.randint(4, 18)):
        angle = rng.uniform(low, high)
        angle = 2 * math.pi - angle if vertex % 2 == 0 else angle
        length = np.clip(rng.normal(reach, reach // 2), 0, 2 * reach)
        x = np.clip(points[-1][0] + length * math.cos(angle), 0, SIDE)
        y = np.clip(points[-1][1] + length * math.sin(angle), 0, SIDE)
        points.append((int(x), int(y)))
    return points


def rows(masks: int = 100, rounds: int = 5) -> list[tuple[str, float, float]]:
    """(name, peer's seconds, our seconds) for `masks` masks, in turn, the median of rounds."""
    chosen, peers, ours = generator_of({"generator": "free_form", "size": "large"}), [], []
    for turn in range(rounds):
        start = time.perf_counter()
        legacy = np.random.RandomState(turn)
        for _ in range(masks):
            peer(legacy)
        middle = time.perf_counter()
        rng = np.random.default_rng(turn)
        for _ in range(masks):
            chosen.draw(rng, SIDE)
        peers.append(middle - start)
        ours.append(time.perf_counter() - middle)
    return [(f"free-form masks, {SIDE} px, {masks}", median(peers), median(ours))]
