"""Segments: what is in them after a crash, a full disk or a damaged one, and what the loader makes of it."""

import json
import os
import resource
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from ingest.__main__ import main
from ingest.source import Reading
from ingest.stream import alerts, frames, landed
from ingest.stream.frames import Damage, Frame
from ingest.stream.landed import Landed, Ranges
from ingest.stream.landing import Piece, Segment, unpacked
from ingest.stream.status import Status, statuses
from pipeline.plant import load_plant

READINGS = {"sensor_reading": Reading(timezone="UTC")}


def piece(first: int, count: int, text: str = "x") -> Piece:
    """Readings of stream t/0 with the offsets from `first` on, which are their values."""
    values = [str(offset) for offset in range(first, first + count)]
    records = pa.table({"sensor_id": [text] * count, "reading_at": ["2024-03-01T08:00:00Z"] * count, "value": values})
    return Piece(
        "sensor_reading",
        records,
        ["t/0"] * count,
        list(range(first, first + count)),
        [],
        {"t/0": [[first, first + count - 1]]},
        [],
    )


@pytest.fixture
def segment(tmp_path: Path):
    written = Segment(tmp_path, READINGS)
    yield written
    written.close()


def file_of(segment: Segment, folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


def offsets(file: Path) -> list[int]:
    whole = [frame for frame in frames.read(file) if isinstance(frame, Frame) and "table" in frame.header]
    return [offset for frame in whole for offset in unpacked(frame)[0]["_offset"].to_pylist()]


# After a kill -9 in the middle of a write, what was landed before would be unreadable, or half a record would count
@given(st.data())
def test_of_a_segment_cut_at_any_byte_all_whole_frames_are_read(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("cut")
    segment = Segment(folder, READINGS)
    ends = [(segment.size, 0)]
    for number in range(3):
        segment.append([piece(number * 2, 2)])
        ends.append((segment.size, number * 2 + 2))
    segment.close()
    file = file_of(segment, folder)
    cut = data.draw(st.integers(0, segment.size))
    file.write_bytes(file.read_bytes()[:cut])
    assert offsets(file) == list(range(max((count for end, count in ends if end <= cut), default=0)))


# A bad block of the disk would silently hide everything that came after it
def test_behind_damaged_bytes_reading_goes_on_and_the_damage_is_told(segment, tmp_path):
    places = []
    for number in range(4):
        places.append(segment.size)
        segment.append([piece(number, 1)])
    file = file_of(segment, tmp_path)
    content = bytearray(file.read_bytes())
    content[places[1] + 60] ^= 0xFF
    content[places[2] + 60] ^= 0xFF
    file.write_bytes(content)
    assert offsets(file) == [0, 3]
    assert [found for found in frames.read(file) if isinstance(found, Damage)] == [Damage(places[1], places[3])]


# A message that looks like a frame could bring records in that no broker ever sent
def test_what_a_message_holds_is_never_taken_for_a_frame(segment, tmp_path):
    forged = frames.packed(b"0" * frames.MARKER, {"table": "sensor_reading", "ranges": {}, "records": 0}, b"")
    segment.append([piece(0, 1, text=forged.hex())])
    file = file_of(segment, tmp_path)
    with file.open("ab") as stream:
        stream.write(forged)
    assert offsets(file) == [0]
    assert not [found for found in frames.read(file) if isinstance(found, Damage)]


# Two consumers that both believed to have a partition would make a reading count twice, or a third one go missing
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5)), max_size=12))
def test_ranges_hold_exactly_the_offsets_that_were_added_in_any_order(added):
    ranges, expected = Ranges(), set()
    for first, more in added:
        ranges.add({"t/0": [[first, first + more]]})
        expected |= set(range(first, first + more + 1))
    offsets = pa.chunked_array([list(range(40))])
    held = ranges.hold(pa.chunked_array([["t/0"] * 40]), offsets)
    assert set(offsets.filter(pa.array(held)).to_pylist()) == expected
    assert ranges.next_offsets() == ({"t/0": max(expected) + 1} if expected else {})
    assert not ranges.hold(pa.chunked_array([["t/1"] * 40]), offsets).any()


