"""The launcher for Kubernetes, by a `kubectl` that keeps its pods in a folder and a node that runs them, elsewhere."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.locks import is_held
from tests.flows.test_guard import COMMAND, TIDYING, TRAINER, trainer_lives, until
from tests.flows.toy import ROOT

MANIFEST = ROOT / "deploy" / "pod.yaml"
KUBECTL = """\
#!{python} -P
import json, os, sys, time
from pathlib import Path

cluster, (verb, *words) = Path({cluster!r}), sys.argv[1:]
[pod] = [cluster / word for word in words if word.startswith("plurifill-")] or [None]
if (cluster / "away").exists():
    sys.exit("Unable to connect to the server")
if verb == "create":
    asked = json.load(sys.stdin)
    Path(cluster / asked["metadata"]["name"]).write_text(json.dumps(asked))
elif verb == "get" and pod.exists():
    status = pod.with_suffix(".status")
    print(json.dumps({{"status": json.loads(status.read_text()) if status.exists() else {{"phase": "Pending"}}}}))
elif verb == "delete" and pod.exists():
    pod.with_suffix(".deleted").touch()
elif verb == "logs":
    with pod.with_suffix(".log").open() as log:
        while pod.exists():
            print(log.read(), end="", flush=True)
            if "terminated" in pod.with_suffix(".status").read_text():
                break
            time.sleep(0.05)
        print(log.read(), end="", flush=True)
"""
NODE = """\
import json, os, subprocess, sys, time
from pathlib import Path

cluster, running = Path(sys.argv[1]), {}


def tell(pod, phase, **state):
    part = pod.with_suffix(".part")
    part.write_text(json.dumps({"phase": phase, "containerStatuses": [{"state": state}]}))
    part.rename(pod.with_suffix(".status"))


while True:
    for pod in [path for path in cluster.glob("plurifill-*") if not path.suffix]:
        own = json.loads(pod.read_text() or "{}").get("spec", {}).get("containers", [None])[0]
        deleted, child = pod.with_suffix(".deleted").exists(), running.get(pod)
        if own and not child and (cluster / "pulled").exists():
            env = {one["name"]: one["value"] for one in own["env"]} | {"PATH": os.environ["PATH"]}
            with pod.with_suffix(".log").open("w") as log:
                running[pod] = subprocess.Popen(own["command"], cwd=own["workingDir"], env=env, stdout=log, stderr=log)
            tell(pod, "Running")
        elif own and not child:
            tell(pod, "Pending", waiting={"reason": "ErrImagePull", "message": "no such image"})
        if deleted and child and child.poll() is None:
            child.terminate()
        if child and child.poll() is not None:
            tell(pod, "Failed" if child.returncode else "Succeeded", terminated={"exitCode": child.returncode})
        if deleted and not (child and child.poll() is None):
            pod.unlink()
    time.sleep(0.05)
"""


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A node that has pulled the image."""
    found, tools = tmp_path / "cluster", tmp_path / "tools"
    found.mkdir()
    tools.mkdir()
    (found / "pulled").touch()
    (tools / "kubectl").write_text(KUBECTL.format(python=sys.executable, cluster=str(found)))
    (tools / "kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.environ["PATH"]]))
    node = subprocess.Popen([sys.executable, "-P", "-c", NODE, found])
    yield found
    node.kill()
    node.wait()


def launched(*command: str, manifest: Path = MANIFEST) -> list[str]:
    launcher = f"{sys.executable} -P {ROOT / 'flows' / 'pod.py'} {manifest}"
    return [sys.executable, "-P", str(ROOT / "flows" / "guard.py"), "--launcher", launcher, *command]


def pods(cluster: Path) -> list[Path]:
    return [path for path in cluster.glob("plurifill-*") if not path.suffix]


def test_a_command_runs_in_this_folder_its_lines_and_its_exit_code_come_back_and_no_pod_stays(
    cluster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/the/points")
    monkeypatch.setenv("PLURIFILL_LOGIN", "ann:correct horse battery")
    told = "import os; print(os.getcwd(), os.environ['PYTHONPATH'], os.environ.get('PLURIFILL_LOGIN'))"
    command = launched("--", "python", "-c", f"{told}; raise SystemExit(3)")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 3 and f"{tmp_path} /the/points None" in done.stdout.splitlines()
    until(lambda: not pods(cluster))


def test_asked_to_stop_what_runs_in_the_pod_saves_and_the_device_is_kept_until_it_has(
    cluster: Path, tmp_path: Path
) -> None:
    (tmp_path / "trainer.py").write_text(TRAINER.format(handler="save"))
    lock = tmp_path / "device.lock"
    guard = subprocess.Popen(
        launched("--hold", str(lock), "--", "python", "-c", TIDYING.format(work=True)), cwd=tmp_path
    )
    until((tmp_path / "pid").exists)
    assert is_held(lock)
    guard.terminate()
    assert guard.wait() == 128 + signal.SIGTERM
    assert (tmp_path / "saved").exists() and (tmp_path / "tidied").read_text() == "in peace"
    assert not trainer_lives(tmp_path) and not is_held(lock) and not pods(cluster)


def test_a_cluster_that_is_away_for_a_while_is_asked_again(cluster: Path, tmp_path: Path) -> None:
    (tmp_path / "trainer.py").write_text("import time, pathlib\nwhile not pathlib.Path('go').exists(): time.sleep(0.1)")
    command = launched("--", "python", "-c", COMMAND)
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as guard:
        until(lambda: list(cluster.glob("*.log")))
        (cluster / "away").touch()
        assert guard.stdout
        told = until_line(guard.stdout, "the cluster does not answer")
        assert told == "the cluster does not answer: Unable to connect to the server\n"
        (tmp_path / "go").touch()
        (cluster / "away").unlink()
        assert guard.wait() == 0


def test_why_a_pod_waits_is_told_and_a_stop_ends_the_wait(cluster: Path, tmp_path: Path) -> None:
    (cluster / "pulled").unlink()
    with subprocess.Popen(launched("--", "true"), cwd=tmp_path, stdout=subprocess.PIPE, text=True) as guard:
        assert guard.stdout
        assert until_line(guard.stdout, "waits: ErrImagePull").endswith("waits: ErrImagePull no such image\n")
        guard.terminate()
        assert guard.wait() == 128 + signal.SIGTERM and not pods(cluster)


def until_line(lines: Iterator[str], words: str) -> str:
    return next(line for line in lines if words in line)


@pytest.mark.parametrize("text", ["", "kind: Pod", "kind: Job\nspec: {}", "a: [", "kind: Pod\nspec: {containers: []}"])
def test_a_manifest_of_no_pod_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "pod.yaml").write_text(text)
    words = [sys.executable, "-P", ROOT / "flows" / "pod.py", tmp_path / "pod.yaml", "true"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"pod: {tmp_path}/pod.yaml: ")
