"""Every layout on a tiny tree: splits, label merges, and one line where something is missing."""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stages.contract import UserError
from stages.images.dataset import Dataset
from stages.images.layouts import layout as layout_of
from stages.images.manifest import manifest
from stages.images.names import key_of
from stages.images.sources.item import Item
from stages.project import plugins
from tests.images.conftest import Make, Paint, params_of

LAYOUTS = plugins.names("stages.images.layouts")


def listed(layout: str, root: Path, **keys: object) -> dict[str, str]:
    return {item.name: item.split for item in items(layout, root, **keys)}


def items(layout: str, root: Path, **keys: object) -> list[Item]:
    return layout_of(layout).items(params_of(layout, root=str(root), **keys))


def write_map(path: Path, values_HW: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values_HW.astype(np.uint8)).save(path)


@pytest.mark.parametrize(
    ("layout", "train", "test"),
    [
        ("places365", "data_large/a/abbey", "val_large"),
        ("paris_streetview", "paris_street_view/train", "paris_street_view/val"),
        ("paris_streetview", "paris_train_original", "paris_eval_gt"),
        ("imagenet", "train/n01440764", "val/n01440764"),
        ("scenery", "train", "test"),
        ("ost", "OutdoorSceneTrain_v2/sky", "OutdoorSceneTest300"),
        ("celeba_hq", "train_256", "test_256"),
    ],
)
def test_trees(tmp_path: Path, paint: Paint, layout: str, train: str, test: str) -> None:
    for seed in range(6):
        paint(tmp_path / train / f"{seed}.jpg", seed)
    paint(tmp_path / test / "9.jpg", 9)
    splits = listed(layout, tmp_path, shares={"val": 0.4})
    assert len(splits) == 7 and next(name for name, split in splits.items() if split == "test").endswith("9.jpg")
    assert 1 <= list(splits.values()).count("val") < 6
    assert listed(layout, tmp_path, shares={"val": 0}) == {n: s.replace("val", "train") for n, s in splits.items()}
    gone = tmp_path / (test if layout != "imagenet" else "val")
    shutil.rmtree(gone)
    with pytest.raises(UserError, match=f"{gone.name}.*get it from"):
        items(layout, tmp_path)


def test_places365_val_is_what_its_list_names(tmp_path: Path, paint: Paint) -> None:
    for name in ("data_large/x/0.jpg", "val_large/1.jpg", "val_large/2.jpg"):
        paint(tmp_path / name)
    (tmp_path / "places365_val.txt").write_text("2.jpg 14\n")
    assert [name for name, split in listed("places365", tmp_path).items() if split == "test"] == ["val_large/2.jpg"]


def test_metfaces_are_split_by_hash(tmp_path: Path, paint: Paint) -> None:
    for seed in range(30):
        paint(tmp_path / f"images/{seed}.png", seed)
    splits = listed("metfaces", tmp_path, shares={"val": 0.1, "test": 0.2})
    assert set(splits.values()) == {"train", "val", "test"}
    assert splits == listed("metfaces", tmp_path, shares={"val": 0.1, "test": 0.2})
    assert splits != listed("metfaces", tmp_path, shares={"val": 0.1, "test": 0.2}, seed=1)
    paint(tmp_path / "images/new.png")
    assert splits.items() <= listed("metfaces", tmp_path, shares={"val": 0.1, "test": 0.2}).items()


def celeba(root: Path, paint: Paint) -> None:
    for index in range(3):
        paint(root / f"CelebA-HQ-img/{index}.jpg", index)
    rows = ["idx orig_idx orig_file", "0 119613 119614.jpg", "1 99094 099095.jpg", "2 200121 200122.jpg"]
    (root / "CelebA-HQ-to-CelebA-mapping.txt").write_text("\n".join(rows))
    (root / "list_eval_partition.txt").write_text("119614.jpg 0\n099095.jpg 1\n200122.jpg 2\n")


def test_celeba_hq_follows_celebas_partition(tmp_path: Path, paint: Paint) -> None:
    celeba(tmp_path, paint)
    assert listed("celeba_hq", tmp_path) == {"0.jpg": "train", "1.jpg": "val", "2.jpg": "test"}
    (tmp_path / "list_eval_partition.txt").unlink()
    with pytest.raises(UserError, match="list_eval_partition"):
        items("celeba_hq", tmp_path)


@pytest.mark.parametrize("folder", ["", "0"])
def test_face_parts_are_merged_left_with_right(tmp_path: Path, paint: Paint, make: Make, folder: str) -> None:
    celeba(tmp_path, paint)
    for index in range(3):
        for part, column in (("skin", slice(0, 32)), ("l_eye", slice(4, 8)), ("r_eye", slice(20, 24))):
            part_HW = np.zeros((40, 48))
            part_HW[:, column] = 255
            write_map(tmp_path / "CelebAMask-HQ-mask-anno" / folder / f"{index:05d}_{part}.png", part_HW)
    card, made = make("celebamask_hq", root=str(tmp_path), resize={"policy": "square", "side": 16})
    labels_HW = Dataset.open(made, "train").labels(0)
    assert card["classes"] == 15 and labels_HW is not None
    assert set(np.unique(labels_HW)) == {0, 1, 4} and labels_HW.shape == (16, 16)
    assert labels_HW[0, 2] == labels_HW[0, 7] == 4


