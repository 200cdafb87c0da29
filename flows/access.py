"""Who reaches this machine's servers: nobody but it; by PLURIFILL_HOST and PLURIFILL_LOGIN, whoever has the password.

No prefect in here: flows/__init__.py gives the login on before prefect reads its settings.
"""

import configparser
import hashlib
import ipaddress
import os
import platform
import secrets
from io import StringIO
from pathlib import Path

from flows import files
from flows.errors import InvalidRequest

LOOPBACK = "127.0.0.1"
SHORTEST = 12  # characters of a password: MLflow takes none below


def host() -> str:
    """The address that the servers listen on."""
    return os.environ.get("PLURIFILL_HOST") or LOOPBACK


def reached_at(name: str = LOOPBACK) -> str:
    """Where to reach them: `name` is this machine's, for servers that listen on all of its addresses."""
    return name if host() in ("0.0.0.0", "::") else host()


def seen_at() -> str:
    """The same, for links that other machines may follow."""
    return reached_at(platform.node())


def login() -> tuple[str, str] | None:
    """The name and password that the servers ask for; None: they ask for none. InvalidRequest where it is too short."""
    name, colon, password = os.environ.get("PLURIFILL_LOGIN", "").partition(":")
    if not (name or colon):
        return None
    if not name or len(password) < SHORTEST:
        raise InvalidRequest(f"PLURIFILL_LOGIN: give name:password, the password with {SHORTEST} characters at least")
    return name, password


def check() -> None:
    """InvalidRequest where others could reach the servers without a password."""
    if login() is None and not _is_loopback(host()):
        raise InvalidRequest(
            f"PLURIFILL_HOST={host()}: others could reach the servers; set PLURIFILL_LOGIN=name:password too"
        )


def client_environment() -> dict[str, str]:
    """What clients of Prefect's server read; those of MLflow's read PLURIFILL_LOGIN itself (stages/tracking)."""
    return {"PREFECT_API_AUTH_STRING": ":".join(found)} if (found := login()) else {}


def prefect_environment() -> dict[str, str]:
    """What Prefect's server reads."""
    return {"PREFECT_SERVER_API_AUTH_STRING": ":".join(found)} if (found := login()) else {}


def mlflow_options(folder: Path) -> tuple[list[str], dict[str, str]]:
    """Options and environment of MLflow's server; its list of users lies in `folder`."""
    found = login()
    if found is None:
        return [], {}
    name, password = found
    config = folder / "mlflow-login.ini"
    _write_config(config, folder / f"mlflow-login-{_digest(f'{name}:{password}')}.db")
    own = {"MLFLOW_AUTH_CONFIG_PATH": str(config), "MLFLOW_FLASK_SERVER_SECRET_KEY": secrets.token_hex(32)}
    asked = {"MLFLOW_AUTH_ADMIN_USERNAME": name, "MLFLOW_AUTH_ADMIN_PASSWORD": password}
    # it answers to loopback's names alone, against pages that make a browser ask in their name: they have no password
    return ["--app-name", "basic-auth", "--allowed-hosts", "*"], own | asked


def _write_config(path: Path, users: Path) -> None:
    """MLflow makes the login the one user of a list that is empty: each login has a list of its own."""
    written = configparser.ConfigParser(interpolation=None)
    written["mlflow"] = {
        "default_permission": "READ",
        "database_uri": f"sqlite:///{os.path.relpath(users)}".replace("%", "%%"),
        "authorization_function": "mlflow.server.auth:authenticate_request_basic_auth",
    }
    text = StringIO()
    written.write(text)
    files.write_text(path, text.getvalue())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
