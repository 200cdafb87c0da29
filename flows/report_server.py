"""`python -m flows.report_server HOST PORT`: the report, as pages that a link can lead to.

A browser follows no link from Prefect's page to a file. Read-only, no lists of folders; it asks for the login where
there is one.
"""

import base64
import hmac
import os
import sys
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from flows import access

PAGE = "index.html"


def folder() -> Path:
    """Where stages put the report."""
    return Path(os.environ.get("PLURIFILL_REPORTS") or "reports")


def port() -> str:
    """Of the report's pages."""
    return os.environ.get("REPORT_PORT", "4201")


def address() -> str:
    """The report's, for a browser."""
    return f"http://{access.seen_at()}:{port()}/{PAGE}"


class Pages(SimpleHTTPRequestHandler):
    """GET and HEAD of the folder's files."""

    def send_head(self) -> Any:
        """The file, open, once who asks is known."""
        if self._may_read():
            return super().send_head()
        self.send_response(HTTPStatus.UNAUTHORIZED)
        self.send_header("WWW-Authenticate", 'Basic realm="plurifill"')
        self.send_header("Content-Length", "0")
        self.end_headers()
        return None

    def end_headers(self) -> None:
        """A page that is made anew is shown anew."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def list_directory(self, path: Any) -> Any:
        """None: what the report links to is all there is."""
        self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the log is the servers'."""

    def _may_read(self) -> bool:
        """With the login; without one by loopback's names alone: a page from elsewhere may have others for it."""
        login = access.login()
        if login is None:
            return self.headers.get("Host", "").rpartition(":")[0] in {access.LOOPBACK, "localhost", "[::1]"}
        expected = b"Basic " + base64.b64encode(":".join(login).encode())
        return hmac.compare_digest(self.headers.get("Authorization", "").encode(), expected)


def main() -> None:
    """Serve until it is ended."""
    host, own_port = sys.argv[1:]
    handler = partial(Pages, directory=str(folder()))
    with ThreadingHTTPServer((host, int(own_port)), handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
