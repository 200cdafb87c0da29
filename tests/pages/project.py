"""A small project made by the verbs themselves: photographs at 32 px, the floor, and latent codes, barely trained."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from stages import benchmark, report, sample, shard, train

ROOT = Path(__file__).parent.parent.parent
LOOP = '{steps: 6, batch: 8, eval_every: 3, log_every: 2, eval_images: 8, amp: "off"}'
SIZES = "width: 8, multipliers: [1, 1], blocks: 1, attention: []"
PARAMS = f"""\
data: {{dataset: photographs}}
datasets: {{photographs: {{layout: photographs, size: 32, crops: {{train: 2, val: 1, test: 1}}}}}}
masks: {{train: {{generator: free_form, size: large}}, box80: {{generator: box, side: 0.8}}}}
track: none
methods:
  latent_codes:
    token_mask: {{alpha: 0.5, window: stride}}
    vq: {{stem: 2, {SIZES}, codes: 16, channels: 8, lpips_net: vgg, adversary: {{start: 4}}, loop: {LOOP}}}
    encoder: {{{SIZES}, masks: train, loop: {LOOP}}}
    prior: {{width: 16, layers: 1, heads: 2, loop: {LOOP}}}
    decoder: {{{SIZES}, lpips: 0.0, l1: 1.0, masks: train, loop: {LOOP}}}
    inpaint: {{temperature: 1.0, variants: {{}}}}
  classical:
    inpaint: {{algorithm: mean, variants: {{mean: {{algorithm: mean}}, telea: {{algorithm: telea}}}}}}
testsets:
  box: {{masks: box80, images: 8, samples: 3}}
protocols:
  box: {{testset: box, composite: true, selection: all, metrics: [psnr, l1, diversity_pixel, collapsed, lpips_vgg]}}
  raw: {{testset: box, composite: false, selection: first, metrics: [psnr, l1, known_error]}}
"""
METHODS = ("latent_codes", "classical")


def make() -> None:
    """The project in the working directory, its report included."""
    Path("params.yaml").write_text(PARAMS)
    shard.main()
    train.main("latent_codes")
    for method in METHODS:
        sample.main(method)
        benchmark.main(method)
    report.main()


@cache
def finished() -> Path:
    """The project's folder, made once a run of the tests. No weights are to be had there: nothing answers the proxy."""
    folder = Path(tempfile.mkdtemp(prefix="plurifill-project-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    nowhere = {name: str(folder / "no-weights") for name in ("PLURIFILL_WEIGHTS", "TORCH_HOME")}
    environment = {**os.environ, **nowhere, "https_proxy": "http://127.0.0.1:9", "PYTHONPATH": str(ROOT)}
    environment |= {"OMP_NUM_THREADS": "1", "PLURIFILL_DATA": "data", "PLURIFILL_REPORTS": "reports"}
    command = [sys.executable, "-c", "from tests.pages.project import make; make()"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder
