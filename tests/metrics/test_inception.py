"""What is computed on Inception's features: torch-fidelity's numbers, and known answers.

Its published weights are not needed: the wiring is shown on random ones, the arithmetic on features.
"""

import hashlib
import math

import pytest
import torch
from torch import nn
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric

from stages.contract import UserError
from stages.images.pixels import to_float
from stages.metrics import fid, identity_discrimination, inception_score
from stages.metrics.core import backbones as networks
from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import AbsentError, MetricContext, SetMetric
from stages.metrics.core.frechet import fit, frechet
from stages.metrics.core.inception_features import InceptionFeatures
from stages.project import weights
from tests.metrics.rows import rows

CPU = torch.device("cpu")
FILE = "weights-inception-2015-12-05-6726825d.pth"
LAYERS = ["2048", "logits_unbiased", "logits"]


class Untrained(FeatureExtractorInceptionV3):
    """torch-fidelity's network with the weights that torch gives it."""

    def load_state_dict(self, state_dict, strict=True, assign=False):
        return None


@pytest.fixture(scope="module")
def untrained(tmp_path_factory):
    """The network, and the folder where its weights lie in the published file's name and format."""
    folder = tmp_path_factory.mktemp("weights")
    torch.save({}, folder / "empty.pth")
    torch.manual_seed(0)
    network = Untrained("untrained", LAYERS, feature_extractor_weights_path=str(folder / "empty.pth"))
    torch.save(network.state_dict(), folder / FILE)
    return network, folder


@pytest.fixture
def found(untrained, monkeypatch):
    """These weights, as if they were the published ones."""
    network, folder = untrained
    sha256 = hashlib.sha256((folder / FILE).read_bytes()).hexdigest()
    monkeypatch.setitem(weights.TABLE, "inception", weights.Weights(FILE, {FILE: sha256}))
    monkeypatch.setenv("PLURIFILL_WEIGHTS", str(folder))
    weights._search.cache_clear()
    yield network
    weights._search.cache_clear()


def test_features_are_torch_fidelitys_and_the_classifier_comes_apart(found):
    image_BHWC = torch.randint(0, 256, (2, 40, 48, 3), dtype=torch.uint8)
    pooled, logits, _ = found(image_BHWC.permute(0, 3, 1, 2))
    ours = InceptionFeatures()
    features_BD = ours(to_float(image_BHWC))
    assert torch.equal(features_BD, pooled)
    assert torch.allclose(features_BD @ ours.classes_MD.T, logits, atol=1e-5)


