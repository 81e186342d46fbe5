"""What messages say, as records: fields by path, values of their own, topics, times; and what hostile ones can do."""

import json
from datetime import datetime

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.contract import CONTRACTS
from ingest.conversion import Conversion
from ingest.source import Batch, Reading
from ingest.spellings import Spellings
from ingest.stream.connector import Message
from ingest.stream.payload import DEEPEST, LARGEST, Payloads, as_received
from pipeline.streams import StreamSource
from pipeline.topics import topic_filter, topic_pattern

ARRIVED = 1_704_096_000_000_000  # 2024-01-01 08:00 UTC
ISSUE = {
    "plant_name": "SG1",
    "lane_number": 4,
    "timestamp": "2024-01-01T08:00:00.123Z",
    "temperature": 21.50,
    "component_info": {"component_type": "pump", "component_manufacturer": "ACME"},
}
NO_NUMBER = "value is not a finite number; value or status is missing"
COLUMNS = {
    "sensor_id": "{plant_name}/{lane_number}/temperature",
    "reading_at": "timestamp",
    "value": "temperature",
    "component_type": "component_info.component_type",
    "component_manufacturer": "component_info.component_manufacturer",
}
NAMED = {"sensor_id": "S1", "reading_at": "2024-01-01T08:00:00Z", "value": 1}


def message(content: object, topic: str = "t") -> Message:
    payload = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Message("s", None, topic, payload, arrived_at=ARRIVED, server_at=ARRIVED - 1_000_000)


def payloads(table: str = "sensor_reading", **source: object) -> Payloads:
    return Payloads(StreamSource(**({"name": "live", "table": table} | source)), CONTRACTS[table])


def read(*contents: object, topic: str = "t", table: str = "sensor_reading", **source: object):
    """Records of the lake, and the rejects of decoding and of conversion: (message, reason)."""
    of_source = payloads(table, **source)
    decoded = of_source.decode([message(content, topic) for content in contents])
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        conversion = Conversion(
            connection,
            CONTRACTS[table],
            decoded.records.schema,
            Reading("Asia/Singapore", of_source.columns),
            plant_zone="Asia/Singapore",
            spellings=Spellings(),
            started_at=datetime(2030, 1, 1),
        )
        converted = conversion.convert(Batch(decoded.records, np.arange(len(decoded.records))))
    refused = [(int(decoded.messages[row["row"]]), row["reason"]) for row in converted.rejects.to_pylist()]
    return converted.records.to_pylist(), sorted(decoded.rejects + refused)


def read_one(content: object, **how: object) -> dict:
    (record,), rejects = read(content, **how)
    assert not rejects
    return record


# The payload that plants send: every field would have to be renamed at the device.
def test_nested_fields_become_columns_and_an_id_is_composed():
    record = read_one(ISSUE | {"firmware": {"version": "1.2", "beta": None}, "ok": True}, columns=COLUMNS)
    expected = {"sensor_id": "SG1/4/temperature", "value": 21.5, "component_type": "pump", "lane_number": "4"}
    expected |= {"component_manufacturer": "ACME", "reading_at": datetime(2024, 1, 1, 8, 0, 0, 123000)}
    expected |= {"arrived_at": datetime(2024, 1, 1, 8), "server_at": datetime(2024, 1, 1, 7, 59, 59)}
    assert record | expected == record
    assert json.loads(record["_extra"]) == {"payload": {"firmware.version": "1.2", "ok": "true"}}


# A reading under the wrong identity is worse than a rejected one.
def test_an_id_without_one_of_its_parts_is_missing():
    assert read({key: it for key, it in ISSUE.items() if key != "lane_number"}, columns=COLUMNS) == (
        [],
        [(0, "sensor_id is missing")],
    )


