"""What flows raise, and the end of a line that helps a user who misspelt a name."""

import difflib
from collections.abc import Iterable


class InvalidRequest(Exception):  # noqa: N818 - a request, not an error of ours
    """The user's mistake: nothing was started; the message is one line that names the key or file and the mend."""

    def __init__(self, line: str) -> None:
        super().__init__(" ".join(line.split()))  # a key or a name may hold a line's end


class SubflowFailed(Exception):  # noqa: N818 - the subflow failed, not the one that raises this
    """A flow run that another flow asked for did not complete."""


class CommitMissing(Exception):  # noqa: N818 - no error where another machine has it
    """What is to be run is at a commit that this clone has not got and cannot fetch."""


class Abandoned(Exception):  # noqa: N818 - not an error of the command's
    """The worker is gone: the command was stopped after it had saved, and the flow is to be run again."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of an error line: the nearest known name, or all of them."""
    names = list(known)
    close = difflib.get_close_matches(word, names, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; there are {', '.join(names)}" if names else ""
