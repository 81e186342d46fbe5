"""ZIP archives: each member is an object of its own, read as a stream and never written under its own name."""

import lzma
import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ingest.source import Unreadable
from pipeline.screen import printable

SUFFIX = ".zip"
RESOURCES = "__MACOSX/"
ENCRYPTED = 0x1
BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError)
"""What a damaged archive or one of an unknown compression raises."""


def split(path: str) -> tuple[str, str | None]:
    """A glob, and the part of it that is about members, if it goes on within archives: `a/*.zip/b/*.csv`."""
    parts = path.split("/")
    for at, part in enumerate(parts[:-1], start=1):
        if part.lower().endswith(SUFFIX):
            return "/".join(parts[:at]), "/".join(parts[at:])
    return path, None


def is_archive(name: str) -> bool:
    return name.lower().endswith(SUFFIX)


def members(file: Path) -> list[zipfile.ZipInfo]:
    """Its files in the order of their names. Raises Unreadable."""
    try:
        with zipfile.ZipFile(file) as archive:
            found = [it for it in archive.infolist() if base_of(it) and not it.filename.startswith(RESOURCES)]
    except (*BROKEN, ValueError, OSError) as error:
        raise Unreadable(f"not a whole ZIP archive: {error}") from None
    return sorted(found, key=lambda member: member.filename)


def name_of(member: zipfile.ZipInfo) -> str:
    """Its path as a message can show it; some packers write backslashes."""
    return printable(member.filename.replace("\\", "/"))


def base_of(member: zipfile.ZipInfo) -> str:
    return posixpath.basename(name_of(member))


def version_of(member: zipfile.ZipInfo) -> str:
    """As the archive's directory has it; the same while only other members change."""
    year, month, day, *clock = member.date_time
    time = f"{year}-{month:02}-{day:02} {':'.join(f'{it:02}' for it in clock)}"
    return f"{member.file_size} bytes, CRC {member.CRC:08x}, {time}"


@contextmanager
def opened(file: Path, member: zipfile.ZipInfo) -> Iterator[BinaryIO]:
    """Its content, which is unpacked while it is read. Raises Unreadable."""
    if member.flag_bits & ENCRYPTED:
        raise Unreadable("it is encrypted; put it in without a password")
    try:
        with zipfile.ZipFile(file) as archive, archive.open(member) as stream:
            yield stream
    except BROKEN as error:
        raise Unreadable(f"broken ZIP member: {error}") from None