# A write that fails halfway, on a full disk, would leave half a record before the next one
def test_what_does_not_fit_on_the_disk_is_not_there_at_all(segment, tmp_path):
    segment.append([piece(0, 1)])
    whole = segment.size
    with file_size(whole + 100), pytest.raises(OSError, match="too large"):
        segment.append([piece(1, 1)])
    with file_size(100), pytest.raises(OSError, match="too large"):
        Segment(tmp_path, READINGS)
    assert file_of(segment, tmp_path).stat().st_size == whole
    segment.append([piece(1, 1)])
    assert offsets(file_of(segment, tmp_path)) == [0, 1]


@contextmanager
def file_size(limit: int):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


# A segment that can't even be cut back to its last record must not be written to again
def test_after_a_torn_write_that_can_not_be_undone_another_segment_is_due(tmp_path):
    segment = Segment(tmp_path, READINGS)
    os.close(segment.handle)
    assert not segment.is_due
    with pytest.raises(OSError, match="Bad file descriptor"):
        segment.append([piece(0, 1)])
    assert segment.is_due


@pytest.fixture
def landing(site) -> Path:
    site.describe({"name": "line", "kind": "kafka", "brokers": "localhost:1", "topics": ["t"]})
    return site.paths.landing / "line"


def values(site) -> list[float]:
    return sorted(row["value"] for row in site.query("value", "sensor_reading"))


# What is landed while the night loads would wait for the next night, or be loaded twice
def test_a_segment_is_loaded_as_far_as_it_goes_while_it_is_written_and_removed_once_it_is_closed(site, landing):
    segment = Segment(landing, READINGS)
    for first in (0, 2):
        segment.append([piece(first, 2)])
        (load,) = site.load()
        assert (load.row_count, load.version) == (2, f'{{"t/0": [[{first}, {first + 1}]]}}')
    assert site.load() == []
    segment.close()
    assert site.load() == []
    assert values(site) == [0, 1, 2, 3]
    assert not list(landing.glob("2*"))


# Two consumers that both had a partition for a while would make the plant's figures count its readings twice
def test_offsets_that_were_loaded_from_another_segment_are_left_out(site, landing, monkeypatch):
    monkeypatch.setattr(landed, "BATCH_ROWS", 4)
    for first, count in ((0, 4), (2, 5), (0, 9)):
        segment = Segment(landing, READINGS)
        refused = [("t/0", first, "{}", "wrong")]
        segment.append([piece(first, count)._replace(rejects=refused)])
        segment.close()
    assert [(load.row_count, load.reject_count) for load in site.load()] == [(4, 1), (3, 0), (2, 0)]
    assert values(site) == list(range(9))


# A bad block of the disk has to be seen by somebody, and what came after it is good
def test_damaged_bytes_are_a_failed_load_and_set_aside(site, landing):
    segment = Segment(landing, READINGS)
    places = []
    for first in range(3):
        places.append(segment.size)
        segment.append([piece(first, 1)])
    segment.close()
    file = file_of(segment, landing)
    content = bytearray(file.read_bytes())
    content[places[1] + 60] ^= 0xFF
    file.write_bytes(content)
    failed, loaded = site.load()
    assert failed.error == f"{places[2] - places[1]} bytes are damaged: look at the disk; what is behind is loaded"
    assert (site.paths.failed / f"{failed.load_id}-{file.name}").read_bytes() == content[places[1] : places[2]]
    assert (loaded.row_count, values(site)) == (2, [0, 2])
    assert site.load() == []


# A source that was renamed in plant.yml would leave its last minutes on the disk for ever
def test_what_was_landed_of_a_source_that_is_gone_is_told(site, landing):
    Segment(landing.with_name("old"), READINGS).close()
    (load,) = site.load()
    assert (load.status, load.object) == ("deferred", str(landing.with_name("old")))
    assert "was landed by a live source that plant.yml does not have" in load.error


