"""ZIP archives: each member is an object, whatever else is in the archive."""

import gzip
import io
import json
import zipfile

import openpyxl
import pytest
from plant_site import GOOD, HEADER, HEADER_LIST, line, record

from ingest.sources import archive

TEXT = f"{HEADER}\n{GOOD}\n"


def zipped(members: dict[str, str | bytes], **options) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, **options) as file:
        for name, text in members.items():
            file.writestr(zipfile.ZipInfo(name, (2024, 1, 1, 8, 0, 0)), text)
    return content.getvalue()


def outcomes(site) -> list[tuple[str, str, int]]:
    return [(load.object.removeprefix("inbox/"), load.status, load.row_count) for load in site.load()]


@pytest.fixture
def workbook() -> bytes:
    book, content = openpyxl.Workbook(), io.BytesIO()
    book.active.append(HEADER_LIST)
    book.active.append(list(record().values()))
    book.save(content)
    return content.getvalue()


# A plant that packs its files by day would have to unpack them first; what the packer adds is no file of records.
def test_members_are_read_by_their_own_format(site, workbook):
    members = {
        "a.csv": TEXT,
        "day\\2\\b.json": json.dumps([record()]),
        "c.csv.gz": gzip.compress(TEXT.encode()),
        "d.xlsx": workbook,
        "../../e.csv": TEXT,
        "/etc/f\n.csv": TEXT,
        "__MACOSX/._a.csv": b"\0\1",
        ".DS_Store": b"\0",
        "g.csv.part": "left alone",
        "empty/": "",
    }
    site.put("x.zip", zipped(members))
    names = ["../../e.csv", "/etc/f\ufffd.csv", "a.csv", "c.csv.gz", "d.xlsx", "day/2/b.json"]
    assert outcomes(site) == [(f"x.zip/{name}", "loaded", 1) for name in names]
    assert len({row["_hash"] for row in site.rows()}) == 1
    assert list(site.paths.temp.iterdir()) == [] and not list(site.folder.parent.glob("e.csv"))
    assert site.load() == []


# The packer adds a file a day: the others must not be loaded again, nor a changed one be missed.
def test_only_what_is_new_in_a_changed_archive_is_loaded(site):
    site.put("x.zip", zipped({"a.csv": TEXT, "b.csv": TEXT}))
    site.load()
    other = f"{HEADER}\n{line(serial_num='B')}\n"
    site.put("x.zip", zipped({"a.csv": TEXT, "b.csv": other, "c.csv": other}))
    assert outcomes(site) == [("x.zip/b.csv", "loaded", 1), ("x.zip/c.csv", "loaded", 1)]


def test_path_may_go_on_within_archives(site):
    site.describe(path="inbox/*.ZIP/day/**/*.csv", columns={"lot_number": {"path": r"ZIP/day/(\w+)/"}})
    site.put("x.ZIP", zipped({"a.csv": TEXT, "day/6/b.csv": TEXT, "day/7/c.csv": TEXT, "day/7/readme.txt": "hello"}))
    site.put("y.csv", TEXT)
    assert outcomes(site) == [("x.ZIP/day/6/b.csv", "loaded", 1), ("x.ZIP/day/7/c.csv", "loaded", 1)]
    assert [row["lot_number"] for row in site.rows()] == ["6", "7"]


# One bad member must not keep the others out, and the reason must name it.
def test_bad_members_fail_alone(site):
    content = bytearray(zipped({"a.csv": TEXT, "b.csv": TEXT * 50, "c.dat": "x", "d.zip": zipped({"a.csv": TEXT})}))
    at = content.index(b"b.csv") + 5
    content[at : at + 20] = b"\xff" * 20
    site.put("x.zip", bytes(content))
    found = {load.object.removeprefix("inbox/x.zip/"): load.error for load in site.load()}
    assert found["a.csv"] is None and "broken ZIP member" in found["b.csv"]
    assert "say which it is with format:" in found["c.dat"] and found["d.zip"] == "an archive in an archive is not read"
    assert len(list(site.paths.failed.glob("*-x.zip"))) == 3


def test_encrypted_member_fails(site):
    content = bytearray(zipped({"a.csv": TEXT}))
    for signature, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(signature) + flags] |= archive.ENCRYPTED
    site.put("x.zip", bytes(content))
    assert site.load_one().error == "it is encrypted; put it in without a password"


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"PK\3\4 and no more", "not a whole ZIP archive"),
        (b"", "not a whole"),
        (zipped({}), "the archive has no files"),
    ],
)
def test_archive_that_cannot_be_opened_fails_once(site, content, reason):
    site.put("x.zip", content)
    load = site.load_one()
    assert (load.object, load.status) == ("inbox/x.zip", "failed") and reason in load.error
    assert site.load() == []


# A few kilobytes that unpack to gigabytes would fill memory or the disk.
def test_bomb_is_read_as_a_stream(site, monkeypatch):
    monkeypatch.setattr("ingest.formats.delimited.LONGEST_RECORD", 16 << 20)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file, file.open("a.csv", "w", force_zip64=True) as bomb:
        for _ in range(96):
            bomb.write(bytes(1 << 20))
    site.put("x.zip", content.getvalue())
    assert "longer than 16 MB" in site.load_one().error


def test_archive_that_changes_while_it_is_read_is_deferred(site, monkeypatch):
    file = site.put("x.zip", zipped({"a.csv": TEXT}))
    opened = archive.opened

    def replaced(path, member):
        file.write_bytes(zipped({"b.csv": TEXT * 2}))
        return opened(path, member)

    monkeypatch.setattr(archive, "opened", replaced)
    assert site.load_one().status == "deferred"
    monkeypatch.undo()
    assert outcomes(site) == [("x.zip/b.csv", "loaded", 2)]


def test_archive_that_vanishes_is_deferred(site, monkeypatch):
    file = site.put("x.zip", zipped({"a.csv": TEXT}))
    members = archive.members

    def vanished(path):
        found = members(path)
        file.unlink()
        return found

    monkeypatch.setattr(archive, "members", vanished)
    assert site.load_one().status == "deferred"
