"""Paper 002: the gap of inversion and its comparators, unseen domains, the mean latent, and what guides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stages.evaluation.protocols import signed
from stages.evaluation.sweeps.points import Sweep
from stages.pages import labels, pictures
from stages.pages.drawings.charts import Chart
from stages.pages.embed import Picture
from stages.pages.figures import hole_ratios
from stages.pages.figures.figure import IMAGES, Figure, PaperFigure
from stages.pages.figures.named_points import NamedPoint, PointsFigure
from stages.pages.figures.swept import PointColumn
from stages.pages.testsets import SampledTestSet
from stages.sampling.store import Samples

PAPER = "002"
PSP = {  # an encoder of W+ with a head a layer, and nothing of paper 002
    ".encoder.space": "w_plus",
    ".encoder.style_heads": "layers",
    ".encoder.premodulation": "False",
    ".encoder.mean.kind": "static",
    ".encoder.edges": "False",
    ".encoder.labels": "False",
    ".encoder.attention": "none",
    ".encoder.fusion": "none",
}
OURS, INVERTFILL = {".encoder.space": "f_w_plus"}, {".encoder.edges": "False", ".encoder.labels": "False"}
MMT = {".encoder.space": "none", ".encoder.attention": "plain"}
COMPARED = (
    NamedPoint("pSp, raw", PSP, composite=False),
    NamedPoint("pSp", PSP),
    NamedPoint("pSp, blended", {**PSP, ".inpaint.blend": "True"}),
    NamedPoint("InvertFill", INVERTFILL),
    NamedPoint("MMT", MMT),
    NamedPoint("MMInvertFill, raw", OURS, composite=False),
    NamedPoint("MMInvertFill", OURS),
)
SEAM = "seam"  # the metric
BINS = ("p002-bin10-30", "p002-bin40-60", "p002-bin70-90")  # the paper's three ranges of hole ratios


def seams(testset: SampledTestSet, columns: Sequence[PointColumn]) -> str:
    """What the seam error of every composited column is, under the first protocol of the test set that measures it."""
    found = {column.heading: _seam(testset, column) for column in columns if column.composite}
    told = "; ".join(f"{heading} {labels.number(value)}" for heading, value in found.items() if value is not None)
    label = labels.label(SEAM)
    return (
        f"{label.text} ({label.meaning}): {told}."
        if told
        else "No protocol of these composited holes has the metric seam."
    )


def _seam(testset: SampledTestSet, column: PointColumn) -> float | None:
    summary, told = column.kept.point.summary, column.kept.pictures.description
    for row in summary[(summary["metric"] == SEAM) & (summary["method"] == column.kept.entry)].to_dict("records"):
        card = signed(str(row["card"]))
        if card["composite"] == "composited" and card["masks"] == f"{told['masks']}:{told['mask_hash'][:6]}":
            return float(row["estimate"])
    return None


def over_ratios(sweep: Sweep) -> Iterator[Chart]:
    """Fig. 9: every metric of the paper's protocols over their holes' mean ratio, a line a method."""
    names = [one.name for one in COMPARED if one.composite]
    points = {one.name: point for one in COMPARED for point in sweep.points if one.matches(point)}
    if set(names) <= set(points):
        yield from hole_ratios.draw({name: points[name] for name in names}, BINS, "p002, composited")


def out_of_domain(testset: SampledTestSet, name: str) -> Iterator[Figure]:
    """Fig. 10: pictures of a dataset on which a method, or its generator, was not trained."""
    own = testset.entries[0].description["dataset"]
    entries = {one.description["entry"]: one for one in testset.entries if set(one.description["trained_on"]) - {own}}
    if entries:
        keys = testset.shown(next(iter(entries.values())))[:IMAGES]
        learnt = (f"{entry} of {' and '.join(one.description['trained_on'])}" for entry, one in entries.items())
        yield Figure(
            f"{name}: out of domain: {own} on {testset.name}",
            f"First samples, composited, of what was trained on other pictures too: {'; '.join(learnt)}.",
            ("given", *entries, "original"),
            tuple((key, _completed(testset, entries, key)) for key in keys),
        )


def _completed(testset: SampledTestSet, entries: Mapping[str, Samples], key: str) -> tuple[Picture, ...]:
    made = [pictures.first(testset, samples, key, entry) for entry, samples in entries.items()]
    return (pictures.given(testset, key), *made, pictures.original(testset, key))


def without_maps(testset: SampledTestSet, columns: Sequence[PointColumn]) -> str:
    """That columns which differ in segmentation alone are one network, where that is so."""
    return "" if testset.dataset.spec.classes else "The dataset has no label maps: segmentation changes nothing here."


GAPPING = PointsFigure("raw, composited and blended", COMPARED, seams)
MEAN_LATENT = PointsFigure(
    "without and with the soft-update mean latent",
    (NamedPoint("without SML", {".mean.kind": "static"}), NamedPoint("with SML", {".mean.kind": "soft"})),
)
EDGES, LABELS = ".encoder.edges", ".encoder.labels"
BOTH = {EDGES: "True", LABELS: "True"}
TRUTH = dict.fromkeys((".edges_given", ".labels_given", ".inpaint.edges", ".inpaint.labels"), "gt")
MODALITIES = PointsFigure(
    "edges and segmentation",
    (
        NamedPoint("neither", {EDGES: "False", LABELS: "False"}),
        NamedPoint("without segmentation", {EDGES: "True", LABELS: "False"}),
        NamedPoint("without edges", {EDGES: "False", LABELS: "True"}),
        NamedPoint("both", BOTH),
        NamedPoint("both, biased", {**BOTH, ".encoder.prior": "biased"}),
        NamedPoint("both, of the truth", {**BOTH, **TRUTH}),
    ),
    without_maps,
)
FIGURES = (
    PaperFigure("002 F8", "the gap of inversion: raw, composited, blended", "the sweep mm_comparators", GAPPING),
    PaperFigure(
        "002 F9",
        "inversion over three hole ratios",
        f"the sweep mm_comparators with the protocols {', '.join(BINS)}",
        draw=over_ratios,
    ),
    PaperFigure(
        "002 F10",
        "pictures of another domain",
        "samples of a method whose generator learnt from another dataset (methods.mm_invertfill.prior.dataset)",
        out_of_domain,
    ),
    PaperFigure("002 F11", "without and with the soft-update mean latent", "the sweep mm_modules", MEAN_LATENT),
    PaperFigure(
        "002 F12",
        "without segmentation, without edges, with both",
        "the sweep mm_modalities, on a dataset with label maps",
        MODALITIES,
    ),
)
