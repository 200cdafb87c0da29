"""What a person sees: pictures, progress lines, curves, cards."""

import numpy as np
import torch
from PIL import Image

from stages.project.progress import ProgressBar
from stages.project.seeds import derive
from stages.training import pictures
from stages.training.distributed import Ranks
from stages.training.history import History
from stages.training.prefetch import micro_batches, to_device
from tests.training.toys import BATCH, CPU, batches


def test_a_grid_shows_every_image_at_its_place_and_white_elsewhere(tmp_path):
    levels = range(0, 256, 25)
    shades = torch.tensor(levels) / 127.5 - 1
    picture = pictures.grid(shades[:, None, None, None].expand(-1, 3, 4, 6))
    cell = (4 + pictures.GAP, 6 + pictures.GAP)
    assert picture.shape == (2 * cell[0], pictures.ROW * cell[1], 3)
    for i, level in enumerate(levels):
        top, left = i // pictures.ROW * cell[0], i % pictures.ROW * cell[1]
        assert (picture[top : top + 4, left : left + 6] == level).all()
    assert (picture[cell[0] :, 3 * cell[1] :] == 255).all()
    pictures.write(tmp_path, {"shades": picture})
    assert (np.asarray(Image.open(tmp_path / "shades.png")) == picture).all()


def test_where_stderr_is_a_file_the_last_step_is_a_plain_line(capsys):
    with ProgressBar("toys/toy", steps=4, start=2, batch=8) as bar:
        bar.show(3)
        bar.show(4, {"loss": 0.25, "kl": 2.0})
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("toys/toy 4/4  ") and "images/s" in line and "0:00:00 left  loss 0.25  kl 2" in line


def test_on_a_terminal_there_is_a_bar(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with ProgressBar("toys/toy", steps=2, start=0, batch=8) as bar:
        bar.show(2, {"loss": 0.25})
    assert "toys/toy" in (err := capsys.readouterr().err) and "2/2" in err and "loss 0.25" in err


def test_a_run_that_was_finished_before_shows_nothing(capsys):
    with ProgressBar("toys/toy", steps=4, start=4, batch=8) as bar:
        bar.show(4)
    assert capsys.readouterr().err == ""


def test_curves_begin_untrained_and_know_their_extremes():
    history = History()
    for step, psnr in ((0, 5.0), (10, 9.0), (20, 8.0)):
        history.note(step, step * 8, "val", {"psnr": psnr})
    history.add({"loss": torch.tensor(1.0)})
    history.fetch(20, 160, Ranks())
    assert history.figures() == {
        "final": {"psnr": 8.0},
        "lowest": {"psnr": 5.0},
        "highest": {"psnr": 9.0},
        "untrained": {"psnr": 5.0},
    }
    assert history.rows[-1] == (20, 160, "train", "loss", 1.0)


def test_micro_batches_are_the_batch_in_order():
    whole = batches(0, 0, 1)
    pieces = list(micro_batches(to_device(whole, CPU, channels_last=True), 4))
    assert [len(piece.keys) for piece in pieces] == [BATCH // 4] * 4
    assert torch.equal(torch.cat([piece.image_BCHW for piece in pieces]), whole.image_BCHW)
    assert sum((piece.keys for piece in pieces), ()) == whole.keys
    assert torch.equal(torch.cat([piece.seeds_B for piece in pieces]), whole.seeds_B)


def test_unlike_places_have_unlike_seeds():
    seeds = {derive(seed, step, rank) for seed in range(4) for step in range(50) for rank in range(4)}
    assert len(seeds) == 4 * 50 * 4 and all(0 <= seed < 2**63 for seed in seeds)
