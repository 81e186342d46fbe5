"""What becomes of OpenHTF's test records."""

import gzip
import io
import json
from datetime import datetime

import pytest

from ingest.formats import json_documents, openhtf
from ingest.source import Unreadable

START = 1_704_067_200_250  # 2024-01-01 00:00:00.250 UTC
VOLT = {"name": "volt", "code": "VLT", "suffix": "V"}


def measurement(value: object, *validators: str, outcome: str = "PASS", **values: object) -> dict:
    return {"outcome": outcome, "measured_value": value, "validators": list(validators), "units": VOLT} | values


def record(*phases: dict, **values: object) -> dict:
    return {
        "dut_id": "SN01",
        "station_id": "P089",
        "start_time_millis": START,
        "end_time_millis": START + 1500,
        "outcome": "PASS",
        "outcome_details": [],
        "metadata": {
            "test_name": "boot",
            "part_number": "PN7",
            "test_version": "1.2",
            "config": {"a": 1},
            "cell": "C3",
        },
        "phases": list(phases),
        "log_records": [{"message": "x"}],
    } | values


def phase(name: str, outcome: str = "PASS", **measurements: dict) -> dict:
    return {"name": name, "outcome": outcome, "measurements": measurements, "attachments": {}}


def read(*records: object, table: str = "test_record", named: tuple = ()) -> list:
    """What the format hands over, before the contract judges it."""
    text = "\n".join(map(json.dumps, records))
    return list(openhtf.rows(io.BytesIO(text.encode()), table, "utf-8", named))


@pytest.fixture
def htf(site):
    return site.describe({"name": "bench", "kind": "files", "path": "inbox/*", "format": "openhtf"})


def test_records_and_measurements(htf):
    vdd = measurement(5.02, "4.5 <= x <= 5.5", name="vdd")
    power = phase("power", vdd=vdd, ok=measurement(True), serial=measurement("12"))
    htf.put("a.json", json.dumps(record(power), indent=2))
    htf.put("b.json.gz", gzip.compress(json.dumps([record(power, dut_id="SN02"), record(dut_id="SN03")]).encode()))
    loads = htf.load()
    assert [(load.table_name, load.row_count, load.reject_count) for load in loads] == [
        ("test_record", 1, 0),
        ("test_measurement", 1, 0),
        ("test_record", 2, 0),
        ("test_measurement", 1, 0),
    ]
    row = htf.rows()[0]
    expected = {
        "serial_num": "SN01",
        "product_name": "PN7",
        "test_name": "boot",
        "machine_id": "P089",
        "test_timestamp": datetime(2024, 1, 1, 0, 0, 0, 250_000),
        "test_result": "pass",
        "test_duration_s": 1.5,
        "error_code": None,
        "software_version": "1.2",
    }
    assert row | expected == row
    extra = json.loads(row["_extra"])
    assert (extra["metadata.cell"], "metadata.config" in extra) == ("C3", False)
    assert json.loads(extra["OTHER_VALUES"]) == {"power/ok": True, "power/serial": "12"}
    found = htf.rows("test_measurement")[0]
    assert [found[n] for n in ("serial_num", "test_name", "test_timestamp", "parameter", "value")] == [
        "SN01",
        "boot",
        expected["test_timestamp"],
        "power/vdd",
        5.02,
    ]
    assert (found["unit"], found["lower_limit"], found["upper_limit"]) == ("V", 4.5, 5.5)
    assert json.loads(found["_extra"]) == {"OUTCOME": "PASS", "VALIDATORS": '["4.5 <= x <= 5.5"]'}
    assert htf.load() == []


@pytest.mark.parametrize(
    "outcome, result",
    [("PASS", "pass"), ("FAIL", "fail"), ("ERROR", "error"), ("TIMEOUT", "error"), ("ABORTED", "abort")],
)
def test_outcomes(htf, outcome, result):
    htf.put("a.json", json.dumps(record(outcome=outcome)))
    htf.load()
    assert htf.rows()[0]["test_result"] == result


