"""Segments: what is in them after a crash, a full disk or a damaged one."""

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.source import Reading
from ingest.stream import frames
from ingest.stream.frames import Damage, Frame
from ingest.stream.landed import Ranges
from ingest.stream.landing import Piece, Segment, unpacked

READINGS = {"sensor_reading": Reading(timezone="UTC")}


def piece(first: int, count: int, text: str = "x") -> Piece:
    records = pa.table({"sensor_id": [text] * count})
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
    for number in range(3):
        places.append(segment.size)
        segment.append([piece(number, 1)])
    file = file_of(segment, tmp_path)
    content = bytearray(file.read_bytes())
    content[places[1] + 60] ^= 0xFF
    file.write_bytes(content)
    assert offsets(file) == [0, 2]
    assert [found for found in frames.read(file) if isinstance(found, Damage)] == [Damage(places[1], places[2])]


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
