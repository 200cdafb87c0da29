"""Where Prefect's server is, and a client of it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from prefect import get_client
from prefect.client.orchestration import SyncPrefectClient
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows import access
from flows.errors import InvalidRequest


def port() -> str:
    """Of the server that `make ui` starts on this machine."""
    return os.environ.get("PREFECT_PORT", "4200")


def api() -> str:
    """PREFECT_API_URL, or that server's."""
    return os.environ.get("PREFECT_API_URL") or f"http://{access.reached_at()}:{port()}/api"


@contextmanager
def client() -> Iterator[SyncPrefectClient]:
    """A client of that server; never of a temporary one."""
    with temporary_settings({PREFECT_API_URL: api()}), get_client(sync_client=True) as found:
        yield found


def require(client: SyncPrefectClient) -> None:
    """InvalidRequest where it does not answer."""
    if error := client.api_healthcheck():
        raise InvalidRequest(f"no server at {api()} ({type(error).__name__}); `make ui` starts one")


def told(error: PrefectHTTPStatusError) -> str:
    """Why the server refused, in one line."""
    try:
        detail = error.response.json().get("detail", "")
    except ValueError:
        detail = ""
    return " ".join(str(detail or error).split())
