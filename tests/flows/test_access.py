"""Nobody but this machine reaches the servers, unless they ask for a password."""

import subprocess
import sys
from pathlib import Path

import pytest

from flows import access
from flows.errors import InvalidRequest

GOOD = "ann:correct horse battery"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PLURIFILL_HOST", "PLURIFILL_LOGIN"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("host", ["", "127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_on_loopback_no_password_is_needed(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("PLURIFILL_HOST", host)
    access.check()
    assert not access.client_environment() and access.mlflow_options(Path()) == ([], {})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "gpubox", "127.0.0.1.example"])
def test_elsewhere_it_is(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("PLURIFILL_HOST", host)
    with pytest.raises(InvalidRequest, match=f"^PLURIFILL_HOST={host}: .*set PLURIFILL_LOGIN=name:password too$"):
        access.check()
    monkeypatch.setenv("PLURIFILL_LOGIN", GOOD)
    access.check()


@pytest.mark.parametrize("login", ["ann", "ann:", ":correct horse battery", "ann:short", ":"])
def test_a_login_has_a_name_and_a_long_password(monkeypatch: pytest.MonkeyPatch, login: str) -> None:
    monkeypatch.setenv("PLURIFILL_LOGIN", login)
    with pytest.raises(InvalidRequest, match=r"^PLURIFILL_LOGIN: give name:password"):
        access.check()


def test_every_server_and_client_has_the_same_login(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PLURIFILL_LOGIN", f"{GOOD}:%x")  # a password may hold what files and addresses cut at
    assert access.prefect_environment()["PREFECT_SERVER_API_AUTH_STRING"] == f"{GOOD}:%x"
    assert access.client_environment()["PREFECT_API_AUTH_STRING"] == f"{GOOD}:%x"
    words, own = access.mlflow_options(tmp_path)
    assert words[:2] == ["--app-name", "basic-auth"]
    assert own["MLFLOW_AUTH_ADMIN_PASSWORD"] == GOOD.partition(":")[2] + ":%x"
    written = Path(own["MLFLOW_AUTH_CONFIG_PATH"]).read_text()
    assert GOOD not in written and "correct" not in written


def test_another_login_is_another_list_of_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lists = set()
    for login in (GOOD, "ann:another long one", GOOD):
        monkeypatch.setenv("PLURIFILL_LOGIN", login)
        lists.add(Path(access.mlflow_options(tmp_path)[1]["MLFLOW_AUTH_CONFIG_PATH"]).read_text())
    assert len(lists) == 2


def test_links_lead_to_this_machine_by_a_name_that_others_know(monkeypatch: pytest.MonkeyPatch) -> None:
    assert access.seen_at() == access.reached_at() == "127.0.0.1"
    monkeypatch.setenv("PLURIFILL_HOST", "0.0.0.0")
    assert access.reached_at() == "127.0.0.1" and access.seen_at() not in ("127.0.0.1", "0.0.0.0")
    monkeypatch.setenv("PLURIFILL_HOST", "192.168.1.7")
    assert access.reached_at() == access.seen_at() == "192.168.1.7"


@pytest.mark.parametrize(("name", "value"), [("PLURIFILL_HOST", "0.0.0.0"), ("PLURIFILL_LOGIN", "ann:short")])
def test_the_servers_refuse_in_one_line_and_start_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(access.__file__).parents[1]))
    done = subprocess.run([sys.executable, "-m", "flows.ui", "start"], capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and name in done.stderr and not done.stdout
    assert not list(tmp_path.iterdir())