# A device that counts seconds, or anything finer, would put all its readings into the wrong century.
@pytest.mark.parametrize(
    "written",
    [
        "1704096000.25",
        "1.70409600025E9",
        "1704096000250",
        "1704096000250.0",
        "1704096000250000",
        "1704096000250000000",
        '"1704096000250"',
        '"2024-01-01T16:00:00.25+08:00"',
        '"2024-01-01 16:00:00.25"',
    ],
)
def test_times_are_iso_text_or_numbers_since_1970(written: str):
    content = f'{{"sensor_id": "S1", "reading_at": {written}, "value": 1}}'.encode()
    assert read_one(content)["reading_at"] == datetime(2024, 1, 1, 8, 0, 0, 250000)


# A clock that was never set, or a number that is no time, would be believed.
@pytest.mark.parametrize("written", ["12", "86400000", "20240101", "1e300", "-1704096000", "true", '""', '"soon"'])
def test_other_numbers_are_no_times(written: str):
    records, ((place, reason),) = read(f'{{"sensor_id": "S1", "reading_at": {written}, "value": 1}}'.encode())
    assert (records, place, reason.split()[0]) == ([], 0, "reading_at")


# `timestamp_format` says how to read digits: they are then no count of seconds.
def test_a_format_of_times_wins_over_numbers():
    decoded = payloads(timestamp_format="%s").decode([message(NAMED | {"reading_at": 1704096000})])
    assert decoded.records["reading_at"].to_pylist() == ["1704096000"]


@settings(max_examples=30)
@given(st.integers(946_684_800_000_000, 4_102_444_799_999_999))
def test_any_microsecond_of_the_century_is_read_exactly(instant: int):
    decoded = payloads().decode([message(NAMED | {"reading_at": instant})])
    (text,) = decoded.records["reading_at"].to_pylist()
    assert np.datetime64(text.removesuffix("Z"), "us").astype(int) == instant


# Several values in one message are several readings; as one record all but the first would be lost.
def test_values_side_by_side_are_a_reading_each():
    content = {"name": "M1", "reading_at": "2024-01-01T08:00:00Z", "t": 1.5, "sensors": {"p": 2, "q": {"x": None}}}
    how = {"columns": {"sensor_id": "M1/{name}"}, "payload": {"values": ["t", "sensors.*"]}}
    records, rejects = read(content, {"name": "M1"}, **how)
    assert [(row["sensor_id"], row["value"]) for row in records] == [("M1/t", 1.5), ("M1/p", 2.0)]
    extra = [json.loads(row["_extra"]) for row in records]
    assert extra == [{"name": "t", "payload": {"name": "M1"}}, {"name": "p", "payload": {"name": "M1"}}]
    assert rejects == [(0, "value or status is missing"), (1, "there is none of the values t, sensors.* in it")]


# Devices that buffer send arrays: one bad element must not take the others with it.
def test_arrays_are_a_reading_for_each_element():
    good, bad = NAMED | {"value": 2}, 17
    records, rejects = read([NAMED, good, bad], [], "text")
    assert [row["value"] for row in records] == [1.0, 2.0]
    expected = [
        (0, "reading 3: not a JSON object"),
        (1, "there is no reading in it"),
        (2, "not a JSON object"),
    ]
    assert rejects == expected


def test_an_array_within_a_message_shares_what_is_around_it():
    how = {"payload": {"each": "data.points"}}
    outer = {"sensor_id": "S1", "data": {"unit": "C", "points": [NAMED | {"sensor_id": None, "value": 1}]}}
    points = [{"reading_at": "2024-01-01T08:00:00Z", "value": value} for value in (1, 2)]
    records, rejects = read(outer | {"data": {"unit": "C", "points": points}}, outer, {"data": 3}, [], **how)
    assert [(row["sensor_id"], row["value"], row["_extra"]) for row in records] == [
        ("S1", 1.0, '{"payload":{"data.unit":"C"}}'),
        ("S1", 2.0, '{"payload":{"data.unit":"C"}}'),
    ]
    twice = "the field 'sensor_id' and another one could both be sensor_id; say which in columns:"
    assert rejects == [(1, twice), (2, "there is no array data.points in it"), (3, "there is no reading in it")]


