"""The bytes of a tar that is elsewhere, as they come: by webdataset's streams, or out of a bucket by fsspec's."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from typing import Any

import fsspec
from webdataset.gopen import gopen

from stages.contract import UserError
from stages.images.tars.urls import BUCKETS, opener_of

BUFFER = 2**20  # bytes that are in memory at once
CURL = {  # its exit codes, as far as they tell what is to be mended
    6: "there is no such host",
    7: "the server does not answer",
    18: "the server ended in the middle",
    22: "the server refuses it; is there such a file?",
    28: "nothing came for too long",
    127: "there is no program curl here; install it",
}


class TransferError(Exception):
    """A transfer that failed, and may do better the next time."""


def pieces(url: str, stall_s: int) -> Generator[bytes]:
    """All of it, a piece at a time; a transfer is given up where nothing comes for `stall_s`.

    TransferError tells what failed; UserError where nothing here opens such a URL. Whoever wants no more closes it.
    """
    return _of_bucket(url, stall_s) if url.startswith(BUCKETS) else _of_program(url, stall_s)


def _of_program(url: str, stall_s: int) -> Generator[bytes]:
    stream = _opened(url, stall_s)
    try:
        while data := stream.read(BUFFER):
            yield data
        stream.close()
    except OSError as error:
        raise TransferError(CURL.get(stream.status, f"exit code {stream.status}")) from error
    finally:
        with suppress(OSError):  # of a program that could not end what nobody wants any more
            stream.close()


def _opened(url: str, stall_s: int) -> Any:
    """webdataset's stream of a URL."""
    try:
        return gopen(opener_of(url, stall_s))
    except FileNotFoundError as error:
        raise UserError(f"{url}: there is no program {error.filename} here; install it, or name another URL") from error
    except ValueError as error:
        fault = "webdataset opens no such URLs; give https://, s3://, gs:// or pipe:COMMAND"
        raise UserError(f"{url}: {fault}") from error


def _of_bucket(url: str, stall_s: int) -> Generator[bytes]:
    limits = {"connect_timeout": stall_s, "read_timeout": stall_s}
    try:
        buckets = fsspec.filesystem("s3", config_kwargs=limits, skip_instance_cache=True)
    except ImportError as error:
        raise UserError(f"{url}: s3fs is not installed here; install plurifill[s3]") from error
    with _told(buckets.open, url, "rb", 8 * BUFFER) as file:
        while data := _told(file.read, BUFFER):
            yield data


def _told(call: Any, *given: Any) -> Any:
    try:
        return call(*given)
    except FileNotFoundError as error:
        raise TransferError(f"there is no such file ({error})") from error
    except Exception as error:  # botocore's are many: no credentials, no such bucket, refused, not reached
        raise TransferError(" ".join(str(error).split()) or type(error).__name__) from error
