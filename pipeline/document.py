"""A YAML document as a person wrote it, and with what the environment says for its ${VARIABLES}."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import yaml

VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")
IN_BRACES = re.compile(r"(?<=[\s\[,])(\$\{[^}\n]*\})(?=\s*[,\]}])")
"""A ${VARIABLE} that is a whole value in a list or mapping of one line."""
TEXT, MERGE = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"


class _Loader(yaml.SafeLoader):
    """Every key is text and none is there twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = set()
        for key, _ in node.value:
            if key.tag not in (TEXT, MERGE):
                raise yaml.MarkedYAMLError(problem="expected text as a key", problem_mark=key.start_mark)
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"the key {key.value} is there twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_document(file: Path) -> object:
    """The document as written. Raises OSError, or ValueError with where and why it can't be read.

    YAML has `{url: ${NAME}}` as a mapping in a mapping: where that can't be read, it is read as if quoted.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"expected UTF-8, which byte {error.start + 1} is not") from None
    try:
        return _parsed(text)
    except ValueError as error:
        try:
            return _parsed(IN_BRACES.sub(r'"\1"', text))
        except ValueError:
            raise error from None


def _parsed(text: str) -> object:
    try:
        return yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ValueError(f"not valid YAML: {place}{error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: such as the date 2024-13-01
        raise ValueError(f"not valid YAML: {error}") from None


def with_environment(value: object, unset: Callable[[list, str, str], Exception], *at: object) -> object:
    """Replaces ${NAME} and ${NAME:-default} in every text of the document.

    Raises `unset(path of the value in the document, the value, NAME)` where there is neither a value nor a default.
    """
    if isinstance(value, dict):
        return {key: with_environment(item, unset, *at, key) for key, item in value.items()}
    if isinstance(value, list):
        return [with_environment(item, unset, *at, index) for index, item in enumerate(value)]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match) -> str:
        found = os.environ.get(match["name"]) or match["default"]
        if found is None:
            raise unset(list(at), value, match["name"])
        return found

    return VARIABLE.sub(replace, value)