# Most sensors on MQTT send nothing but a number; who and where is the topic, when is now.
def test_plain_values_take_their_names_from_the_topic():
    how = {"payload": {"format": "value", "topics": ["plant/{plant_name}/+/{lane_number}/{sensor_id}/#"]}}
    record = read_one(b" 21.50\n", topic="plant/SG1/lane/4/S1", **how)
    expected = {"plant_name": "SG1", "lane_number": "4", "sensor_id": "S1", "value": 21.5}
    assert record | expected | {"reading_at": datetime(2024, 1, 1, 8), "_extra": None} == record
    records, rejects = read(b"", b"NaN", b"21,5", b"1 2", b"\xff", topic="plant/SG1/lane/4/S1/temperature", **how)
    assert records == []
    assert rejects == [
        (0, "value or status is missing"),
        (1, NO_NUMBER),
        (2, NO_NUMBER),
        (3, NO_NUMBER),
        (4, "the payload is not UTF-8 text"),
    ]
    assert read(b"1", topic="plant/SG1", **how)[1] == [(0, f"its topic is none of {how['payload']['topics'][0]}")]


# What the topic says is not overwritten by a payload, and what the payload says is not lost.
def test_the_topic_wins_and_the_field_is_kept_aside():
    record = read_one(NAMED, topic="a/S9", payload={"topics": ["a/{sensor_id}", "b/#"]})
    assert (record["sensor_id"], record["_extra"]) == ("S9", '{"payload":{"sensor_id":"S1"}}')
    assert read_one(NAMED, topic="b/S9", payload={"topics": ["a/{sensor_id}", "b/#"]})["sensor_id"] == "S1"


# States of machines come by MQTT as well: any table, by its own columns.
def test_other_tables_and_spellings_of_names():
    how = {"table": "machine_state", "columns": {"state": "value"}}
    how |= {"payload": {"format": "value", "topics": ["m/{machine_id}"]}}
    record = read_one(b"running", topic="m/M1", **how)
    assert (record["machine_id"], record["state"], record["state_start_at"]) == (
        "M1",
        "running",
        datetime(2024, 1, 1, 8),
    )
    assert read_one({"SensorId": "S1", "Reading_At": "2024-01-01T08:00Z", "VALUE": 1})["sensor_id"] == "S1"


NOT_JSON = "the payload is not JSON"
TOO_DEEP = f"nested more than {DEEPEST} levels deep"


# Anyone who may publish could stop the plant's stream, or hide other readings, with one message.
@pytest.mark.parametrize(
    ("hostile", "reason"),
    [
        (b"", NOT_JSON),
        (b"not json", NOT_JSON),
        (b'{"sensor_id": "S1"', NOT_JSON),
        (b'{"sensor_id": "S1"} {}', "the payload is not JSON: something follows its end"),
        (b"\x00\xff\xfe\x80", "the payload is not UTF-8 text"),
        (b"null", "not a JSON object"),
        (b'{"value": 1, "value": 2}', "the field 'value' is there twice"),
        (b'{"a.b": 1, "a": {"b": 2}}', "one of its fields is there twice"),
        (b'{"sensor_id": "S1", "SENSORID": "S2"}', "the field 'SENSORID' and another one could both be sensor_id; "
         "say which in columns:"),
        (b'{"x": ' * 40 + b"1" + b"}" * 40, TOO_DEEP),
        (b"[" * 100_000, TOO_DEEP),
        (b'{"sensor_id": "\\ud800"}', "the payload has half a surrogate pair in it"),
        (b'{"sensor_id": "S1", "reading_at": "2024-01-01T08:00:00Z", "value": NaN}', NO_NUMBER),
        (b'{"sensor_id": "S1", "reading_at": "2024-01-01T08:00:00Z", "value": 1e999}', NO_NUMBER),
        (b'{"sensor_id": "S1", "reading_at": "2024-01-01T08:00:00Z", "value": {"a": 1}}', "value or status is missing"),
        (b'{"x": "' + b"x" * LARGEST + b'"}', f"the payload has {LARGEST + 9:,} bytes; expected at most {LARGEST:,}"),
    ],
)  # fmt: skip
def test_a_hostile_message_is_rejected_alone(hostile: bytes, reason: str):
    records, rejects = read(NAMED, hostile, NAMED | {"value": 2})
    assert [row["value"] for row in records] == [1.0, 2.0]
    assert rejects == [(1, reason)]


