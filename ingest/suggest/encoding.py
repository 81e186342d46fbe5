"""Which encoding the first bytes of a text have."""

import codecs
import re
from contextlib import suppress

from ingest.formats.delimited import BYTE_ORDER_MARKS
from ingest.source import Unreadable

PAIRS = {"gb18030": (0xB0, 0xD7), "big5": (0xA4, 0xC6), "shift_jis": (0x81, 0x9F), "euc_kr": (0xB0, 0xC8)}
"""Encodings of two bytes a character, with the first bytes of the characters that are most usual."""
HIGH = re.compile(rb"[\x80-\xff]+")
CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1b\x7f]")


def decoded(data: bytes, *, whole: bool) -> tuple[str, str]:
    """The text and its encoding; a character that is cut off at the end is left out unless the text is `whole`.

    `utf-8` stands for what the loader reads untold, so for any byte order mark. Raises Unreadable for binary data.
    """
    for mark, name in BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            return _decode(data, name, whole), "utf-8"
    if len(data) > 3 and data[1::2].count(0) > len(data) / 3 and not data[0::2].count(0):
        return _decode(data, "utf-16-le", whole), "utf-16-le"
    if CONTROLS.search(data):
        raise Unreadable("it is binary, and in no format that is known")
    pairs = [name for name in PAIRS if _usual(data, name) > 0.7]
    for name in ("utf-8", *sorted(pairs, key=lambda name: -_usual(data, name)), "cp1252"):
        with suppress(UnicodeDecodeError):
            return _decode(data, name, whole), name
    return _decode(data, "latin-1", whole), "latin-1"


def _usual(data: bytes, name: str) -> float:
    """Share of runs of high bytes that are pairs beginning as that encoding's most usual characters do, 0 to 1."""
    first, last = PAIRS[name]
    runs = HIGH.findall(data)[:5000]
    pairs = sum(len(run) % 2 == 0 and all(first <= byte <= last for byte in run[::2]) for run in runs)
    return pairs / max(len(runs), 1)


def _decode(data: bytes, name: str, whole: bool) -> str:
    return codecs.getincrementaldecoder(name)().decode(data, final=whole)