def test_without_weights_it_is_absent_with_the_reason(tmp_path, monkeypatch):
    gone = weights.Weights((tmp_path / FILE).as_uri(), {FILE: "6726825d"})
    monkeypatch.setitem(weights.TABLE, "inception", gone)
    for name in ("PLURIFILL_WEIGHTS", "TORCH_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    with pytest.raises(AbsentError, match=rf"{FILE} not in .*download failed"):
        InceptionFeatures()


def features(count, width, seed):
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


def test_the_frechet_distance_is_torch_fidelitys():
    x_ND, y_ND = features(200, 24, 0), 0.3 + 1.2 * features(200, 24, 1)
    theirs = fid_statistics_to_metric(*(fid_features_to_statistics(z_ND) for z_ND in (x_ND, y_ND)), verbose=False)
    assert frechet(fit(x_ND), fit(y_ND)) == pytest.approx(theirs["frechet_inception_distance"], rel=1e-6)


@pytest.mark.parametrize(("count", "splits"), [(100, 10), (103, 10), (40, 1)])
def test_the_inception_score_is_torch_fidelitys(count, splits):
    logits_NM = 3.0 * features(count, 12, 0)
    theirs = isc_features_to_metric(logits_NM, splits, shuffle=False)["inception_score_mean"]
    assert inception_score.scores(logits_NM, splits)[0] == pytest.approx(theirs, rel=1e-6)


def test_both_scores_on_hand_made_probabilities():
    even, sure, other = [0.5, 0.5], [1.0, 1e-30], [1e-30, 1.0]
    of = lambda rows, splits=1: inception_score.scores(torch.tensor(rows, dtype=torch.float64).log(), splits)  # noqa: E731
    assert of([even, even]) == pytest.approx((1.0, 0.5))  # unsure, and all alike
    assert of([sure, other]) == pytest.approx((2.0, 1.0))  # sure, and of both classes
    assert of([sure, sure]) == pytest.approx((1.0, 1.0))
    assert of([even, sure])[1] == pytest.approx(math.exp(-math.log(2) / 2))
    assert of([sure, other, even, even], splits=2) == pytest.approx((1.5, 0.75))


def test_machines_cannot_tell_equals_and_always_tell_strangers():
    same = identity_discrimination.discriminate(features(3000, 3, 0), features(3000, 3, 1))
    assert same == pytest.approx((0.5, 0.5), abs=0.03)
    assert identity_discrimination.discriminate(features(300, 3, 0), features(300, 3, 1) + 20) == (0.0, 0.0)


def test_with_no_more_images_than_features_even_equals_are_told_apart():
    paired, unpaired = identity_discrimination.discriminate(features(40, 128, 0), features(40, 128, 1))
    assert (paired, unpaired) == (0.0, 0.0)  # which is why it is refused there


class FewFeatures(nn.Module):
    """Stands where Inception stands: the arithmetic on a thousand images in a moment."""

    def __init__(self):
        super().__init__()
        self.register_buffer("classes_MD", features(5, 12, 9))

    def forward(self, image_BCHW):
        return image_BCHW.flatten(1)[:, :12]


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setitem(networks.NETWORKS, "inception", FewFeatures)
    networks.backbone.cache_clear()
    yield
    networks.backbone.cache_clear()


def shown(metric: SetMetric, images_NCHW, fakes_NKCHW, size) -> dict[str, float]:
    """The metric after a pass in batches of `size` images; the mean over all K sets."""
    known = torch.zeros(len(images_NCHW), 1, *images_NCHW.shape[-2:])
    batches = (
        EvalBatch(image, mask, fake, fake, 0, fake.shape[1])
        for image, fake, mask in zip(*(part.split(size) for part in (images_NCHW, fakes_NKCHW, known)), strict=True)
    )
    seen, total = rows(metric, batches), fakes_NKCHW.shape[1]
    return dict(metric.whole(seen, torch.arange(total)[:, None].expand(total, len(images_NCHW))))


@pytest.mark.parametrize("build", [fid.build, inception_score.build, identity_discrimination.build])
def test_a_pass_gives_the_mean_over_the_sets_whatever_the_batch(build, few):
    name = build.__module__.rpartition(".")[2].replace("inception_score", "inception_score_splits10")
    images, fakes = features(2050, 12, 0).view(-1, 3, 2, 2), features(4100, 12, 1).view(2050, 2, 3, 2, 2)
    whole = shown(build(MetricContext(CPU, 2050), name), images, fakes, 2050)
    assert whole == pytest.approx(shown(build(MetricContext(CPU, 2050), name), images, fakes, 300))
    alone = [shown(build(MetricContext(CPU, 2050), name), images, fakes[:, k : k + 1], 2050) for k in (0, 1)]
    for label, value in whole.items():
        assert value == pytest.approx((alone[0][label] + alone[1][label]) / 2)


@pytest.mark.parametrize(
    ("build", "name", "least"),
    [
        (fid.build, "fid", 1000),
        (inception_score.build, "inception_score_splits10", 1000),
        (identity_discrimination.build, "identity_discrimination", 2050),
    ],
)
def test_too_few_images_are_refused_with_the_number(build, name, least, few):
    assert build(MetricContext(CPU, least), name)
    with pytest.raises(AbsentError, match=f"at least {least} images.*here are {least - 1}"):
        build(MetricContext(CPU, least - 1), name)


@pytest.mark.parametrize("name", ["inception_score", "inception_score_splits0", "inception_score_splits10_modified"])
def test_splits_must_be_named(name):
    with pytest.raises(UserError, match="write inception_score_splits<S>"):
        inception_score.build(MetricContext(CPU, 5000), name)