def test_cityscapes_ids_become_twenty_classes(tmp_path: Path, paint: Paint, make: Make) -> None:
    for folder in ("train", "val"):
        for seed in range(4):
            stem = f"{folder}/aachen/aachen_00000{seed}_000019"
            paint(tmp_path / f"leftImg8bit/{stem}_leftImg8bit.png", seed + 10 * (folder == "val"), height=32, width=64)
            write_map(
                tmp_path / f"gtFine/{stem}_gtFine_labelIds.png", np.repeat([[0], [7], [26], [33]], 8, 0) + np.zeros(64)
            )
    card, made = make("cityscapes", root=str(tmp_path))
    assert card["classes"] == 20 and card["counts"]["test"] == 4
    labels_HW = Dataset.open(made, "test").labels(0)
    assert labels_HW is not None and np.unique(labels_HW).tolist() == [0, 1, 14, 19]


def test_label_maps_of_a_folder_are_checked(tmp_path: Path, paint: Paint, make: Make) -> None:
    for seed in range(4):
        paint(tmp_path / f"images/{seed}.png", seed)
        write_map(tmp_path / f"maps/{seed}.png", np.full((40, 48), seed))
    keys = {"root": str(tmp_path / "images"), "labels": str(tmp_path / "maps"), "quarantine_limit": 0.5}
    card, _ = make("folder", classes=3, **keys)
    assert card["classes"] == 3 and card["quarantined"] == 1


@pytest.mark.parametrize("ending", ["txt", "csv", "parquet"])
def test_a_split_file_decides(tmp_path: Path, paint: Paint, ending: str) -> None:
    for name in ("a b.png", "c.png", "left out.png"):
        paint(tmp_path / "src" / name)
    table, path = pd.DataFrame({"path": ["a b.png", "c.png"], "split": ["test", "train"]}), tmp_path / f"s.{ending}"
    if ending == "txt":
        path.write_text("a b.png test\nc.png train\n")
    else:
        table.to_csv(path, index=False) if ending == "csv" else table.to_parquet(path, index=False)
    assert listed("folder", tmp_path / "src", splits=str(path), shares={"val": 0}) == {
        "a b.png": "test",
        "c.png": "train",
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("path,split\na.png,trian\n", "trian"),
        ("path,split\nb.png,train\n", "b.png"),
        ("path,split\na.png,train\na.png,test\n", "twice"),
        ("file,split\na.png,train\n", "no column path"),
    ],
)
def test_a_wrong_split_file_is_told(tmp_path: Path, paint: Paint, text: str, told: str) -> None:
    paint(tmp_path / "src/a.png")
    (tmp_path / "s.csv").write_text(text)
    with pytest.raises(UserError, match=told):
        items("folder", tmp_path / "src", splits=str(tmp_path / "s.csv"))


@pytest.mark.parametrize("layout", sorted(set(LAYOUTS) - {"photographs", "tars"}))  # which have no root
def test_a_missing_root_is_one_line_with_the_place_to_get_it(tmp_path: Path, layout: str) -> None:
    with pytest.raises(UserError, match="looked for") as told:
        items(layout, tmp_path / "absent")
    assert "\n" not in str(told.value) and "get it from" in str(told.value)
    with pytest.raises(UserError, match="root is missing"):
        layout_of(layout).items(params_of(layout))


def linked(root: Path) -> Path:
    """A folder beside `root` whose every folder, at the first depth, is a link to one of `root`."""
    there = root.with_name(f"{root.name} linked")
    there.mkdir()
    for path in root.iterdir():
        (there / path.name).symlink_to(path)
    return there


@pytest.mark.parametrize(
    ("layout", "folders"),
    [
        ("folder", ("train", "val", "test")),
        ("places365", ("data_large", "val_large")),
        ("imagenet", ("train", "val")),
        ("metfaces", ("images",)),
        ("celeba_hq", ("train_256", "test_256")),
    ],
)
def test_linked_folders_are_as_if_they_lay_there(
    tmp_path: Path, paint: Paint, layout: str, folders: tuple[str, ...]
) -> None:
    for seed, folder in enumerate(folders):
        for name in ("a.png", "deep/b.png"):
            paint(tmp_path / "src" / folder / name, seed)
    (tmp_path / "src" / folders[0] / "up").symlink_to("..")
    shown = listed(layout, tmp_path / "src")
    assert len(shown) == 2 * len(folders) and listed(layout, linked(tmp_path / "src")) == shown


