"""What becomes of WATS reports."""

import io
import json
from datetime import datetime

import pytest

from ingest.formats import wats


def numeric(value: object, comparator: str = "GELE", low: object = 4.5, high: object = 5.5, **values: object) -> dict:
    measured = {"compOp": comparator, "name": None, "status": "P", "unit": "V", "value": value}
    return measured | {"lowLimit": low, "highLimit": high} | values


def step(name: str, *, status: str = "P", **values: object) -> dict:
    return {"group": "M", "stepType": "ET_NLT", "name": name, "status": status} | values


def report(*steps: dict, **values: object) -> dict:
    return {
        "id": "0d6a",
        "type": "T",
        "pn": "PN7",
        "sn": "SN01",
        "rev": "A",
        "processCode": 100,
        "processName": "Final test",
        "result": "P",
        "machineName": "ST-1",
        "location": "Hall 2",
        "purpose": "Production",
        "start": "2024-01-01T09:00:00.250+01:00",
        "startUTC": "2024-01-01T08:00:00.25",
        "uut": {
            "user": "jo",
            "execTime": 12.5,
            "fixtureId": "F1",
            "testSocketIndex": 2,
            "batchSN": "B9",
            "errorCode": 0,
        },
        "miscInfos": [
            {"description": "Firmware", "text": "1.2"},
            {"description": "Ambient", "text": "", "numeric": 21},
        ],
        "subUnits": [{"pn": "SUB", "sn": "SU1", "partType": "PSU"}],
        "root": step("Main", stepType="SequenceCall", seqCall={"path": "x.seq", "version": "3.1"}, steps=list(steps)),
    } | values


def repair(*units: dict, **values: object) -> dict:
    uur = {"userLoginName": "kim", "execTime": 300, "refUUT": "0d6a", "comment": "done"}
    changed = {
        "type": "R",
        "result": "P",
        "processName": "Repair",
        "processCode": 500,
        "uur": uur,
        "subUnits": list(units),
    }
    whole = report(**changed | values)
    return {name: value for name, value in whole.items() if name not in ("uut", "root")}


def read(*reports: object, table: str = "test_record") -> list:
    """What the format hands over, before the contract judges it."""
    text = "\n".join(map(json.dumps, reports))
    return list(wats.rows(io.BytesIO(text.encode()), table, "utf-8", ()))


@pytest.fixture
def wats_site(site):
    return site.describe({"name": "wats", "kind": "files", "path": "inbox/*", "format": "wats"})


def test_reports_measurements_and_repairs(wats_site):
    power = step("Power", stepType="SequenceCall", steps=[step("VA", numericMeas=[numeric(5.02)])])
    text = step("Label", stringMeas=[{"value": "ok", "compOp": "EQ", "limit": "ok", "status": "P"}])
    unit = {"pn": "PN7", "sn": "SN01", "failures": [{"code": "Solder", "category": "Process", "comRef": "C12"}]}
    wats_site.put("a.json", json.dumps(report(power, text)))
    wats_site.put("b.json", json.dumps(repair(unit)))
    assert [(load.object, load.table_name, load.row_count, load.reject_count) for load in wats_site.load()] == [
        ("inbox/a.json", "test_record", 1, 0),
        ("inbox/a.json", "test_measurement", 1, 0),
        ("inbox/a.json", "rework", 0, 0),
        ("inbox/b.json", "test_record", 0, 0),
        ("inbox/b.json", "test_measurement", 0, 0),
        ("inbox/b.json", "rework", 1, 0),
    ]
    (row,) = wats_site.rows()
    expected = {
        "serial_num": "SN01",
        "product_name": "PN7",
        "test_name": "100",
        "machine_id": "ST-1",
        "test_timestamp": datetime(2024, 1, 1, 8, 0, 0, 250_000),
        "test_result": "pass",
        "test_duration_s": 12.5,
        "operator_id": "jo",
        "error_code": None,
        "fixture_id": "F1",
        "fixture_slot": "2",
        "lot_number": "B9",
        "software_version": "3.1",
        "run_purpose": "production",
    }
    assert row | expected == row
    extra = json.loads(row["_extra"])
    assert (extra["misc.Firmware"], extra["misc.Ambient"], extra["report.rev"]) == ("1.2", "21", "A")
    assert json.loads(extra["SUB_UNITS"])[0]["sn"] == "SU1"
    assert json.loads(extra["OTHER_VALUES"])["Label: stringMeas"][0]["value"] == "ok"
    (found,) = wats_site.rows("test_measurement")
    assert [found[n] for n in ("serial_num", "parameter", "value", "unit", "lower_limit", "upper_limit")] == [
        "SN01",
        "Power/VA",
        5.02,
        "V",
        4.5,
        5.5,
    ]
    (rework,) = wats_site.rows("rework")
    expected = {
        "serial_num": "SN01",
        "rework_timestamp": datetime(2024, 1, 1, 8, 0, 0, 250_000),
        "component": "C12",
        "action": "Repair",
        "cause_error_code": "Solder",
        "technician_id": "kim",
        "duration_s": 300.0,
    }
    assert rework | expected == rework and json.loads(rework["_extra"])["failure.category"] == "Process"