# What can't be a row is in raw.reject, with its reason: nothing is lost.
def test_records_without_a_unit_or_an_end_are_rejected(htf):
    power = phase("power", vdd=measurement(1.0), hot=measurement("nan"))
    unfinished = record(outcome=None, end_time_millis=None, start_time_millis="soon")
    whole = [record(power, dut_id=None), unfinished, record(metadata={}, station_id=" ")]
    htf.put("a.ndjson", "\n".join(map(json.dumps, whole)))
    htf.load()
    assert htf.rows() == htf.rows("test_measurement") == []
    assert [(row["table_name"], row["row"], row["reason"]) for row in htf.rows("reject")] == [
        ("test_record", 1, "serial_num is missing"),
        ("test_record", 2, "test_timestamp is missing; test_result is missing; test_duration_s is missing"),
        ("test_record", 3, "product_name is missing; test_name is missing; machine_id is missing"),
        ("test_measurement", 1, "serial_num is missing"),
        ("test_measurement", 2, "serial_num is missing; value is not a finite number"),
    ]
    assert '"INVALID":"start_time_millis soon"' in htf.rows("reject")[1]["record"]


# Only single numbers are measurements; everything else stays with the attempt.
def test_values_that_are_no_single_numbers():
    values = {"a": True, "b": "12", "c": None, "d": [[0, 1.5], [1, 2.5]], "e": {"x": 1}}
    power = phase("p", **{name: measurement(value) for name, value in values.items()}, f=measurement(3), g={})
    (attempt,) = read(record(power))
    others = json.loads(attempt["OTHER_VALUES"])
    assert others == {f"p/{name}": value for name, value in values.items()} | {"p/g": None}
    (row,) = read(record(power), table="test_measurement")
    assert (row["parameter"], row["value"]) == ("p/f", 3.0)


@pytest.mark.parametrize("value", [10**400, "inf", "-inf", "nan"])
def test_numbers_that_are_none_are_handed_over(value):
    (row,) = read(record(phase("p", a=measurement(value))), table="test_measurement")
    assert row["value"] != 0 and abs(row["value"]) not in range(10**6)


def test_repeated_phases_keep_every_value(htf):
    again = [phase("power", vdd=measurement(value)) for value in (1, 2, 3)]
    htf.put("a.json", json.dumps(record(*again)))
    htf.load()
    found = [(row["parameter"], row["value"]) for row in htf.rows("test_measurement")]
    assert found == [("power/vdd", 1.0), ("power/vdd #2", 2.0), ("power/vdd #3", 3.0)]


@pytest.mark.parametrize(
    "validators, limits",
    [
        (["0 <= x <= 10"], (0.0, 10.0)),
        (["-1.5e3 <= x"], (-1500.0, None)),
        (["x <= .5"], (None, 0.5)),
        (["x == 5"], (5.0, 5.0)),
        (["0 <= Marginal:1 <= x <= Marginal:9 <= 10"], (0.0, 10.0)),
        (["'x' is within 10% of -50"], (-55.0, -45.0)),
        (["'x' is within 10% of 50. Marginal: None% of 50"], (45.0, 55.0)),
        (["0 <= x", "x <= 10", "2 <= x <= 20"], (2.0, 10.0)),
        (["x in [1, 2]", "'x' matches /^a$/", "0 <= y", "a <= x"], (None, None)),
        ([], (None, None)),
    ],
)
def test_limits_of_validators(validators, limits):
    assert openhtf.limits(validators) == limits


@pytest.mark.parametrize(
    "units, unit",
    [(VOLT, "V"), ({"code": "DEG", "suffix": ""}, "DEG"), ({"code": None}, None), ("A", "A"), (None, None)],
)
def test_units(units, unit):
    (row,) = read(record(phase("p", a=measurement(1, units=units))), table="test_measurement")
    assert row["unit"] == unit


