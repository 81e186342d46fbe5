"""Objects of an S3-compatible store, found by a glob; each is fetched to a file when it is new, and read like one."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from shutil import rmtree
from zipfile import ZipInfo

import s3fs
from aiohttp import ClientError
from botocore.exceptions import BotoCoreError, NoCredentialsError, PartialCredentialsError
from fsspec.utils import glob_translate
from s3fs.utils import FileExpired

from ingest.lake import Load
from ingest.source import Object, Reading, StillWritten, Unreachable, Unreadable
from ingest.sources import archive, files
from ingest.sources.content import Content, file_version
from pipeline.paths import Paths
from pipeline.plant import Plant, S3Source

PIECE = 16 << 20
"""Bytes per request of an object, and in memory."""
MOST_DENIED = 20
"""Objects in a row to which access is denied, until it is taken for denied to all."""
WILDCARD = re.compile(r"[*?[]")
CREDENTIALS = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, or the profile AWS_PROFILE of ~/.aws"


MEMBER = re.compile(r"(?P<archive>.*), member (?P<at>\d+) of (?P<count>\d+)")
"""The version of a member of an archive."""


@dataclass(frozen=True)
class Listed:
    """An object of the store, or a member of an archive there."""

    key: str
    stored: str
    """The version of the object."""
    name: str
    version: str
    member: ZipInfo | None = None


def find(plant: Plant, source: S3Source, paths: Paths, loads: list[Load]) -> Iterator[Object]:
    """The source's objects in the order of their keys, as pages of the listing come. Raises Unreachable.

    `loads` is the manifest so far: an archive whose members are all in it is not fetched to see what is in it.
    """
    store = _Store(source)
    glob, members = archive.split(source.glob)
    tables = [(one, files.reading_of(plant, one)) for one in files.by_table(source)]
    known = _known_members(source, members, tables, loads)
    for key, version in store.listing(glob):
        listed = [Listed(key, version, f"s3://{source.bucket}/{key}", version)]
        if archive.is_archive(key):
            listed = [] if known(*listed) else _in_archive(store, *listed, members, paths)
        for one in listed:
            for table, reading in tables:
                yield _object(store, table, one, reading, paths)


def _known_members(
    source: S3Source, members: str | None, tables: list[tuple[S3Source, Reading]], loads: list[Load]
) -> Callable[[Listed], bool]:
    """Whether all members of an archive are in the manifest, for all tables and as they are read now."""
    readings = {table.table: reading.key for table, reading in tables}
    held: dict[str, list[tuple[str, str, str, int]]] = {}
    for it in loads:
        found = MEMBER.fullmatch(it.version) if it.source == source.name and it.table_name in readings else None
        if found and it.sha256 and (it.status == "loaded" or it.reading == readings[it.table_name]):
            of = it.object, it.table_name, found["at"], int(found["count"])
            held.setdefault(found["archive"], []).append(of)

    def known(listed: Listed) -> bool:
        version = f"{listed.version} ({members})" if members else listed.version
        mine = [of for of in held.get(version, []) if f"{of[0]}/".startswith(f"{listed.name}/")]
        return bool(mine) and len({(table, at) for _, table, at, _ in mine}) == len(tables) * mine[0][3]

    return known


def _in_archive(store: "_Store", listed: Listed, members: str | None, paths: Paths) -> list[Listed]:
    """What the glob `members` means in it; itself, where it can't be opened: reading it says why."""
    file = _file(listed.key, paths)
    found: list[tuple[str, ZipInfo | None]] = [(listed.name, None)]
    with suppress(Unreadable, StillWritten):
        store.fetch(listed.key, listed.stored, file)
        found = [(name, content.member) for name, content in files.contents(file, listed.name, members)]
    glob = f" ({members})" if members else ""
    return [
        replace(listed, name=name, version=f"{listed.stored}{glob}, member {at} of {len(found)}", member=member)
        for at, (name, member) in enumerate(found, start=1)
    ]


def _file(key: str, paths: Paths) -> Path:
    """Where an object is fetched to."""
    return paths.fetched / re.sub(r"[^A-Za-z0-9._-]", "_", key.rsplit("/", maxsplit=1)[-1])[-100:]