def test_a_linked_val_is_val(tmp_path: Path, paint: Paint) -> None:
    for seed in range(20):
        paint(tmp_path / f"src/train/{seed}.png", seed)
    paint(tmp_path / "elsewhere/v.png", 30)
    (tmp_path / "src/val").symlink_to(tmp_path / "elsewhere")
    splits = listed("folder", tmp_path / "src", shares={"test": 0})
    assert [name for name, split in splits.items() if split != "train"] == ["val/v.png"]
    (tmp_path / "elsewhere").rename(tmp_path / "moved")
    with pytest.raises(UserError, match=r"src/val: a link to .*elsewhere, which is not there"):
        items("folder", tmp_path / "src")


def test_linked_faces_keep_their_parts_and_linked_cities_their_maps(tmp_path: Path, paint: Paint) -> None:
    celeba(tmp_path / "faces", paint)
    write_map(tmp_path / "faces/CelebAMask-HQ-mask-anno/0/00001_skin.png", np.full((40, 48), 255))
    faces = {item.name: item for item in items("celebamask_hq", linked(tmp_path / "faces"))}
    assert len(faces) == 3 and [len(item.beside) for item in faces.values()] == [0, 1, 0]
    for folder in ("train", "val"):
        paint(tmp_path / f"cities/leftImg8bit/{folder}/ulm/a_leftImg8bit.png", len(folder))
        write_map(tmp_path / f"cities/gtFine/{folder}/ulm/a_gtFine_labelIds.png", np.full((40, 48), 7))
    cities = items("cityscapes", linked(tmp_path / "cities"))
    assert len(cities) == 2 and all(item.labels is not None and item.labels().max() == 1 for item in cities)


@pytest.mark.parametrize("ending", [".png", ".PNG"])
@pytest.mark.parametrize("name", [b"a.jpg", b"caf\xe9.jpg"])
def test_a_map_has_its_images_own_name(tmp_path: Path, paint: Paint, name: bytes, ending: str) -> None:
    image = paint(tmp_path / "p.jpg")
    (tmp_path / "images").mkdir()
    image.rename(tmp_path / "images" / os.fsdecode(name))
    write_map(tmp_path / "m.png", np.full((40, 48), 2))
    (tmp_path / "maps").mkdir()
    (tmp_path / "m.png").rename((tmp_path / "maps" / os.fsdecode(name)).with_suffix(ending))
    (item,) = items("folder", tmp_path / "images", labels=str(tmp_path / "maps"), classes=3)
    assert item.labels is not None and item.labels().max() == 2


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("list_eval_partition.txt", "119614.jpg\n", "'119614.jpg' has not 2 columns"),
        ("list_eval_partition.txt", "119614.jpg 0\n", r"no split 0, 1 or 2 of 099095\.jpg"),
        ("list_eval_partition.txt", "119614.jpg 7\n", r"no split 0, 1 or 2 of 119614\.jpg"),
        ("CelebA-HQ-to-CelebA-mapping.txt", "idx orig_idx orig_file\n0 119613\n", "has not 3 columns"),
    ],
)
def test_a_damaged_partition_is_one_line(tmp_path: Path, paint: Paint, name: str, text: str, told: str) -> None:
    celeba(tmp_path, paint)
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=f"{name}: .*{told}.*get the file from"):
        items("celeba_hq", tmp_path)


def test_published_lists_may_have_a_byte_order_mark(tmp_path: Path, paint: Paint) -> None:
    celeba(tmp_path, paint)
    expected = listed("celeba_hq", tmp_path)
    for name in ("list_eval_partition.txt", "CelebA-HQ-to-CelebA-mapping.txt"):
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + (tmp_path / name).read_bytes())
    assert listed("celeba_hq", tmp_path) == expected


def test_the_manifest_notices_names_sizes_times_and_maps(tmp_path: Path, paint: Paint) -> None:
    for seed in range(3):
        paint(tmp_path / f"images/{seed}.png", seed)
        write_map(tmp_path / f"maps/{seed}.png", np.zeros((40, 48)))
    own = params_of("folder", root=str(tmp_path / "images"), labels=str(tmp_path / "maps"), classes=2)
    seen = [manifest(own), manifest(own)]
    (tmp_path / "images/0.png").rename(tmp_path / "images/zero.png")
    seen.append(manifest(own))
    (tmp_path / "images/zero.png").touch()
    seen.append(manifest(own))
    write_map(tmp_path / "maps/1.png", np.random.default_rng(0).integers(0, 2, (40, 48)))
    seen.append(manifest(own))
    assert seen[0] == seen[1] and len(set(seen)) == 4


def test_keys_have_no_slash_and_no_dot() -> None:
    assert key_of(Path("a b/c.d/é.e.JPG")) == "a_b-c_d-__e"
