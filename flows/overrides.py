"""params.yaml with other values, as a point's worktree has it."""

import io
import re
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

PLAIN = re.compile(r"[A-Za-z0-9_./-]+")


def overridden(params: str, overrides: Mapping[str, Any]) -> str:
    """The text of params.yaml with other values; its comments and lines stay."""
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.preserve_quotes, yaml.width = True, 1 << 16
    document = yaml.load(params)
    for key, value in overrides.items():
        *parents, leaf = key.split(".")
        block = document
        for parent in parents:
            block = block[parent]
        block[leaf] = _written(value)
    out = io.StringIO()
    yaml.dump(document, out)
    return out.getvalue()


class _Representer(RoundTripRepresenter):
    """Writes null as params.yaml does."""

    def represent_none(self, data: None) -> ScalarNode:
        """As a word, and not as nothing."""
        return self.represent_scalar("tag:yaml.org,2002:null", "null")


_Representer.add_representer(type(None), _Representer.represent_none)


def _written(value: Any) -> Any:
    """A text in quotes unless every reader of YAML takes it as it is (`0?` in a block {...} is none); lists in line."""
    if isinstance(value, str) and not PLAIN.fullmatch(value):
        return DoubleQuotedScalarString(value)
    return _in_line(value) if isinstance(value, list) else value


def _in_line(values: list[Any]) -> CommentedSeq:
    """A list that is written as `[1, 2]`: on several lines it would tear a key from its comment."""
    found = CommentedSeq(map(_written, values))
    found.fa.set_flow_style()
    return found
