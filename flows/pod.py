"""A launcher for Kubernetes: `python -P flows/pod.py MANIFEST COMMAND`: the command in a pod, made after MANIFEST.

The pod has this folder and what of the environment differs from command to command. Its lines are printed, its exit
code is this process's. SIGTERM is handed on: the pod is deleted, which gives its guard the manifest's
terminationGracePeriodSeconds to save. The cluster is polled, so that it may be away for a while.
"""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from types import FrameType
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

POLL_S = 2.0
LAST_LINES_S = 10.0  # for what an ended pod has said to come
GONE = 128 + signal.SIGKILL  # the exit code of a pod that somebody else removed
PASSED = (  # what the flow sets for a command; all else that a pod is to have stands in the manifest
    "PYTHONPATH", "PLURIFILL_DATA", "PLURIFILL_REPORTS", "PLURIFILL_UNLOGGED", "MLFLOW_TRACKING_URI",
)  # fmt: skip


class Pod:
    """One command's pod."""

    def __init__(self, manifest: dict[str, Any], command: list[str]) -> None:
        self.name = f"plurifill-{uuid.uuid4().hex[:12]}"
        manifest.setdefault("metadata", {})["name"] = self.name
        container = manifest["spec"]["containers"][0]
        own = [{"name": name, "value": os.environ[name]} for name in PASSED if name in os.environ]
        container |= {"command": command, "workingDir": str(Path.cwd()), "env": [*container.get("env", []), *own]}
        self.manifest = manifest
        self.asked = 0  # the signal that asked it to end
        self.told = ""
        self.logs: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """The command's exit code; 128 + signal after a stop."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note)
        made = kubectl("create", "--filename=-", given=json.dumps(self.manifest))
        if made.returncode:
            return _refused(made.stderr)
        try:
            return self._ended()
        finally:
            self._end_logs()
            kubectl("delete", "pod", self.name, "--wait=false", "--ignore-not-found")

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.asked = number

    def _ended(self) -> int:
        """Poll to the end, whichever it is."""
        deleted = False
        while (code := self._code()) is None:
            if self.asked and not deleted:
                deleted = not kubectl("delete", "pod", self.name, "--wait=false").returncode
            time.sleep(POLL_S)
        return 128 + self.asked if self.asked else code

    def _code(self) -> int | None:
        """The exit code of a pod that has ended or is gone; None of one that has not, or where the cluster is away."""
        found = kubectl("get", "pod", self.name, "--ignore-not-found", "--output=json")
        if found.returncode:
            self._tell(f"the cluster does not answer: {' '.join(found.stderr.split())}")
            return None
        if not found.stdout.strip():
            return GONE
        status = json.loads(found.stdout)["status"]
        self._follow(status)
        return _exit_code(status)

    def _follow(self, status: dict[str, Any]) -> None:
        """Print what it says, once it runs; before that, what it waits for."""
        if status.get("phase") == "Pending":
            self._tell(f"{self.name} waits: {_reason(status)}")
        elif self.logs is None or (self.logs.poll() is not None and status.get("phase") == "Running"):
            since = [f"--since={POLL_S + 1:.0f}s"] if self.logs else []  # the connection was lost
            self.logs = subprocess.Popen(["kubectl", "logs", "--follow", *since, self.name], start_new_session=True)

    def _end_logs(self) -> None:
        if self.logs is None:
            return
        try:
            self.logs.wait(LAST_LINES_S)
        except subprocess.TimeoutExpired:
            self.logs.kill()

    def _tell(self, line: str) -> None:
        if line != self.told:
            print(line, flush=True)
        self.told = line


def kubectl(*words: str, given: str = "") -> "subprocess.CompletedProcess[str]":
    """A call; its session is its own, since who stops this process by ctrl-C stops no call."""
    return subprocess.run(["kubectl", *words], input=given, capture_output=True, text=True, start_new_session=True)


def _exit_code(status: dict[str, Any]) -> int | None:
    if status.get("phase") not in ("Succeeded", "Failed"):
        return None
    ended = [one["state"].get("terminated") for one in status.get("containerStatuses", [])]
    return int(ended[0]["exitCode"]) if ended and ended[0] else GONE  # evicted, it may have none


def _reason(status: dict[str, Any]) -> str:
    """Why it does not run yet: no place, no image."""
    waiting = [one["state"].get("waiting", {}) for one in status.get("containerStatuses", [])]
    unmet = [one for one in status.get("conditions", []) if one.get("status") == "False"]
    words = (" ".join(filter(None, (one.get("reason"), one.get("message")))) for one in [*waiting, *unmet])
    return next(filter(None, words), "for a place")


def _read(path: Path) -> dict[str, Any]:
    """ValueError where it is no manifest of a pod."""
    manifest = YAML(typ="safe").load(path.read_text())
    if not (isinstance(manifest, dict) and manifest.get("kind") == "Pod" and manifest["spec"]["containers"]):
        raise ValueError("no Pod with a container")
    return manifest


def _refused(why: object) -> int:
    print(f"pod: {' '.join(str(why).split())}", file=sys.stderr)
    return 2


def main() -> None:
    """Exit with the command's code; 2 where the manifest does not do."""
    if len(sys.argv) < 3:
        sys.exit(_refused("usage: python -P flows/pod.py MANIFEST COMMAND"))
    path = Path(sys.argv[1])
    try:
        manifest = _read(path)
    except (OSError, ValueError, TypeError, LookupError, YAMLError) as error:
        sys.exit(_refused(f"{path}: {error}; deploy/pod.yaml is an example"))
    sys.exit(Pod(manifest, sys.argv[2:]).run())


if __name__ == "__main__":
    main()
