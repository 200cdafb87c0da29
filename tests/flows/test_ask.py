"""`make pipeline` and `make sweep`: why it waits, why it failed, what is wrong with the request; real processes."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows import toy
from tests.flows.stack import Stack, until
from tests.flows.test_early_stop import asked as points
from tests.flows.test_early_stop import stops
from tests.flows.test_reproduce import learning

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """No server, no worker."""
    return Stack.of(toy.make(tmp_path_factory.mktemp("asked") / "toy"), slots=2)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A server with the deployments; each test has its own workers."""
    with Stack.served(toy.make(tmp_path_factory.mktemp("served") / "toy"), PLURIFILL_CPU_SLOTS="2") as found:
        found.flows("deploy")
        yield found


@pytest.fixture
def working(served: Stack) -> Iterator[Stack]:
    served.flows("workers", "start")
    yield served
    served.flows("workers", "stop")


def asked(stack: Stack, *words: str, expect: int) -> list[str]:
    return stack.call(sys.executable, "-m", "flows.ask", *words, expect=expect).splitlines()


def test_without_a_server_one_line_says_so(toys: Stack) -> None:
    for words in (["reproduce/pipeline"], ["sweep/grid", "--name", "grid"]):
        [line] = asked(toys, *words, expect=2)
        assert line == f"{words[0]}: no server at {toys.api} (ConnectError); `make ui` starts one"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("gird", "sweep/grid: params.yaml: no sweep sweeps.gird; did you mean grid?"),
        ("", "sweep/grid: sweep: name = '': give 1 to 48 letters, digits, _, + or -, and . between them"),
    ],
)
def test_a_misspelt_sweep_is_one_line_at_once(toys: Stack, name: str, line: str) -> None:
    assert asked(toys, "sweep/grid", "--name", name, expect=2) == [line]


@pytest.mark.parametrize("words", [["reproduce/pipeline"], ["sweep/grid", "--name", "grid"]])
def test_a_word_for_a_number_of_parts_is_one_line_at_once(toys: Stack, words: list[str]) -> None:
    [line] = asked(toys, *words, "--parts", "two", expect=2)
    assert line == f"{words[0]}: parts = 'two': give in how many parts samples and scores are made, from 1 to 64"


def test_a_server_without_the_deployment_is_one_line(served: Stack) -> None:
    [line] = asked(served, "sweep/gird", "--name", "grid", expect=2)
    assert line == f"sweep/gird: no deployment sweep/gird at {served.api}; `make deploy` puts it there"


def test_a_wait_without_workers_is_told_and_ends_with_them(served: Stack) -> None:
    command = [sys.executable, "-m", "flows.ask", "reproduce/pipeline"]
    pipe = subprocess.PIPE
    asking = subprocess.Popen(command, cwd=served.project, env=served.environment, stdout=pipe, stderr=pipe, text=True)
    assert asking.stdout
    said = [asking.stdout.readline().strip() for _ in range(3)]
    assert said[0].startswith(f"reproduce/pipeline: {served.pages}/runs/flow-run/") and said[1] == "this run: Scheduled"
    assert said[2] == "waits: no worker of the pool flows is running; `make workers` starts this machine's"
    served.environment["PLURIFILL_POOLS"] = "flows"
    served.flows("workers", "start")
    line = until(lambda: next((one for one in asking.stdout or () if one.startswith("waits: ")), None))
    assert line.strip() == "waits: no worker of the pool gpu is running; `make workers` starts this machine's"
    served.flows("workers", "stop")
    del served.environment["PLURIFILL_POOLS"]
    served.flows("workers", "start")
    rest, wrong = asking.communicate(timeout=400)
    served.flows("workers", "stop")
    assert asking.returncode == 0 and not wrong and rest.splitlines()[-1] == "this run: Completed"
    assert "report: Completed" in rest.splitlines() and re.search(r"pipeline: \d+ made, 0 running, 0 failed\n", rest)


def test_the_reason_of_a_failure_is_told(working: Stack) -> None:
    toy.edit(working.project, "good: true", "good: false")
    said = asked(working, "reproduce/pipeline", expect=1)
    toy.edit(working.project, "good: false", "good: true")
    told = [line for line in said if line.startswith("sample@rival: ") and "this one is bad" in line]
    assert len(told) == 1 and "ended with exit code" in told[0] and "encountered an exception" not in told[0]
    assert said[-1].startswith("reproduce/pipeline: ") and "sample@rival: Failed" in said


