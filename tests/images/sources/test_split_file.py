"""A split file names files in the bytes of the disk, whatever program wrote it."""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.contract import UserError
from stages.images.sources.split_file import listed
from tests.images.conftest import params_of

ROWS = {"é.png": "train", "写真 1.png": "val", "NA": "test"}  # NA is what pandas calls no text at all
WRITTEN = {
    ".csv": "path,split\n" + "".join(f"{path},{split}\n" for path, split in ROWS.items()),
    ".txt": "".join(f"{path} {split}\n" for path, split in ROWS.items()),
}


def found(root: Path, path: Path) -> dict[str, str]:
    return {item.name: item.split for item in listed(params_of("folder", splits=str(path)), root)}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ROWS:
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("ending", WRITTEN)
def test_every_program_writes_the_same_list(root: Path, ending: str, newline: str, encoding: str) -> None:
    path = root / f"splits{ending}"
    path.write_bytes(WRITTEN[ending].replace("\n", newline).encode(encoding))
    assert found(root, path) == ROWS


@pytest.mark.parametrize(("ending", "head"), [(".csv", b"path,split\n"), (".txt", b"")])
def test_a_latin_1_list_finds_latin_1_files_and_no_others(root: Path, ending: str, head: bytes) -> None:
    path = root / f"splits{ending}"
    path.write_bytes(head + b"caf\xe9.png,train\n".replace(b",", b"," if head else b" "))
    with pytest.raises(UserError, match="1 files are not in"):
        found(root, path)
    (root / os.fsdecode(b"caf\xe9.png")).touch()
    assert found(root, path) == {r"caf\xe9.png": "train"}


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("s.csv", b"", "no column path"),
        ("s.txt", b"\n \n", "no image is listed in it"),
        ("s.csv", b"path,split\n", "no image is listed in it"),
        ("s.csv", b"path,split\nNA,train\n./NA,test\n", "NA is listed twice"),
        ("s.txt", b"NA train\nno/../NA val\n", "NA is listed twice"),
        ("s.csv", b"path,split\na.png\n", "row 'a.png' has not the 2 columns"),
        ("s.csv", b"path,split\na.png,train,\n", "has not the 2 columns"),
        ("s.csv", b"path,split\n" + b"a" * 200_000 + b",train\n", "not a csv table"),
        ("s.csv", b"path,split\n" + b"a" * 5_000 + b",train\n", "1 files are not in"),
        ("s.txt", b"a\0b.png train\n", "1 files are not in"),
        ("s.txt", b"\xef\xbb\xbfa.png\n", "line 'a.png' is not PATH SPLIT"),
        ("s.parquet", b"words", "not a parquet table"),
    ],
)
def test_a_list_that_is_none_is_one_line(root: Path, name: str, data: bytes, told: str) -> None:
    (root / name).write_bytes(data)
    with pytest.raises(UserError, match=told):
        found(root, root / name)


def test_a_parquet_list_whose_text_is_damaged_is_refused(root: Path) -> None:
    """As where a bit of a name has flipped: the table itself is whole."""
    names = pa.array([b"\xe1.png", b"b.png"]).view(pa.string())
    pq.write_table(pa.table({"path": names, "split": ["train", "val"]}), root / "splits.parquet")
    with pytest.raises(UserError, match=r"splits\.parquet: not a parquet table \(.*write it again"):
        found(root, root / "splits.parquet")
