"""The papers' plates by name, from side pictures or from rows that differ in the plate's parameters alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

from stages.images import pixels
from stages.pages import turned
from stages.pages.draws import Drawn
from stages.pages.embed import Picture, masked, picture
from stages.pages.grids import shown
from stages.pages.plate import Missing, Plate, first
from stages.samples.store import Samples

IMAGES = 4  # a plate that shows several images
EACH = 3  # plates of one name at most: a project has many draws
LARGE = 0.6  # the mean hole's share of the picture from which a draw's holes are large: the 80 % box has .64
TRANSFER = {"transfer", "transfer_target"}  # side pictures of a method that can carry content over
ALPHA = "alpha-"  # how the side pictures of token masks by alpha begin; then alpha in hundredths


def find(draws: Sequence[Drawn]) -> tuple[list[Plate], list[Missing]]:
    """Every plate for which a draw has what it takes, large holes first, and those that none has."""
    plates, missing = list[Plate](), list[Missing]()
    ordered = sorted(draws, key=lambda drawn: -drawn.hole_ratio)  # there methods differ most
    for name, shows, needs, make in NAMED:
        made = [plate for drawn in ordered for plate in make(drawn, name)] if make else []
        plates += made[:EACH]
        missing += [] if made else [Missing(name, shows, needs)]
    return [*plates, *turned.sweeps(ordered)], missing


def groups(rows: Sequence[Samples], varied: Sequence[str]) -> list[list[Samples]]:
    """Rows of one method, two or more, whose parameters are equal but for `varied`."""
    found: dict[str, list[Samples]] = {}
    for row in rows:
        params = row.draw["params"]
        if set(varied) <= set(params):
            kept = {key: value for key, value in params.items() if key not in varied}
            found.setdefault(json.dumps([row.draw["method"], kept], sort_keys=True), []).append(row)
    return [alike for alike in found.values() if len(alike) > 1]


def _token_masks(drawn: Drawn, name: str) -> Iterator[Plate]:
    """Paper 000, Fig. 3: which tokens are read off, by the share alpha of a window that must be seen."""
    for row in drawn.rows:
        keys = [key for key in shown(row, drawn.keys) if any(side.startswith(ALPHA) for side in row.side(key))]
        if keys:
            yield _by_alpha(drawn, row, keys[:IMAGES], name)
            return  # the mask of tokens is the same in all rows


def _by_alpha(drawn: Drawn, row: Samples, keys: Sequence[str], name: str) -> Plate:
    alphas = [side for side in row.side(keys[0]) if side.startswith(ALPHA)]
    labels = [f"alpha = {int(side.removeprefix(ALPHA)) / 100:g}" for side in alphas]

    def line(key: str) -> tuple[Picture | None, ...]:
        sides = row.side(key)
        masks = [
            picture(pixels.read_rgb(sides[side]), f"{key}: {label}") for side, label in zip(alphas, labels, strict=True)
        ]
        return (masked(drawn.image(key), drawn.hole(key), f"{key}: given"), *masks)

    return Plate(
        f"{name}: which tokens are read off: {row.draw['method']} on {drawn.name}",
        "White: enough of the token's window is seen at every convolution; black: left to be drawn.",
        ("given", *labels),
        tuple((key, line(key)) for key in keys),
    )


def _decoding(drawn: Drawn, name: str) -> Iterator[Plate]:
    """Paper 000, Fig. 4: codes decoded alone, the same with known pixels put back, and the coupled decoder."""
    for rows in groups(drawn.rows, ("decoding",)):
        yield from _decoded(drawn, rows, name)


def _decoded(drawn: Drawn, rows: Sequence[Samples], name: str) -> Iterator[Plate]:
    by = {row.draw["params"]["decoding"]: row for row in rows}
    if not {"vanilla", "composed"} <= set(by):
        return
    asked = [("direct", "vanilla", False), ("composited", "vanilla", True), ("coupled", "composed", False)]

    def line(key: str) -> tuple[Picture | None, ...]:
        image_HWC, hole_HW = drawn.image(key), drawn.hole(key)
        pictures = [
            picture(first(by[decoding], key, image_HWC, hole_HW, whole), f"{key}: {way}")
            for way, decoding, whole in asked
        ]
        return (masked(image_HWC, hole_HW, f"{key}: given"), *pictures, picture(image_HWC, f"{key}: original"))

    yield Plate(
        f"{name}: how codes are decoded: {rows[0].draw['method']} on {drawn.name}",
        "Direct: the codes alone, raw. Composited: the same with the known pixels put back, seams included. "
        "Coupled: codes and known pixels decoded together, raw.",
        ("given", *(way for way, _, _ in asked), "original"),
        tuple((key, line(key)) for key in shown(rows[0], drawn.keys)[:IMAGES]),
    )


def _sampling(drawn: Drawn, name: str) -> Iterator[Plate]:
    """Paper 000, Figs. 6 and 13: one image's first sample by temperature and annealing."""
    for rows in groups(drawn.rows, ("temperature", "annealing")):
        yield _grid(drawn, rows, name)