def _object(store: "_Store", source: S3Source, listed: Listed, reading: Reading, paths: Paths) -> Object:
    file = _file(listed.key, paths)

    def fetched() -> Object:
        content = Content(file, file_version(file), listed.member)
        return files.content_object(content, listed.name, source, reading, paths)

    def digest() -> str:
        store.fetch(listed.key, listed.stored, file)
        return fetched().digest()

    return Object(
        source=source.name,
        table=source.table,
        name=listed.name,
        version=listed.version,
        digest=digest,
        batches=lambda: fetched().batches(),
        reading=reading,
        set_aside=partial(files.set_aside, file, paths),
    )


def _version(entry: dict, size: str) -> str:
    """Of an entry of the listing or an object's head. An ETag changes with the content and with nothing else."""
    changed = entry.get("ETag") or f"{entry['LastModified']:%Y-%m-%d %H:%M:%S}"
    return f"{changed}, {entry[size]} bytes"


class _Store:
    """The bucket of a source."""

    def __init__(self, source: S3Source):
        self.source = source
        self.denied = 0
        self.fetched: tuple[str, str] | None = None
        self.files = s3fs.S3FileSystem(endpoint_url=source.endpoint, use_listings_cache=False, skip_instance_cache=True)

    def listing(self, glob: str) -> Iterator[tuple[str, str]]:
        """Key and version of each object that the glob means: a request per thousand keys, a page in memory."""
        prefix = WILDCARD.split(glob, maxsplit=1)[0]
        matches = re.compile(glob_translate(glob)).match
        asked = {"Bucket": self.source.bucket, "Prefix": prefix}
        if "/" not in glob[len(prefix) :] and not glob.endswith("**"):
            asked["Delimiter"] = "/"
        while True:
            with self._explained():
                page = self.files.call_s3("list_objects_v2", **asked)
            for entry in page.get("Contents", []):
                key = entry["Key"]
                if matches(key) and not key.endswith("/") and files.is_meant(key.rsplit("/")[-1]):
                    yield key, _version(entry, "Size")
            if any(folder["Prefix"] == f"{glob}/" for folder in page.get("CommonPrefixes", [])):
                raise self._unreachable(f"it is a folder; say which objects in it, such as {self.source.path}/*.csv")
            if not page.get("IsTruncated"):
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]

    def fetch(self, key: str, version: str, target: Path) -> None:
        """Writes the object to a file, alone in its folder. Raises StillWritten, Unreadable and Unreachable."""
        if self.fetched == (key, version) and target.exists():
            return  # for another of its tables
        self.fetched = None
        rmtree(target.parent, ignore_errors=True)
        target.parent.mkdir(parents=True)
        pieces = self._pieces(key, version)
        first = next(pieces, b"")
        with target.open("wb") as file:
            file.write(first)
            file.writelines(pieces)
        self.denied, self.fetched = 0, (key, version)

    def _pieces(self, key: str, version: str) -> Iterator[bytes]:
        """All of one version: later requests name the ETag that the first one had."""
        place = f"{self.source.bucket}/{key}"
        with self._explained(key), self.files.open(place, "rb", block_size=PIECE, cache_type="none") as remote:
            if remote.details["type"] != "file" or _version(remote.details, "size") != version:
                raise StillWritten("it changed after it was listed, and is left to the next run")
            while piece := remote.read(PIECE):
                yield piece

    @contextmanager
    def _explained(self, key: str | None = None) -> Iterator[None]:
        """Says what an error means for the object, or for the whole store where there is none."""
        bucket = self.source.bucket
        try:
            yield
        except FileExpired:
            raise StillWritten("it changed while it was fetched, and is left to the next run") from None
        except FileNotFoundError:
            if key is not None:
                raise StillWritten("it vanished before it was fetched") from None
            raise self._unreachable(f"there is no bucket {bucket}; check path and endpoint in plant.yml") from None
        except PermissionError as error:
            self.denied += 1
            if key is None or self.denied >= MOST_DENIED:
                said = f"{error}; whoever {CREDENTIALS} names needs s3:ListBucket and s3:GetObject on {bucket}"
                raise self._unreachable(f"access denied: {said}") from None
            raise Unreadable(f"access denied: {error}; it needs s3:GetObject, and may be archived") from None
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise self._unreachable(f"no credentials: {error}; set {CREDENTIALS}") from None
        except (BotoCoreError, ClientError, OSError, ValueError) as error:
            said = " ".join(str(error).split()) or type(error).__name__
            raise self._unreachable(f"{said}; check endpoint in plant.yml, and that the store runs") from None

    def _unreachable(self, reason: str) -> Unreachable:
        at = f" at {self.source.endpoint}" if self.source.endpoint else ""
        return Unreachable(self.source.path, f"can't be read{at}: {reason}")
