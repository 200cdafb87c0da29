"""The guard, with real processes: what it runs saves when it is stopped, and never outlives the flow or the guard."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from flows.commands import GUARD
from flows.guard import ABANDONED
from flows.locks import is_held

# learns until it is asked to stop, then saves; as `dvc repro` does, a command starts it and waits
TRAINER = """
import os, signal, sys, time
def save(*_):
    time.sleep(0.5)
    open("saved", "w").close()
    sys.exit(143)
signal.signal(signal.SIGTERM, {handler})
open("pid.part", "w").write(str(os.getpid()))
os.rename("pid.part", "pid")
while True:
    time.sleep(0.1)
"""
COMMAND = "import subprocess, sys; sys.exit(subprocess.run([sys.executable, 'trainer.py']).returncode)"
FLOW = "import os, subprocess, sys; subprocess.run([word.replace('FLOW', str(os.getpid())) for word in sys.argv[1:]])"


@pytest.fixture
def room(tmp_path: Path) -> Path:
    (tmp_path / "trainer.py").write_text(TRAINER.format(handler="save"))
    return tmp_path


def guarded(room: Path, *options: str) -> list[str]:
    return [sys.executable, "-P", str(GUARD), *options, "--", sys.executable, "-c", COMMAND]


def start(room: Path, command: list[str], grace: str = "60") -> subprocess.Popen[bytes]:
    """The command, its trainer learning already."""
    process = subprocess.Popen(
        command, cwd=room, env={**os.environ, "PLURIFILL_GRACE_S": grace}, start_new_session=True
    )
    until(lambda: (room / "pid").exists() or process.poll() is not None)
    assert process.poll() is None
    return process


def until(true, patience_s: float = 120) -> None:
    deadline = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def trainer_lives(room: Path) -> bool:
    pid = int((room / "pid").read_text())
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("code", [0, 3])
def test_the_commands_exit_code_is_the_guards(code):
    command = [sys.executable, "-P", str(GUARD), "--", sys.executable, "-c", f"raise SystemExit({code})"]
    assert subprocess.run(command).returncode == code


def test_asked_to_stop_it_lets_the_work_save_and_leaves_nothing(room):
    guard = start(room, guarded(room, "--hold", str(room / "device.lock")))
    assert is_held(room / "device.lock")
    guard.terminate()
    assert guard.wait() == 128 + signal.SIGTERM
    assert (room / "saved").exists() and not trainer_lives(room) and not is_held(room / "device.lock")


TIDYING = """
import subprocess, sys, time
try:
    subprocess.run([sys.executable, 'trainer.py'] if {work} else [sys.executable, '-c', ''])
    open("pid", "a").close()
    time.sleep(1 if {work} else 600)
finally:
    open("tidied", "w").write("interrupted" if isinstance(sys.exception(), KeyboardInterrupt) else "in peace")
"""


@pytest.mark.parametrize(("work", "how"), [(True, "in peace"), (False, "interrupted")])
def test_the_command_itself_tidies_up_behind_its_work_and_is_interrupted_where_it_has_none(room, work, how):
    guard = start(room, [sys.executable, "-P", str(GUARD), "--", sys.executable, "-c", TIDYING.format(work=work)])
    guard.terminate()
    assert guard.wait() == 128 + signal.SIGTERM
    assert (room / "tidied").read_text() == how


def test_a_killed_flow_leaves_no_orphan_and_what_ran_has_saved(room):
    flow = start(
        room, [sys.executable, "-c", FLOW, *guarded(room, "--watch", "FLOW", "--hold", str(room / "device.lock"))]
    )
    [guard] = [child for child in psutil.Process(flow.pid).children()]
    flow.kill()
    flow.wait()
    until(lambda: not guard.is_running() or guard.status() == psutil.STATUS_ZOMBIE)
    assert not trainer_lives(room) and not is_held(room / "device.lock")


def test_a_killed_worker_stops_the_work_though_the_flow_lives_on(room):
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    guard = start(room, guarded(room, "--watch", str(worker.pid)))
    worker.kill()
    worker.wait()
    assert guard.wait() == ABANDONED
    assert (room / "saved").exists() and not trainer_lives(room)


def test_a_killed_guard_leaves_no_dvc(room):
    """The trainer of `plurifill train` ends with dvc by its own parent-death signal."""
    guard = start(room, guarded(room))
    [command] = psutil.Process(guard.pid).children()
    guard.kill()
    guard.wait()
    until(lambda: not command.is_running() or command.status() == psutil.STATUS_ZOMBIE)
    assert not command.is_running() or command.status() == psutil.STATUS_ZOMBIE
    os.kill(int((room / "pid").read_text()), signal.SIGTERM)  # this one has none
    until(lambda: not trainer_lives(room))
    assert not trainer_lives(room) and (room / "saved").exists()


def test_work_that_does_not_end_is_killed_after_its_grace(room):
    (room / "trainer.py").write_text(TRAINER.format(handler="signal.SIG_IGN"))
    guard = start(room, guarded(room), grace="1")
    guard.terminate()
    assert guard.wait() == 128 + signal.SIGTERM and not trainer_lives(room)


def test_a_device_is_never_given_twice(room):
    guard = start(room, guarded(room, "--hold", str(room / "device.lock")))
    second = [sys.executable, "-P", str(GUARD), "--hold", str(room / "device.lock"), "--"]
    code = f"import os; raise SystemExit(os.path.exists({str(room / 'saved')!r}) + 10)"
    waiting = subprocess.Popen([*second, sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert waiting.stdout and waiting.stdout.readline() == "waiting: device is in use\n"
    guard.terminate()
    assert waiting.wait() == 11  # it began when the first had saved
    guard.wait()


LAUNCHER = """
import signal, subprocess, sys
process = subprocess.Popen(sys.argv[1:], start_new_session=True, cwd="/")
signal.signal(signal.SIGTERM, lambda *_: process.terminate())
signal.signal(signal.SIGINT, signal.SIG_IGN)
print(*sys.argv[1:], file=open("launched", "a"))
sys.exit(process.wait())
"""


def launched(room: Path) -> list[str]:
    """By one that hands on SIGTERM alone, as srun does, to where its command runs: a folder of a container's."""
    (room / "launcher.py").write_text(LAUNCHER)
    return ["--launcher", f"{sys.executable} launcher.py"]


def test_what_a_launcher_puts_elsewhere_saves_there_and_its_command_tidies_up(room):
    guard = start(
        room, [*guarded(room, *launched(room), "--hold", str(room / "device.lock"))[:-1], TIDYING.format(work=True)]
    )
    assert is_held(room / "device.lock") and (room / "launched").exists()
    guard.terminate()
    assert guard.wait() == 128 + signal.SIGTERM
    assert (room / "saved").exists() and (room / "tidied").read_text() == "in peace"
    assert not trainer_lives(room) and not is_held(room / "device.lock")


def test_a_killed_flow_stops_what_a_launcher_put_elsewhere(room):
    flow = start(room, [sys.executable, "-c", FLOW, *guarded(room, "--watch", "FLOW", *launched(room))])
    flow.kill()
    flow.wait()
    until(lambda: not trainer_lives(room))
    assert (room / "saved").exists()


def test_a_launched_commands_exit_code_is_the_guards(room):
    command = [sys.executable, "-P", str(GUARD), *launched(room), "--", sys.executable, "-c", "raise SystemExit(3)"]
    assert subprocess.run(command, cwd=room).returncode == 3
