"""Where a split's tars are: a folder of them, or a pattern of URLs with braces."""

import os
import shlex
from pathlib import Path

from webdataset.cache import islocal
from webdataset.shardlists import expand_urls

from stages.contract import UserError

BUCKETS = "s3://"  # the scheme of URLs that fsspec opens; what else there is webdataset does
STALL_S = 60  # seconds in which nothing comes, after which a transfer is given up


def urls_of(pattern: str, split: str) -> list[str]:
    """The split's tars in order: all `*.tar` of a folder, or what `train-{000000..000099}.tar` stands for.

    ~ and $VARIABLES of folders and files are expanded. UserError where a folder has none.
    """
    if not islocal(pattern):
        return expand_urls(pattern)
    place = Path(os.path.expandvars(pattern.removeprefix("file://"))).expanduser()
    if not place.is_dir():
        return expand_urls(str(place))
    if not (found := sorted(map(str, place.glob("[!.]*.tar")))):
        raise UserError(f"{place}: no tars in there; name a folder of {split}'s tars, or a pattern of URLs")
    return found


def opener_of(url: str, stall_s: int = STALL_S) -> str:
    """What webdataset's `gopen` opens the URL by; http by curl, which gives up where nothing comes.

    webdataset's own call of curl waits for a silent server without end.
    """
    if not url.startswith(("http://", "https://")):
        return url
    limits = f"--connect-timeout {stall_s} --speed-limit 1 --speed-time {stall_s}"
    return f"pipe:curl --fail --silent --location {limits} {shlex.quote(url)}"
