"""What a metric is called on the page, what it means, and where its column stands."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """A metric for people: column heading, unit, one line of meaning, and the group of columns it stands in."""

    label: str
    unit: str
    meaning: str
    group: str


GROUPS = ("fidelity", "perception", "diversity", "known region", "other")

# by the metric's first word(s); what follows is the feature network or the window
WORDS = {
    "psnr": Word("PSNR", "dB", "peak signal-to-noise ratio against the original", "fidelity"),
    "ssim": Word("SSIM", "", "structural similarity to the original", "fidelity"),
    "l1": Word("L1", "%", "mean absolute difference over the picture, in percent of 255", "fidelity"),
    "l1_hole": Word("L1 hole", "%", "mean absolute difference inside the hole, in percent of 255", "fidelity"),
    "l1_band": Word("L1 band", "%", "mean absolute difference along the hole's border, in percent of 255", "fidelity"),
    "lpips": Word("LPIPS", "", "learned perceptual distance to the original", "perception"),
    "fd": Word("FD", "", "Frechet distance between the features of completions and of originals", "perception"),
    "fid": Word("FID", "", "Frechet distance of Inception features", "perception"),
    "kid": Word("KID", "", "kernel distance of Inception features", "perception"),
    "kd": Word("KD", "", "kernel distance between the features of completions and of originals", "perception"),
    "prdc_alexnet_precision": Word("Precision alex", "", "share of completions that lie among originals", "perception"),
    "prdc_alexnet_recall": Word("Recall alex", "", "share of originals that lie among completions", "perception"),
    "prdc_alexnet_density": Word("Density alex", "", "how densely originals lie about a completion", "perception"),
    "prdc_alexnet_coverage": Word("Coverage alex", "", "share of originals with a completion nearby", "perception"),
    "seam": Word("Seam", "%", "jump across the hole's border beyond the original's, in percent of 255", "fidelity"),
    "memorisation": Word(
        "Memorisation", "", "distance to the nearest training image, in units of the original's own", "other"
    ),
    "diversity_all": Word("Diversity", "", "mean perceptual distance of all pairs of an image's samples", "diversity"),
    "diversity_pixel": Word(
        "Pixel diversity", "%", "mean absolute difference of pairs of samples inside the hole", "diversity"
    ),
    "diversity_consecutive": Word(
        "Diversity, consecutive", "", "mean perceptual distance of neighbouring samples of an image", "diversity"
    ),
    "diversity_five": Word(
        "Diversity, five pairs", "", "mean perceptual distance of five random pairs of samples", "diversity"
    ),
    "inception_score": Word("IS", "", "inception score, over splits of the images", "perception"),
    "identity_discrimination_paired": Word(
        "P-IDS", "", "share of completions that a linear machine finds more real than their original", "perception"
    ),
    "identity_discrimination_unpaired": Word(
        "U-IDS", "", "error of a linear machine that tells completions from originals", "perception"
    ),
    "segmentation": Word("mIoU", "", "overlap of what a segmentation network sees", "fidelity"),
    "known_error": Word(
        "Known error", "%", "change of known pixels in the raw output, before compositing", "known region"
    ),
}
HIDDEN = ("hole_ratio", "collapsed")  # told in words beside the table, not as columns
NETS = {"alex": "alex", "alexnet": "alex", "squeeze": "squeeze", "vgg": "vgg", "uniform7": "7×7", "gaussian11": "11×11"}


def word(metric: str) -> Word:
    """The metric's word; one that is not listed keeps its own name."""
    for start in sorted(WORDS, key=len, reverse=True):
        if metric == start or metric.startswith(f"{start}_"):
            known, rest = WORDS[start], metric[len(start) + 1 :]
            label = f"{known.label} {NETS.get(rest, rest.replace('_', ' '))}".strip()
            return Word(label, known.unit, known.meaning, known.group)
    return Word(metric, "", metric, "other")


def order(metric: str) -> tuple[int, int, str]:
    """Sorts columns: by group, then as WORDS lists them, then by name."""
    starts = [s for s in WORDS if metric == s or metric.startswith(f"{s}_")]
    place = list(WORDS).index(max(starts, key=len)) if starts else len(WORDS)
    return GROUPS.index(word(metric).group), place, metric


def number(value: float, digits: int = 3) -> str:
    """A figure with so many significant digits, without an exponent where it can be read without."""
    if not math.isfinite(value):
        return "–"
    if value and abs(value) < 10**-digits:
        return f"{value:.1e}"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value)))) if value else digits - 1
    return f"{value:,.{min(places, digits)}f}"
