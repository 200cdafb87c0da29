"""The page's server: the page's files, entries, examples, completions; it keeps nothing of what is asked."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from stages.contract import UserError
from stages.demo.asked import Asked, picture
from stages.demo.examples import Examples
from stages.demo.studio import Studio
from stages.images.files import encode_png

PAGE = Path(__file__).parent / "page"
HOSTS = ["127.0.0.1", "localhost"]  # a foreign site that resolves to this machine reads nothing here
LARGEST = 64 * 2**20  # bytes of a request
POLICY = "default-src 'self'; script-src 'self'; img-src 'self' data: blob:; connect-src 'self' data:"


def app(studio: Studio, examples: Examples) -> FastAPI:
    """The server; a mistake of the person's is answered by 422 (400: not readable), and `{"error": one line}`."""
    server = FastAPI(title="plurifill demo", openapi_url=None)
    server.add_middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)
    server.middleware("http")(_guarded)
    server.exception_handler(UserError)(lambda _, error: _refused(str(error)))
    server.exception_handler(RequestValidationError)(lambda _, error: _refused(_line(error)))
    server.exception_handler(HTTPException)(lambda _, error: _refused(error.detail, error.status_code))
    _serve(server, studio, examples)
    server.mount("/", StaticFiles(directory=PAGE, html=True))
    return server


def _serve(server: FastAPI, studio: Studio, examples: Examples) -> None:
    @server.get("/api/entries")
    def entries() -> list[dict[str, Any]]:
        return studio.entries()

    @server.get("/api/examples")
    def listed() -> dict[str, Any]:
        return {"keys": list(examples.pictures), "missing": examples.missing}

    @server.get("/api/examples/{key:path}")
    def example(key: str) -> Response:
        if key not in examples.pictures:
            raise UserError(f"{key}: no such example; choose one that the page shows")
        return Response(examples.pictures[key], media_type="image/png")

    @server.post("/api/picture")
    async def shown(request: Request) -> Response:
        """An encoded picture, as completions see it, as a PNG: whatever a browser can or cannot show itself."""
        seen = await run_in_threadpool(picture, await request.body())
        return Response(encode_png(seen.own_HWC), media_type="image/png")

    @server.post("/api/complete")
    def complete(asked: Asked) -> dict[str, Any]:
        drawn, remarks = studio.complete(asked)
        pictures = [{"seed": str(seed), "png": base64.b64encode(png).decode()} for seed, png in drawn]
        return {"completions": pictures, "remarks": remarks}


async def _guarded(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    size = request.headers.get("content-length", "")
    if request.method == "POST" and not size.isdigit():
        return _refused("the request: it does not tell its length; send a content-length", 411)
    if size.isdigit() and int(size) > LARGEST:
        return _refused(f"the picture: its file is over {LARGEST // 2**20} MiB; make it smaller", 413)
    response = await go_on(request)
    response.headers["content-security-policy"] = POLICY
    return response


def _refused(line: str, status: int = 422) -> JSONResponse:
    return JSONResponse({"error": " ".join(line.split())}, status)


def _line(error: RequestValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(str(name) for name in first['loc'][1:]) or 'the request'}: {first['msg']}"