def test_a_run_that_crashed_and_was_made_good_is_told_once_and_is_no_failure(working: Stack) -> None:
    toy.train(working.project, rate=5, steps=100)
    command = [sys.executable, "-m", "flows.ask", "reproduce/pipeline"]
    pipe = subprocess.PIPE
    asking = subprocess.Popen(
        command, cwd=working.project, env=working.environment, stdout=pipe, stderr=pipe, text=True
    )
    begun = learning(working, "train/5")
    working.worker(f"gpu-on-{begun[4]}").children()[0].send_signal(signal.SIGKILL)
    said, wrong = asking.communicate(timeout=400)
    told = [line.partition(": ")[2] for line in said.splitlines() if line.startswith("toy@train: ")]
    assert asking.returncode == 0 and not wrong
    assert told.count("Crashed") == 1 and told.count("Running") == 2 and told[-1] == "Completed"


def test_a_sweep_of_lists_and_nulls_is_made_and_a_bad_point_says_why(working: Stack) -> None:
    grid = "  kinds: {grid: {methods.toy.inpaint.heat: [[1, [2]], null], methods.rival.inpaint.good: [true, false]}}\n"
    toy.edit(working.project, "sweeps:\n", f"sweeps:\n{grid}")
    said = asked(working, "sweep/grid", "--name", "kinds", expect=1)
    made = {path.stem for path in (working.project / "reports/sweeps/kinds").glob("*.json")}
    assert made == {"heat=1+2,good=true", "heat=null,good=true"}
    [reason] = [line.partition(": ")[0] for line in said if "this one is bad" in line]
    assert reason.startswith("kinds/shared-")  # the one stage that two points need
    assert "kinds: 2 of 4 points made, 0 running, 1 failed" in said
    log = re.search(r"\(log: (.+)\)$", next(line for line in said if "this one is bad" in line))
    assert log and "this one is bad" in Path(log[1]).read_text()
    lost = "heat=1+2,good=false, heat=null,good=false"
    assert said[-1] == f"sweep/grid: kinds: 2 of 4 points are not made: {lost}"
    assert "grid" not in {path.name for path in (working.project / "reports/sweeps").iterdir()}
    for request in ({"name": ""}, {"name": "kinds", "methods": ["rival"], "anew": True}):
        run = working.run("sweep/grid", grid={"methods.toy.inpaint.heat": [1.0, [2]]}, **request)
        assert working.wait(run) == "FAILED"
    assert {path.stem for path in (working.project / "reports/sweeps/kinds").glob("*.json")} == made


def test_a_run_that_refuses_is_the_users_mistake(working: Stack) -> None:
    params = working.project / "params.yaml"
    before = params.read_text()
    params.write_text(before.replace("heat: 1.0", "heat: 7.0"))
    said = asked(working, "sweep/grid", "--name", "grid", expect=2)
    params.write_text(before)
    assert said[-1].startswith("sweep/grid: params.yaml: changed since the last commit; a sweep runs what is committed")


def test_interrupted_it_says_that_the_run_goes_on(served: Stack) -> None:
    command = [sys.executable, "-m", "flows.ask", "reproduce/pipeline"]
    asking = subprocess.Popen(command, cwd=served.project, env=served.environment, stdout=subprocess.PIPE, text=True)
    assert asking.stdout
    page = asking.stdout.readline().strip().partition(": ")[2]
    asking.stdout.readline()
    asking.send_signal(2)
    assert asking.communicate(timeout=60)[0].splitlines()[-1] == f"the run goes on: {page} can cancel it"
    assert asking.returncode == 130 and served.state(page.rpartition("/")[2]) == "SCHEDULED"


def test_a_search_by_workers_gives_up_the_points_that_one_process_would_and_names_the_best(working: Stack) -> None:
    stop = "stop: {part: train, curve: nll, after: 5, factor: 2}"
    search = f"{{over: {{methods.toy.train.rate: {{low: 1000, high: 9999}}}}, points: 6, seed: 3, together: 2, {stop}, "
    block = f"sweeps:\n  look: {{methods: [toy], search: {search}goal: {{protocol: plain, metric: l1}}}}}}\n"
    toy.edit(working.project, "sweeps:\n", block)
    toy.train(working.project, 1, 60)  # whatever was asked before
    toy.edit(working.project, "steps: 60}", "steps: 60, loop: {steps: 60}}")
    said = asked(working, "sweep/grid", "--name", "look", expect=0)
    folder = working.project / "reports/sweeps/look"
    given_up = {path.stem: json.loads(path.read_text())["step"] for path in (folder / "stopped").glob("*.json")}
    expected = stops(points(working.project, "look"), 60)
    assert given_up == {name: step for name, step in expected.items() if step} and given_up
    assert {path.stem for path in folder.glob("*.json")} == expected.keys() - given_up.keys()
    assert "look: 6 of 6 points made, 0 running, 0 failed" in said and said[-3] == "this run: Completed"
    assert re.fullmatch(rf"The best of {6 - len(given_up)} by l1 under plain: rate=\d+ \(.+\)\.", said[-2])
    assert said[-1] == f"{len(given_up)} more were stopped early, by val nll of train."
    again = asked(working, "sweep/grid", "--name", "look", expect=0)
    assert again[-2:] == said[-2:] and not [line for line in again if "rate=" in line and "best" not in line]