@pytest.mark.parametrize("result, spelling", [("P", "pass"), ("F", "fail"), ("E", "error"), ("T", "abort")])
def test_results(wats_site, result, spelling):
    wats_site.put("a.json", json.dumps(report(result=result)))
    wats_site.load()
    assert wats_site.rows()[0]["test_result"] == spelling


# What can't be a row is in raw.reject, with its reason: nothing is lost.
def test_reports_that_can_not_be_rows_are_rejected(wats_site):
    measured = step("VA", numericMeas=[numeric("NaN"), numeric(None), numeric(True)])
    reports = [report(result="D"), report(pn="", sn=None), report(measured, uut=None), repair({"sn": "SN01"})]
    wats_site.put("a.json", json.dumps([*reports, report(type="X")]))
    wats_site.load()
    assert sorted((row["table_name"], row["row"], row["reason"][:60]) for row in wats_site.rows("reject")) == [
        ("rework", 1, "component is missing"),
        ("rework", 2, "not a WATS report: its type is 'X', neither T (test) nor R ("),
        ("test_measurement", 1, "value is not a finite number"),
        ("test_measurement", 2, "value is missing"),
        ("test_measurement", 3, "value is not a finite number"),
        ("test_measurement", 4, "not a WATS report: its type is 'X', neither T (test) nor R ("),
        ("test_record", 1, "test_result 'D' is not one of pass, fail, error, abort; map "),
        ("test_record", 2, "serial_num is missing; product_name is missing"),
        ("test_record", 3, "test_duration_s is missing"),
        ("test_record", 4, "not a WATS report: its type is 'X', neither T (test) nor R ("),
    ]


@pytest.mark.parametrize(
    "start, utc, expected",
    [
        ("2024-01-01T09:00:00+01:00", None, "2024-01-01T09:00:00+01:00"),
        ("2024-01-01T09:00:00", "", "2024-01-01T09:00:00"),
        ("x", "2024-01-01T08:00:00Z", "2024-01-01T08:00:00Z"),
        ("x", "2024-01-01T08:00:00", "2024-01-01T08:00:00Z"),
        ("x", "2024-01-01T05:00:00-03:00", "2024-01-01T05:00:00-03:00"),
        (None, None, None),
    ],
)
def test_starts(start, utc, expected):
    (row,) = read(report(start=start, startUTC=utc))
    assert row["test_timestamp"] == expected


# A start without an offset is wall time of the source.
def test_start_without_an_offset(wats_site):
    wats_site.put("a.json", json.dumps(report(start="2024-01-01T08:00:00", startUTC=None)))
    wats_site.load()
    assert wats_site.rows()[0]["test_timestamp"] == datetime(2024, 1, 1)


@pytest.mark.parametrize(
    "comparator, low, high, limits",
    [
        ("GELE", 1, 2, (1, 2)),
        ("GTLT", 1, 2, (1, 2)),
        ("GELT", 1, 2, (1, 2)),
        ("GTLE", 1, 2, (1, 2)),
        ("GE", 1, None, (1, None)),
        ("GT", 1, None, (1, None)),
        ("LE", 1, None, (None, 1)),
        ("LT", None, 2, (None, 2)),
        ("EQ", 1, None, (1, 1)),
        ("NE", 1, None, (None, None)),
        ("LOG", None, None, (None, None)),
        ("LTGT", 1, 2, (None, None)),
        (None, 1, 2, (None, None)),
    ],
)
def test_limits_follow_the_comparator(comparator, low, high, limits):
    assert wats.limits(comparator, low, high) == limits