# An MQTT broker that sends a message again after a restart would make it count twice
def test_digests_of_messages_without_offsets_outlive_their_load_for_a_while(site, landing):
    segment = Segment(landing, READINGS)
    segment.append([piece(0, 1)._replace(ranges={}, offsets=[-1], digests=[42])])
    segment.close()
    site.load()
    plant = load_plant(site.folder)
    assert Landed(site.paths, plant.sources[0]).digests() == [42]
    part = file_of(segment, landing).with_suffix(".part")
    part.touch()
    for file in landing.iterdir():
        os.utime(file, (0, time.time() - 3600))
    assert site.load() == []
    assert Landed(site.paths, plant.sources[0]).digests() == [42], "nobody knows when the last ones come again"
    assert list(landing.iterdir()) == [file_of(segment, landing)]
    newer = Segment(landing, READINGS)
    newer.append([piece(1, 1)._replace(ranges={}, offsets=[-1], digests=[43])])
    newer.close()
    site.load()
    assert Landed(site.paths, plant.sources[0]).digests() == [43]


# Of two consumers that write an alert at the same moment one would cut the other's in two
def test_alerts_are_whole_lines_even_behind_half_a_line(tmp_path):
    alerts.write(tmp_path, [])
    assert not list(tmp_path.iterdir())
    alerts.write(tmp_path, [{"sensor_id": "a\nb", "value": 1}])
    (file,) = tmp_path.iterdir()
    with file.open("a") as stream:
        stream.write('{"sensor')
    alerts.write(tmp_path, [{"sensor_id": "c"}])
    assert [json.loads(line)["sensor_id"] for line in file.read_text().splitlines()] == ["a\nb", "c"]
    with file_size(file.stat().st_size + 5), pytest.raises(OSError, match="too large"):
        alerts.write(tmp_path, [{"sensor_id": "d"}])
    assert len(file.read_text().splitlines()) == 2


# Who asks how a line is doing must not be told what a device wrote to steer the terminal
def test_a_status_is_told_in_words(tmp_path):
    status = Status("line", message_count=3, offsets={"t/0": 2}, backlog=0, reject_count=1, reject_reason="\x1b[2J")
    status.gaps = [{"stream": "t/0", "gap_start_at": "2024-03-01", "gap_end_at": None, "reason": "broker away"}]
    status.trouble, status.skew_s = "broker away", -0.5
    status.write(tmp_path / "status.json")
    (tmp_path / "status-2.json").write_text("")  # as a loss of power leaves it
    (read,) = statuses(tmp_path)
    assert read == status
    lines = "\n".join(read.lines())
    assert "line: running" in lines and "t/0: offset 2" in lines and "gap of t/0 from 2024-03-01 and on" in lines
    assert "arrive -0.500 s after" in lines and "\x1b" not in lines
    read.at -= timedelta(minutes=1)
    assert "gone without a word" in read.lines()[0]


# A typing error in a source's name would start a service that receives nothing
def test_the_command_says_which_sources_are_live(site, landing, monkeypatch):
    monkeypatch.setenv("FIRSTPASS_DATA", str(site.paths.data))

    def said(*arguments: str) -> str:
        return CliRunner().invoke(main, [*arguments, "--plant", str(site.folder)]).output

    assert "sources: 'lime' is not a live source; expected one of line" in said("stream", "--source", "lime")
    site.describe()
    assert "sources: none is live; expected a kind such as kafka" in said("stream")


# Whoever asks how the sources are has to see the streams among them
def test_the_status_of_sources_says_how_their_consumers_are(site, landing, monkeypatch):
    monkeypatch.setenv("FIRSTPASS_DATA", str(site.paths.data))
    landing.mkdir(parents=True, exist_ok=True)
    Status("line", offsets={"t/0": 41}, skew_s=0.25).write(landing / "status.json")
    said = CliRunner().invoke(main, ["status", "--plant", str(site.folder)])
    assert said.exit_code == 0 and "t/0: offset 41" in said.output and "+0.250 s" in said.output
    told = json.loads(CliRunner().invoke(main, ["status", "--json", "--plant", str(site.folder)]).output)
    (source,) = [it for it in told["sources"] if it["source"] == "line"]
    assert [it["offsets"] for it in source["consumers"]] == [{"t/0": 41}]
