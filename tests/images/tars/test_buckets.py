"""Tars in an S3 bucket, by a server of its protocol on 127.0.0.1."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stages.contract import UserError
from stages.images.tars.contents import contents_of
from stages.images.tars.copies import Copies, Tar
from tests.images.tars.test_streamed import write_tar

moto = pytest.importorskip("moto.server", exc_type=ImportError)
boto3 = pytest.importorskip("boto3")
pytest.importorskip("s3fs")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    running = moto.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    running.start()
    yield "http://{}:{}".format(*running.get_host_and_port())
    running.stop()


@pytest.fixture
def bucket(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Its URL; a tar lies in it."""
    for name, value in (("ACCESS_KEY_ID", "a"), ("SECRET_ACCESS_KEY", "b"), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    client = boto3.client("s3")
    client.create_bucket(Bucket="photographs")
    write_tar(tmp_path / "a.tar", 1, 6, "png")
    client.upload_file(str(tmp_path / "a.tar"), "photographs", "train/a.tar")
    return "s3://photographs"


@pytest.fixture
def copies(tmp_path: Path) -> Copies:
    return Copies(tmp_path / "here/copies", 1e9, pause_s=0.01, stall_s=2, tries=2)


def test_a_tar_of_a_bucket_is_as_one_of_the_disk(bucket: str, copies: Copies, tmp_path: Path) -> None:
    tar, samples = contents_of(f"{bucket}/train/a.tar", copies, "labels.png")
    there, same = contents_of(str(tmp_path / "a.tar"), copies, "labels.png")
    assert (tar.size, tar.sha256) == (there.size, there.sha256)
    assert [copies.read(tar, one.image) for one in samples] == [copies.read(there, one.image) for one in same]


def test_what_cannot_be_had_of_a_bucket_is_told(
    bucket: str, copies: Copies, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for url in (f"{bucket}/train/b.tar", "s3://none/a.tar"):
        with pytest.raises(UserError, match=rf"^{url}: there is no such file \(.*\); tried 2 times; mend that"):
            copies.opened(Tar(url))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(UserError, match=r"s3://photographs/train/a\.tar: .*127\.0\.0\.1:9.*; tried 2 times"):
        copies.opened(Tar(f"{bucket}/train/a.tar"))
    assert list(copies.folder.glob("*")) == []
