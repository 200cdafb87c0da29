"""Backbones: looked for in order, verified, downloaded once, never used under a wrong checksum."""

import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from stages.contract import UserError
from stages.project import weights
from stages.project.hashing import of_file


@pytest.fixture
def published(tmp_path, monkeypatch) -> Path:
    """A small backbone "published" in tmp_path/web and known to the table as toy; nothing on disk has it yet."""
    file = tmp_path / "web" / "toy.pth"
    file.parent.mkdir()
    torch.save({"features.0.weight": torch.arange(6.0), "classifier.0.weight": torch.zeros(2)}, file)
    told = weights.Weights(file.as_uri(), {"toy.pth": of_file(file)[:8]}, weights.BACKBONE)
    monkeypatch.setitem(weights.TABLE, "toy", told)
    monkeypatch.setenv("PLURIFILL_WEIGHTS", str(tmp_path / "own"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return file


@pytest.fixture
def server(published) -> Iterator[str]:
    """An HTTP server on this machine that serves the published file."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args, **options):
            super().__init__(*args, directory=str(published.parent), **options)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_what_is_nowhere_is_downloaded_into_torchs_folder(published, server, monkeypatch, tmp_path):
    monkeypatch.setitem(weights.TABLE, "toy", replace(weights.TABLE["toy"], url=f"{server}/toy.pth"))
    assert weights.find("toy") == tmp_path / "torch" / "hub" / "checkpoints" / "toy.pth"
    assert weights.why("toy") == ""
    assert list(weights.features("toy")) == ["features.0.weight"]


def test_ones_own_folder_comes_first(published, tmp_path):
    for folder in (tmp_path / "own", tmp_path / "torch" / "hub" / "checkpoints"):
        folder.mkdir(parents=True)
        (folder / "toy.pth").write_bytes(published.read_bytes())
    assert weights.find("toy") == tmp_path / "own" / "toy.pth"


def test_a_file_of_the_right_name_and_wrong_content_is_passed_over(published, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "toy.pth").write_bytes(b"another")
    assert weights.find("toy") == tmp_path / "torch" / "hub" / "checkpoints" / "toy.pth"


def test_a_download_with_a_wrong_checksum_is_refused_and_leaves_nothing(published, tmp_path):
    target = tmp_path / "kept.pth"
    with pytest.raises(OSError, match=r"toy\.pth: sha256 is .*, not 00000000"):
        weights.fetch(published.as_uri(), target, "00000000")
    assert not list(tmp_path.glob("*.pth")) and not list(tmp_path.glob(".*"))


def test_offline_it_says_what_was_looked_for_and_where(published, tmp_path):
    published.unlink()
    assert weights.find("toy") is None
    assert weights.features("toy") is None
    assert weights.digest("toy") == "absent"
    reason = weights.why("toy")
    assert "toy.pth" in reason and str(tmp_path / "own") in reason and "\n" not in reason


def test_a_full_and_a_features_only_file_have_one_digest(published, tmp_path, monkeypatch):
    whole = weights.digest("toy")
    only = tmp_path / "only.pth"
    torch.save({"features.0.weight": torch.arange(6.0)}, only)
    monkeypatch.setitem(weights.TABLE, "same", weights.Weights(only.as_uri(), {"only.pth": of_file(only)}))
    assert weights.digest("same") == whole != "absent"


def test_an_unknown_name_is_the_users_mistake():
    with pytest.raises(UserError, match="alexnet"):
        weights.find("resnet")


def test_the_developers_files_are_the_documented_ones(monkeypatch, real_images, tmp_path):
    monkeypatch.setenv("PLURIFILL_WEIGHTS", str(real_images / "weights"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for name in ("alexnet", "squeezenet"):
        assert weights.find(name) is not None, weights.why(name)
