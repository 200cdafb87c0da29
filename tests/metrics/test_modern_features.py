"""DINOv2's and CLIP's features on random weights: another implementation's numbers; absent where they are not had."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch_fidelity.feature_extractor_clip import CLIPVisual, convert_weights
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x
from torchvision.models import VisionTransformer

from stages.images.pixels import to_float
from stages.metrics import fd, kd
from stages.metrics.core.clip_features import ClipFeatures
from stages.metrics.core.contract import AbsentError, MetricContext, TooFewError
from stages.metrics.core.dinov2_features import DinoV2, DinoV2Features
from stages.project import weights

CPU = torch.device("cpu")
DINOV2, CLIP = "dinov2_vits14_pretrain.pth", "ViT-B-32.pt"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where weights are looked for; nothing is had from elsewhere."""
    for name in ("PLURIFILL_WEIGHTS", "TORCH_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    for name, file in (("dinov2", DINOV2), ("clip", CLIP)):
        accepted = {file: weights.TABLE[name].sha256[file]}
        gone = weights.Weights((tmp_path / "gone" / file).as_uri(), accepted, weights.TABLE[name].layers)
        monkeypatch.setitem(weights.TABLE, name, gone)
    weights._search.cache_clear()
    yield tmp_path
    weights._search.cache_clear()


def accept(name: str, path: Path, patch: pytest.MonkeyPatch) -> None:
    """A file as if it were the published one."""
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    patch.setitem(weights.TABLE, name, weights.Weights(path.name, {path.name: sha256}, weights.TABLE[name].layers))


def pictures() -> Tensor:
    """(2, 40, 48, 3), uint8."""
    return torch.randint(0, 256, (2, 40, 48, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def shown(image_BHWC: Tensor, side: int, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """What torch-fidelity's extractors show to their networks."""
    levels_BCHW = image_BHWC.permute(0, 3, 1, 2).float()
    resized_BCHW = interpolate_bilinear_2d_like_tensorflow1x(levels_BCHW, size=(side, side), align_corners=False)
    return (resized_BCHW / 255 - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]


def random_dinov2() -> DinoV2:
    torch.manual_seed(0)
    network = DinoV2()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.05)
    return network


def as_torchvision(network: DinoV2) -> VisionTransformer:
    """The same function by torchvision's layers: a channel's factor goes into the layer before it."""
    vit = VisionTransformer(224, 14, num_layers=12, num_heads=6, hidden_dim=384, mlp_dim=1536)
    vit.heads = nn.Identity()
    own: dict[str, Tensor] = {
        "class_token": network.cls_token,
        "conv_proj.weight": network.patch_embed.proj.weight,
        "conv_proj.bias": network.patch_embed.proj.bias,
        "encoder.pos_embedding": network.places(),
        "encoder.ln.weight": network.norm.weight,
        "encoder.ln.bias": network.norm.bias,
    }
    for i, block in enumerate(network.blocks):
        own |= {f"encoder.layers.encoder_layer_{i}.{key}": value for key, value in _layer(block).items()}
    vit.load_state_dict(own)
    return vit.eval()


def _layer(block: nn.Module) -> Mapping[str, Tensor]:
    own = block.state_dict()
    attn, mlp = own["ls1.gamma"], own["ls2.gamma"]
    return {
        **{f"ln_{i}.{kind}": own[f"norm{i}.{kind}"] for i in (1, 2) for kind in ("weight", "bias")},
        **{f"self_attention.in_proj_{kind}": own[f"attn.qkv.{kind}"] for kind in ("weight", "bias")},
        "self_attention.out_proj.weight": attn[:, None] * own["attn.proj.weight"],
        "self_attention.out_proj.bias": attn * own["attn.proj.bias"],
        **{f"mlp.0.{kind}": own[f"mlp.fc1.{kind}"] for kind in ("weight", "bias")},
        "mlp.3.weight": mlp[:, None] * own["mlp.fc2.weight"],
        "mlp.3.bias": mlp * own["mlp.fc2.bias"],
    }


@torch.no_grad()
def test_dinov2_is_torchvisions_transformer_on_what_torch_fidelity_shows(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, image_BHWC = random_dinov2(), pictures()
    torch.save(network.state_dict(), folder / DINOV2)
    accept("dinov2", folder / DINOV2, monkeypatch)
    features_BD = DinoV2Features()(to_float(image_BHWC))
    seen_BCHW = shown(image_BHWC, 224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert features_BD.shape == (2, 384)
    assert torch.allclose(features_BD, as_torchvision(network)(seen_BCHW), atol=1e-4)
    assert weights.digest("dinov2") != "absent"


def test_dinov2_has_the_published_files_parameters() -> None:
    """88,283,115 bytes are published: 22,056,576 numbers of four bytes, and the names."""
    network = DinoV2()
    assert sum(parameter.numel() for parameter in network.parameters()) == 22_056_576
    assert network.pos_embed.shape == (1, 1370, 384) and "blocks.11.ls2.gamma" in network.state_dict()


@torch.no_grad()
def test_places_are_stretched_from_37_to_16_patches_a_side() -> None:
    network = random_dinov2()
    ramp_hw = torch.arange(37.0).expand(37, 37)
    network.pos_embed[0, 1:, 0] = ramp_hw.flatten()
    places_1ND = network.places()
    across = places_1ND[0, 1:, 0].reshape(16, 16)[8]
    assert places_1ND.shape == (1, 257, 384) and torch.equal(places_1ND[:, 0], network.pos_embed[:, 0])
    middle, plain = ((torch.arange(16) + 0.5) * 37 / patches - 0.5 for patches in (16.1, 16.0))
    assert torch.allclose(across[1:-1], middle[1:-1], atol=0.06)  # cubic pieces bend a line a little
    assert not torch.allclose(across[1:-1], plain[1:-1], atol=0.15)


def archived(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Tensors as a TorchScript archive, as CLIP is published."""
    root = nn.Module()
    for key, value in tensors.items():
        *places, leaf = key.split(".")
        module = root
        for place in places:
            if not hasattr(module, place):
                module.add_module(place, nn.Module())
            module = module.get_submodule(place)
        module.register_parameter(leaf, nn.Parameter(value, requires_grad=False))
    torch.jit.script(root).save(str(path))


@torch.no_grad()
def test_clip_is_torch_fidelitys_image_network(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    network, image_BHWC = CLIPVisual(16, 64, 2, 64, 32), pictures()  # of CLIP's kind, smaller
    convert_weights(network)  # half precision, as it is published
    archived({**network.state_dict(), "text_projection": torch.zeros(8, 16)}, folder / CLIP)
    accept("clip", folder / CLIP, monkeypatch)
    features_BD = ClipFeatures()(to_float(image_BHWC))
    mean, std = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
    expected_BD = network.float().eval().visual(shown(image_BHWC, 64, mean, std))
    assert features_BD.shape == (2, 16) and torch.allclose(features_BD, expected_BD, atol=1e-4)
    own = weights.features("clip")
    assert own is not None and set(own) == set(network.state_dict())  # the digest covers no text


@pytest.mark.parametrize(("build", "name"), [(DinoV2Features, "dinov2"), (ClipFeatures, "clip")])
def test_weights_of_another_sha256_are_refused_and_missing_ones_are_told(
    build: type[nn.Module], name: str, folder: Path
) -> None:
    file = DINOV2 if name == "dinov2" else CLIP
    with pytest.raises(AbsentError, match=rf"{file} not in .*download failed"):
        build()
    (folder / file).write_bytes(b"another")
    weights._search.cache_clear()
    with pytest.raises(AbsentError, match=rf"{file} has another sha256 than"):
        build()


def test_distances_bear_their_features_names_and_want_images_enough() -> None:
    for module, name, least in (
        (fd, "fd_dinov2", 576),
        (fd, "fd_clip", 768),
        (kd, "kd_clip", 100),
        (kd, "kd_dinov2", 100),
    ):
        with pytest.raises(TooFewError, match=rf"{name} needs at least {least} images"):
            module.build(MetricContext(CPU, images=least - 1), name)
        assert name in module.NAMES and module.needs(name) in weights.TABLE
