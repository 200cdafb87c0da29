"""`plurifill demo`: a page on this machine where a hole is painted and the trained methods complete it."""

from __future__ import annotations

import socket
import sys
from typing import Annotated

import typer
import uvicorn

from stages.cli import options
from stages.contract import UserError
from stages.demo import server
from stages.demo.examples import Examples
from stages.demo.studio import Studio
from stages.project import devices
from stages.project import params as settings

HOST = "127.0.0.1"


def main(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free")] = 8000,
    device: options.Device = "",
    set_: options.Set = None,
    params: options.ParamsFile = options.PARAMS,
) -> None:
    """Open a local page: paint a hole, see several completions of every trained method; Ctrl-C ends it."""
    values = settings.read(params, set_ or ())
    app = server.app(Studio(values, devices.choose(device)), Examples.open(values))
    with _listening(port) as place:
        print(f"http://{HOST}:{place.getsockname()[1]}", flush=True)
        print("Ctrl-C ends it", file=sys.stderr)
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[place])


def _listening(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        raise UserError(f"--port {port}: {error.strerror}; name another, or 0 for any that is free") from error