def _grid(drawn: Drawn, rows: Sequence[Samples], name: str) -> Plate:
    key = shown(rows[0], drawn.keys)[0]
    image_HWC, hole_HW = drawn.image(key), drawn.hole(key)
    by = {(row.draw["params"]["temperature"], row.draw["params"]["annealing"]): row for row in rows}
    across, down = (sorted({pair[i] for pair in by}) for i in (1, 0))

    def cell(t: float, s: float) -> Picture | None:
        caption = f"{key}: temperature {t:g}, annealing {s:g}"
        return picture(first(by[t, s], key, image_HWC, hole_HW, True), caption) if (t, s) in by else None

    return Plate(
        f"{name}: temperature and annealing: {rows[0].draw['method']} on {drawn.name}",
        f"The first sample of {key}: rows by temperature t, columns by annealing s.",
        tuple(f"s = {s:g}" for s in across),
        tuple((f"t = {t:g}", tuple(cell(t, s) for s in across)) for t in down),
    )


def _transfer(drawn: Drawn, name: str) -> Iterator[Plate]:
    """Paper 003, Fig. 6: the hole filled after another image."""
    for row in drawn.rows:
        keys = [key for key in shown(row, drawn.keys) if set(row.side(key)) >= TRANSFER]
        if keys:
            yield _carried(drawn, row, keys[:IMAGES], name)


def _carried(drawn: Drawn, row: Samples, keys: Sequence[str], name: str) -> Plate:
    def line(key: str) -> tuple[Picture | None, ...]:
        sides = {side: pixels.read_rgb(path) for side, path in row.side(key).items() if side in TRANSFER}
        given = masked(drawn.image(key), drawn.hole(key), f"{key}: given")
        target, filled = (picture(sides[side], f"{key}: {side}") for side in ("transfer_target", "transfer"))
        return (given, target, filled, picture(drawn.image(key), f"{key}: original"))

    return Plate(
        f"{name}: one image's content in another's hole: {row.draw['row']} on {drawn.name}",
        "The hole is filled after the target, another test image; known pixels are the source's.",
        ("given", "target", "filled after it", "original"),
        tuple((key, line(key)) for key in keys),
    )


def _large(drawn: Drawn, name: str) -> Iterator[Plate]:
    """Paper 003, Fig. 7: holes that leave little of the picture, filled by every trained method."""
    rows = list({row.draw["method"]: row for row in reversed(drawn.rows) if row.draw["trained_on"]}.values())[::-1]
    if not rows or drawn.hole_ratio < LARGE:
        return

    def line(key: str) -> tuple[Picture | None, ...]:
        image_HWC, hole_HW = drawn.image(key), drawn.hole(key)
        made = [picture(first(row, key, image_HWC, hole_HW, True), f"{key}: {row.draw['row']}") for row in rows]
        return (masked(image_HWC, hole_HW, f"{key}: given"), *made, picture(image_HWC, f"{key}: original"))

    yield Plate(
        f"{name}: large holes: {drawn.name}",
        "The first sample of every trained method, composited; holes that leave little of the picture.",
        ("given", *(row.draw["row"] for row in rows), "original"),
        tuple((key, line(key)) for key in shown(rows[0], drawn.keys)[:IMAGES]),
    )


DSI, FILL = ("a finished run of the method of paper " + paper for paper in ("001", "002"))
# name in its paper, what it shows, what it takes, and how it is made; None where no method brings its pictures yet
NAMED: tuple[tuple[str, str, str, Callable[[Drawn, str], Iterator[Plate]] | None], ...] = (
    ("000 F3", "token masks by alpha", "samples with the side pictures alpha-*", _token_masks),
    ("000 F4", "codes decoded alone, composited, coupled", "variants that differ in decoding alone", _decoding),
    ("000 F6, F13", "temperature by annealing", "variants that differ in these two alone", _sampling),
    ("000 F14", "restrictive against miracle encoder", "a sweep over encoder.kind with both", turned.encoders),
    ("001 F1", "structures over their completions", DSI, None),
    ("001 F5, F6", "without attention, without each loss", DSI, None),
    ("002 F8", "the gap between image and latent", FILL, None),
    ("002 F10", "guided by edges and by labels", FILL, None),
    ("002 F11, F12", "the soft mean latent", FILL, None),
    ("003 F6", "one image's content in another's hole", "samples of a method that can transfer", _transfer),
    ("003 F7", "large holes", "samples of a trained method in holes of six tenths and more", _large),
)