def test_error_codes():
    bad = phase("power", "FAIL", vdd=measurement(1.0, outcome="FAIL"))
    raised = {"outcome_details": [{"code": "ValueError", "description": "x"}]}
    found = read(
        record(bad, outcome="FAIL"),
        record(phase("boot", "ERROR"), outcome="ERROR"),
        record(bad, outcome="ERROR", **raised),
        record(bad),
        record(outcome="ABORTED"),
    )
    assert [row["error_code"] for row in found] == ["power/vdd", "boot", "ValueError", None, None]


def test_metadata_may_be_mapped(site):
    columns = {"product_name": "metadata.cell", "operator_id": "metadata.operator"}
    site.describe({"name": "b", "kind": "files", "path": "inbox/*", "format": "openhtf", "columns": columns})
    site.put("a.json", json.dumps(record(phase("p", a=measurement(1)))))
    assert [load.status for load in site.load()] == ["loaded", "loaded"]
    assert (site.rows()[0]["product_name"], site.rows()[0]["operator_id"]) == ("C3", None)


@pytest.mark.parametrize(
    "change, reason",
    [
        ({"phases": {}}, "phases is not a list"),
        ({"phases": [3]}, "a phase is not an object"),
        ({"phases": [phase("p", a=4)]}, "the measurement a is not an object"),
        ({"metadata": "boot"}, "metadata is not an object"),
        ({"outcome_details": ["x"]}, "an outcome detail is not an object"),
    ],
)
def test_documents_of_another_shape_are_rejected(change, reason):
    for table in openhtf.TABLES:
        refused, *good = read(record(**change), record(phase("p", a=measurement(1))), table=table)
        assert refused.reason == f"not an OpenHTF test record: {reason}" and len(good) == 1


def test_what_is_no_object_is_rejected(htf):
    htf.put("a.json", json.dumps([5, record()]))
    htf.load()
    assert [row["_row"] for row in htf.rows()] == [2]
    assert {reason for *_, reason in htf.rejects()} == {"not an OpenHTF test record: the document is not an object"}


# Half a file must not be loaded: the records that were cut off would be missing for ever.
@pytest.mark.parametrize(
    "text", ["", " ", '{"a": 1} {"b"', "[{}, {}", "[{} {}]", "[{}] {}", "[{},]", "nonsense", "[" * 10**5]
)
@pytest.mark.parametrize("chunk", [1, 1 << 20])
def test_broken_documents_are_refused(monkeypatch, text, chunk):
    monkeypatch.setattr(json_documents, "CHUNK", chunk)
    with pytest.raises(Unreadable):
        list(json_documents.documents(io.BytesIO(text.encode()), encoding="utf-8"))


def test_truncated_file_fails_for_all_tables(htf):
    htf.put("a.json", json.dumps(record())[:-20])
    assert ["in document 1" in load.error for load in htf.load()] == [True, True]


@pytest.mark.parametrize("chunk", [1, 3, 1 << 20])
@pytest.mark.parametrize(
    "text", ['[{"a": 1.5}, []]', '{"a": 1.5}[]', '\ufeff{"a": 1.5}\n\n[]\n', ' [ {"a": 1.5} , [] ] ']
)
def test_chunks_do_not_matter(monkeypatch, text, chunk):
    monkeypatch.setattr(json_documents, "CHUNK", chunk)
    assert list(json_documents.documents(io.BytesIO(text.encode()), encoding="utf-8")) == [{"a": 1.5}, []]


def test_an_empty_array_holds_nothing():
    assert list(json_documents.documents(io.BytesIO(b"[ ]"), encoding="utf-8")) == []


def test_endless_document_is_refused(monkeypatch):
    monkeypatch.setattr(json_documents, "LONGEST", 10)
    monkeypatch.setattr(json_documents, "CHUNK", 8)
    with pytest.raises(Unreadable, match="longer than"):
        list(json_documents.documents(io.BytesIO(b'["' + b"x" * 100 + b'"]'), encoding="utf-8"))


def test_another_encoding_is_named(htf):
    htf.put("a.json", '{"dut_id": "Ä"}'.encode("cp1252"))
    assert "encoding: in plant.yml" in htf.load()[0].error