# Where decoding still goes and writing no longer does: an error there would stop the stream, not the message.
def test_no_depth_stops_the_stream():
    nested = [b'{"x": ' + b"[" * depth + b"]" * depth + b"}" for depth in range(1, 1_100)]
    decoded = payloads().decode([message(content) for content in nested])
    assert len(set(decoded.messages) | {place for place, _ in decoded.rejects}) == len(nested)
    assert {reason for _, reason in decoded.rejects} == {TOO_DEEP}


# Names made up at random must not become columns: memory would go, or the stream stop at a schema without end.
def test_made_up_names_stay_aside():
    odd = {f"x{number}": number for number in range(5_000)} | {"": 1, "'; drop table x; --": "=cmd()", "null\0": "a\0b"}
    of_source = payloads()
    decoded = of_source.decode([message(NAMED | odd), message(NAMED), message({"y": "1" * 10_000} | NAMED)])
    assert decoded.records.schema == of_source.decode([]).records.schema
    records, rejects = read(NAMED | odd, NAMED | {"value": "1" * 5_000}, NAMED | {"value": 3})
    assert json.loads(records[0]["_extra"])["payload"] == {name: str(value) for name, value in odd.items()}
    assert [row["value"] for row in records] == [1.0, 3.0] and [place for place, _ in rejects] == [1]


@settings(max_examples=60)
@given(st.binary(max_size=40) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.sampled_from([*NAMED]), inner),
    max_leaves=8,
))  # fmt: skip
def test_whatever_comes_is_a_record_or_a_reject(content: object):
    decoded = payloads().decode([message(content), message(NAMED)])
    assert set(decoded.messages) | {place for place, _ in decoded.rejects} == {0, 1}
    assert decoded.records["sensor_id"].to_pylist()[-1] == "S1"


# The same reading must look the same, however its message was written.
def test_the_hash_does_not_depend_on_the_order_of_fields():
    odd = {"b": "1", "a": 2}
    mine, other = read_one(NAMED | odd), read_one(dict(reversed((NAMED | odd).items())))
    assert (mine["_hash"], mine["_extra"]) == (other["_hash"], other["_extra"])


def test_a_message_is_kept_as_received():
    assert json.loads(as_received("t", '{"a": "ü\n"}'.encode())) == {"topic": "t", "payload": '{"a": "ü\n"}'}
    assert json.loads(as_received("t", b"\xff\x00"))["payload"] == "\\xff00"


@pytest.mark.parametrize(
    ("topic", "matching", "other"),
    [
        ("a/{x}/+", ["a/1/2", "a//"], ["a/1", "a/1/2/3"]),
        ("a/#", ["a", "a/", "a/1/2\n"], ["ab", "b/a"]),
        ("#", ["", "a/b"], []),
        ("$share/group/a.b/{x}", ["a.b/1"], ["a-b/1"]),
    ],
)
def test_topics_match_as_a_broker_matches_them(topic: str, matching: list[str], other: list[str]):
    assert all(topic_pattern(topic).fullmatch(text) for text in matching)
    assert not any(topic_pattern(topic).fullmatch(text) for text in other)


def test_a_topic_is_subscribed_to_without_its_names():
    assert topic_filter("$share/g/a/{x}/+/#") == "$share/g/a/+/+/#"


@pytest.mark.parametrize("topic", ["", "a/#/b", "a+/b", "a/{x}/{x}", "a/b{x}", "a/{1}", "a/{x"])
def test_what_is_no_topic_is_refused(topic: str):
    with pytest.raises(ValueError, match="expected a topic such as"):
        topic_pattern(topic)