def test_steps_within_steps_loops_and_several_values():
    loop = [step("Ramp", numericMeas=[numeric(value)], loop={"idx": index}) for index, value in enumerate((1, 2))]
    multiple = step("Rails", numericMeas=[numeric(3, name="A"), numeric(4, name="B")])
    single = step("One", numericMeas=numeric(5))
    skipped = step("Later", status="S", numericMeas=[numeric(0)])
    inner = step("Inner", steps=[multiple, skipped])
    rows = read(report(*loop, step("Outer", steps=[inner]), single), table="test_measurement")
    assert [(row["parameter"], row["value"], row["LOOP_INDEX"]) for row in rows] == [
        ("Ramp", 1, 0),
        ("Ramp #2", 2, 1),
        ("Outer/Inner/Rails/A", 3, None),
        ("Outer/Inner/Rails/B", 4, None),
        ("One", 5, None),
    ]


def test_error_codes():
    inner = step("VA", status="F", causedUUTFailure=True)
    outer = step("Power", status="F", causedUUTFailure=True, steps=[inner])
    first, uut = step("First", status="E"), report()["uut"]
    failed = {"result": "F"}
    rows = read(
        report(first, outer, **failed),
        report(step("Group", status="F", steps=[first]), **failed),
        report(outer, **failed | {"uut": uut | {"errorCode": -17}}),
        report(result="T"),
        report(outer),
    )
    assert [row["error_code"] for row in rows] == ["Power/VA", "Group/First", -17, None, None]


def test_duration_of_the_root_and_no_socket():
    (row,) = read(report(uut={"testSocketIndex": -1}, root={"totTime": 3.5}))
    assert (row["test_duration_s"], row["fixture_slot"]) == (3.5, None)


def test_components_of_repairs():
    main, sub = {"sn": "SN01", "pn": "PN7"}, {"sn": "SU1", "pn": "PSU-3"}
    units = [
        main | {"failures": [{"comRef": "C1", "code": "a"}, {"artNumber": "4711", "code": "b"}, {"code": "c"}]},
        sub | {"failures": [{"code": "d"}]},
    ]
    rows = read(repair(*units, processName=None), table="rework")
    assert [(row["component"], row["cause_error_code"], row["action"]) for row in rows] == [
        ("C1", "a", 500),
        ("4711", "b", 500),
        (None, "c", 500),
        ("PSU-3", "d", 500),
    ]


@pytest.mark.parametrize(
    "change",
    [{"root": []}, {"root": {"steps": {}}}, {"root": {"steps": ["x"]}}, {"uut": "x"}, {"miscInfos": ["x"]}]
    + [{"root": {"steps": [{"name": "a", "numericMeas": 5}]}}],
)
def test_reports_of_another_shape_are_rejected(change):
    for table in ("test_record", "test_measurement"):
        (refused,) = read(report(**change), table=table)
        assert refused.reason.startswith("not a WATS report: ")


# A report that is sent again among others must be the same record.
def test_hash_does_not_depend_on_the_batch(wats_site):
    ambient = [{"description": "Ambient", "numeric": 21.0}]
    wats_site.put("a.json", json.dumps(report(miscInfos=ambient)))
    others = [report(miscInfos=[{"description": "Ambient", "text": "cold"}], sn="SN02"), report(miscInfos=ambient)]
    wats_site.put("b.json", json.dumps(others))
    wats_site.load()
    first, _, again = wats_site.rows()
    assert first["_hash"] == again["_hash"]


# A value that hides another of its name would be lost.
def test_names_that_occur_again_hide_nothing():
    again = [step("Label", stringMeas=[{"value": value}]) for value in "ab"]
    (row,) = read(report(*again, miscInfos=[{"description": "Fw", "text": text} for text in "xy"]))
    assert (row["misc.Fw"], row["misc.Fw #2"]) == ("x", "y")
    others = json.loads(row["OTHER_VALUES"])
    assert [others[name][0]["value"] for name in ("Label: stringMeas", "Label: stringMeas #2")] == ["a", "b"]


# Half a surrogate pair is JSON, but no text: it must not stop the night.
def test_half_a_character_fails_the_file(wats_site):
    wats_site.put("a.json", json.dumps(report(sn="\ud800")))
    wats_site.put("b.json", json.dumps([report(type="\ud800"), report(result=["P"])]))
    first, *_, second, _, _ = wats_site.load()
    assert "surrogates not allowed ('\\ud800')" in first.error and second.reject_count == 2
