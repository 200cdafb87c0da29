"""The user's mistakes: one line each that names the key or the file and the mend."""

import difflib
from collections.abc import Iterable


class Refused(Exception):  # noqa: N818 - a wish that cannot be granted
    """Nothing was started; the message is one line for the user."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of such a line: the nearest known name, or all of them."""
    names = list(known)
    close = difflib.get_close_matches(word, names, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; there are {', '.join(names)}" if names else ""
