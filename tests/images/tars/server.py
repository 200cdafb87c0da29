"""An HTTP server on 127.0.0.1 that serves a folder, and does it badly where it is told to."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PIECE = 4096


@dataclass
class Served:
    """Its address, what was asked of it, and what becomes of the next answers."""

    folder: Path
    url: str = ""
    asked: list[str] = field(default_factory=list)
    dying: int = 0  # of so many answers half is sent, then the connection ends
    pause_s: float = 0.0  # before every piece

    def times(self, name: str) -> int:
        return self.asked.count(name)


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    """A server of the folder's files, without ranges."""
    served = Served(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.lstrip("/")
            served.asked.append(name)
            if not (folder / name).is_file():
                return self.send_error(404)
            data = (folder / name).read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self._send(data)

        def _send(self, data: bytes) -> None:
            end = len(data)
            if served.dying:
                served.dying, end = served.dying - 1, len(data) // 2
            for start in range(0, end, PIECE):
                time.sleep(served.pause_s)
                try:
                    self.wfile.write(data[start : min(start + PIECE, end)])
                except (BrokenPipeError, ConnectionResetError):
                    return

        def log_message(self, format: str, *args: object) -> None:
            """Nothing to stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
