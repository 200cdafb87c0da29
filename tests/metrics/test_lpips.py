"""Our LPIPS is the lpips package's, in value and in gradient."""

import itertools
import json

import pytest
import torch

from stages.contract import UserError
from stages.images.files import read_rgb
from stages.images.pixels import to_float
from stages.metrics import lpips
from stages.metrics.core import lpips_network
from stages.metrics.core.contract import AbsentError, MetricContext
from stages.metrics.core.lpips_input import crops
from stages.project import weights

CPU = torch.device("cpu")


VALUES = [("alex", (0.7219, 0.1376), 1e-4), ("squeeze", (0.7110, 0.1479), 1e-4), ("vgg", (0.569, 0.422), 5e-4)]


@pytest.mark.parametrize(("net", "expected", "digits"), VALUES)
def test_the_authors_own_values_come_out(net, expected, digits, backbones, real_images):
    if weights.on_disk(lpips_network.BACKBONES[net])[0] is None:
        pytest.skip(f"no weights for {net}: `make setup` takes them from a registry")
    folder = real_images / "inpaint_refs" / "lpips_check"
    pictures = {path.stem.rpartition("_")[2]: path for path in folder.iterdir()}
    reference, *others = (to_float(read_rgb(pictures[name])[None]) for name in ("ref", "p0", "p1"))
    distance = lpips_network.distance(net)
    assert [float(distance(reference, other)) for other in others] == pytest.approx(expected, abs=digits)


@pytest.mark.parametrize("net", ["alex", "squeeze"])
def test_another_implementations_values_come_out(net, backbones, real_images):
    folder = real_images / "inpaint_refs"
    for case, told in json.loads((folder / "reference_values.json").read_text()).items():
        parent = (folder / case).parent
        files = {path.stem.rpartition("_")[2]: path for path in parent.glob(f"{(folder / case).name}*")}
        truth = next(path for name, path in files.items() if name not in {"input", "mask", "output"})
        image, output = (to_float(read_rgb(path)[None]) for path in (truth, files["output"]))
        assert float(lpips_network.distance(net)(image, output)) == pytest.approx(told[f"lpips_{net}"], abs=2e-4)


@pytest.fixture(scope="session")
def package(backbones):
    """The lpips package itself on our backbone."""
    from lpips import LPIPS

    model = LPIPS(net="alex", pnet_rand=True, verbose=False)
    tensors = weights.features("alexnet")
    for part in model.net.children():
        for index, layer in part.named_children():
            layer.load_state_dict({key: tensors[f"features.{index}.{key}"] for key in layer.state_dict()})
    return model


def test_values_and_gradients_are_the_packages(package, make_batch):
    shown = make_batch()
    other_BCHW = shown.raw_BKCHW[:, 0].clone().requires_grad_()
    again_BCHW = shown.raw_BKCHW[:, 0].clone().requires_grad_()
    value_B = lpips_network.distance("alex")(shown.image_BCHW, other_BCHW)
    expected_B = package(shown.image_BCHW, again_BCHW)
    assert torch.allclose(value_B, expected_B.flatten(), rtol=1e-5)
    value_B.sum().backward()
    expected_B.sum().backward()
    assert torch.allclose(other_BCHW.grad, again_BCHW.grad, atol=1e-6)


def test_the_gradient_is_finite_where_features_vanish(backbones):
    black_BCHW = torch.full((1, 3, 64, 64), -1.0, requires_grad=True)
    lpips_network.distance("squeeze")(black_BCHW, torch.zeros(1, 3, 64, 64)).sum().backward()
    assert torch.isfinite(black_BCHW.grad).all()


def test_building_it_leaves_the_global_generator_alone(backbones):
    torch.manual_seed(0)
    lpips_network.distance("alex")
    drawn = torch.rand(3)
    torch.manual_seed(0)
    assert torch.equal(drawn, torch.rand(3))


def test_the_metric_compares_with_the_original(backbones, make_batch):
    shown = make_batch()
    value_BK = lpips.build(MetricContext(CPU, 2), "lpips_alex")(shown)["lpips_alex"]
    distance = lpips_network.distance("alex")
    for b, k in itertools.product(range(2), range(4)):
        expected = float(distance(shown.image_BCHW[b : b + 1], shown.judged_BKCHW[b : b + 1, k]))
        assert float(value_BK[b, k]) == pytest.approx(expected, rel=1e-4)


def test_without_its_backbone_it_is_absent_with_the_reason(tmp_path, monkeypatch):
    monkeypatch.setenv("PLURIFILL_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    gone = weights.Weights((tmp_path / "vgg16-397923af.pth").as_uri(), {"vgg16-397923af.pth": "397923af"})
    monkeypatch.setitem(weights.TABLE, "vgg16", gone)
    assert lpips_network.distance("vgg") is None
    with pytest.raises(AbsentError, match=r"vgg16-397923af\.pth not in .*download failed"):
        lpips.build(MetricContext(CPU, 2), "lpips_vgg")


def test_an_unknown_net_is_the_users_mistake():
    with pytest.raises(UserError, match="alex, squeeze, vgg"):
        lpips.build(MetricContext(CPU, 2), "lpips_resnet")


def test_a_crop_is_the_holes_box_widened_where_it_is_small(make_batch):
    shown = make_batch()
    known_B1HW = shown.known_B1HW.clone()
    known_B1HW[1] = 1
    known_B1HW[1, 0, 60:, 20:24] = 0
    first, second = crops(shown.judged_BKCHW, known_B1HW)
    assert torch.equal(first, shown.judged_BKCHW[0, ..., 16:48, 8:48])
    assert torch.equal(second, shown.judged_BKCHW[1, ..., 32:64, 6:38])


def test_in_the_hole_it_is_lpips_of_the_crops(backbones, make_batch):
    shown = make_batch()
    shown.known_B1HW[1, :, 16:, 20:] = 0  # two boxes of unlike size
    value_BK = lpips.build(MetricContext(CPU, 2), "lpips_squeeze_hole")(shown)["lpips_squeeze_hole"]
    distance = lpips_network.distance("squeeze")
    for b, box in enumerate(((slice(16, 48), slice(8, 48)), (slice(16, 64), slice(8, 64)))):
        truth_KCHW = shown.image_BCHW[b : b + 1, :, *box].expand(4, -1, -1, -1)
        expected_K = distance(truth_KCHW, shown.judged_BKCHW[b, :, :, *box])
        assert torch.allclose(value_BK[b], expected_K, rtol=1e-4)
