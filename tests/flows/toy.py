"""A project of seconds with the shape of the real one: parts that learn (and save when stopped), samples, scores."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PARAMS = """\
# the toy's
methods:
  toy:
    train: {rate: 1, steps: 20}   # a step is a tenth of a second
    other: {steps: 10}
    inpaint: {heat: 1.0}
  rival: {inpaint: {good: true}}
protocols:
  plain: {metrics: [l1]}
sweeps:
  grid: {grid: {methods.toy.train.rate: [1, 2], methods.toy.inpaint.heat: [0.5, 1.0]}}
"""
PIPELINE = f"""\
stages:
  toy:
    foreach: {{train: 1, other: 1}}
    do:
      cmd: {sys.executable} work.py learn ${{key}}
      deps: [work.py]
      params: ["methods.toy.${{key}}"]
      outs: ["data/models/toy/${{key}}"]
      meta: {{kind: gpu}}
  sample:
    foreach: {{toy: data/models/toy, rival: work.py}}
    do:
      cmd: {sys.executable} work.py sample ${{key}}
      deps: [work.py, "${{item}}"]
      params: ["methods.${{key}}.inpaint"]
      outs: ["data/samples/${{key}}"]
      meta: {{kind: gpu}}
  benchmark:
    foreach: {{toy: 1, rival: 1}}
    do:
      cmd: {sys.executable} work.py score ${{key}}
      deps: ["data/samples/${{key}}"]
      outs: ["reports/scores/${{key}}.parquet", "reports/scores/${{key}}.summary.parquet"]
      metrics: ["reports/scores/${{key}}.json"]
      meta: {{kind: cpu}}
  report:
    cmd: {sys.executable} work.py report all
    deps: [reports/scores, reports/sweeps]
    outs: [reports/index.html]
    meta: {{kind: cpu}}
"""
WORK = '''\
"""learn PART (a step every 0.1 s, saved when asked to stop), sample METHOD, score METHOD, report; logs to $TOY_LOG."""
import json, os, signal, sys, time
from pathlib import Path

import pandas as pd
import yaml

verb, name = sys.argv[1:]
methods = yaml.safe_load(Path("params.yaml").read_text())["methods"]


def log(*words):
    with open(os.environ["TOY_LOG"], "a") as file:
        print(*words, os.getpid(), os.environ.get("PLURIFILL_SLOT", "-"), time.time(), file=file, flush=True)


def learn(part):
    params, weights = methods["toy"][part], Path("data/models/toy") / part / "weights"
    finished = Path("data/progress/finished/toy") / part
    if finished.is_file() and finished.read_text() == json.dumps(params):
        draw(weights.parent, params, params["steps"])
        return write(weights, finished.read_text())  # learnt already
    progress = Path("data/progress") / json.dumps([part, params]).replace(" ", "")
    progress.parent.mkdir(parents=True, exist_ok=True)
    step = int(progress.read_text()) if progress.is_file() else 0
    key = f"{part}/{params.get('rate', '-')}"
    asked = []
    signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
    log("learn", key, step)
    while step < params["steps"] and not asked:
        time.sleep(0.1)
        step += 1
        if step % 5 == 0:
            draw(Path("data/progress/toy") / part / "now", params, step)
    if asked:
        progress.write_text(str(step))
        log("saved", key, step)
        sys.exit(143)
    draw(weights.parent, params, step)
    for path in (weights, finished):
        write(path, json.dumps(params))
    log("learnt", key, step)


def draw(folder, params, steps):
    """The val curve so far: the lower the rate, the better, at every step."""
    rows = [(step, "val", "nll", params.get("rate", 0) / step) for step in range(5, steps + 1, 5)]
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / ".curves"
    pd.DataFrame(rows, columns=["step", "split", "name", "value"]).to_parquet(part)
    part.replace(folder / "curves.parquet")


def sample(method):
    params = methods[method]["inpaint"]
    if params.get("good", True) is False:
        sys.exit("this one is bad")
    models = [path.read_text() for path in sorted(Path("data/models").glob(f"{method}/*/weights"))]
    write(Path("data/samples") / method / "all", json.dumps([params, models]))


def score(method):
    text = (Path("data/samples") / method / "all").read_text()
    about = {"method": [method], "protocol": ["plain"], "metric": ["l1"]}
    frame = pd.DataFrame({**about, "estimate": [float(sum(text.encode()))]})
    Path("reports/scores").mkdir(parents=True, exist_ok=True)
    for ending in (".parquet", ".summary.parquet"):
        frame.to_parquet(f"reports/scores/{method}{ending}")
    write(Path(f"reports/scores/{method}.json"), json.dumps({"sum": frame["estimate"][0]}))


def report(_):
    write(Path("reports/index.html"), "\\n".join(sorted(path.stem for path in Path("reports/sweeps").glob("*/*.json"))))


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(text)
    part.replace(path)  # a worktree's file may be a link to the project's


{"learn": learn, "sample": sample, "score": score, "report": report}[verb](name)
'''


def make(folder: Path) -> Path:
    """The toy in a git repository of its own, with this project's flows."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (
        "flows", ".dvc/config", ".dvc/.gitignore", ".dvcignore", ".gitignore", "reports/sweeps/.gitignore",
        "prefect.yaml", "Makefile",
    ):  # fmt: skip
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    (folder / "stages/metrics").mkdir(parents=True)
    metric = (ROOT / "stages/metrics/l1.py").read_text()
    texts = {"params.yaml": PARAMS, "dvc.yaml": PIPELINE, "work.py": WORK, "stages/metrics/l1.py": metric}
    for name, text in texts.items():
        (folder / name).write_text(text)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    """All that has changed, if anything."""
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", "add", "--all", "--", ".", ":!dvc.lock"], cwd=folder, check=True)  # as in a fresh clone
    subprocess.run(["git", *who, "commit", "--quiet", "--allow-empty", "--message", "x"], cwd=folder, check=True)


def edit(folder: Path, old: str, new: str) -> None:
    """Change params.yaml and commit it."""
    text = (folder / "params.yaml").read_text()
    assert text.count(old) == 1
    (folder / "params.yaml").write_text(text.replace(old, new))
    commit(folder)


def train(folder: Path, rate: int, steps: int) -> None:
    """Have the part `train` learn so, whatever was asked before."""
    text = (folder / "params.yaml").read_text()
    changed, count = re.subn(r"train: {rate: \d+, steps: \d+}", f"train: {{rate: {rate}, steps: {steps}}}", text)
    assert count == 1
    (folder / "params.yaml").write_text(changed)
    commit(folder)
