"""JSON documents one after the other, as in JSON lines, or as the elements of an array; one is held at a time."""

import io
import json
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from ingest.formats.attempts import Misshapen, Unfit, mapping, unfit
from ingest.source import Unreadable

CHUNK = 1 << 20
LONGEST = 256 << 20
"""Characters of a document: attachments are written into it."""
DECODER = json.JSONDecoder()


def documents(stream: BinaryIO, *, encoding: str) -> Iterator[object]:
    """Raises Unreadable where one breaks off, with its place."""
    reader = _Reader(io.TextIOWrapper(stream, encoding=encoding))
    if not reader.begun():
        raise Unreadable("the file is empty")
    if not reader.takes("["):
        while reader.begun():
            yield reader.value()
        return
    while not reader.takes("]"):
        if reader.count and not reader.takes(","):
            raise reader.broken("expected , or ]")
        yield reader.value()
    if reader.begun():
        raise reader.broken("something follows the array")


def rows_of_documents(
    stream: BinaryIO, encoding: str, what: str, rows: Callable[[dict], Iterable[dict]]
) -> Iterator[dict | Unfit]:
    """The rows of each document; one that is Misshapen, so not `what` it should be, is itself unfit."""
    for document in documents(stream, encoding=encoding):
        try:
            yield from rows(mapping(document, "the document"))
        except Misshapen as error:
            yield unfit(document, f"not {what}: {error}")


class _Reader:
    def __init__(self, text: io.TextIOWrapper):
        self.text = text
        self.rest = ""
        self.count = 0
        self._more()
        self.rest = self.rest.removeprefix("\ufeff")

    def begun(self) -> str:
        """What is left, without leading blanks; empty at the end."""
        while not (rest := self.rest.lstrip()) and self._more():
            pass
        self.rest = rest
        return rest

    def takes(self, character: str) -> bool:
        found = self.begun().startswith(character)
        self.rest = self.rest[found:]
        return found

    def value(self) -> object:
        """The next one, reading on until it is whole."""
        self.begun()
        while True:
            try:
                value, end = DECODER.raw_decode(self.rest)
                self.rest = self.rest[end:]
                self.count += 1
                return value
            except json.JSONDecodeError as error:
                if not self._more():
                    raise self.broken(str(error)) from None
            except RecursionError:
                raise self.broken("nested too deeply") from None
            if len(self.rest) > LONGEST:
                raise self.broken(f"longer than {LONGEST >> 20} million characters")

    def _more(self) -> bool:
        """Reads on, as much again as there is, so that a long document is not decoded once per chunk."""
        try:
            more = self.text.read(max(CHUNK, len(self.rest)))
        except UnicodeError as error:
            raise Unreadable(
                f"not {self.text.encoding}: {error}; say which encoding it has with encoding: in plant.yml"
            ) from None
        self.rest += more
        return bool(more)

    def broken(self, problem: str) -> Unreadable:
        return Unreadable(f"JSON breaks off, or is none, in document {self.count + 1}: {problem}")
