"""What becomes of ATML test results."""

import gzip
import io
import json
from datetime import datetime

import pytest

from ingest.formats import atml
from ingest.source import Unreadable

VERSIONS = {"5": "urn:IEEE-1636.1:2011:01:", "6.01": "urn:IEEE-1636.1:2013:"}


def datum(value: str, kind: str = "c:double", unit: str = "V") -> str:
    return f'<c:Datum xsi:type="{kind}" value="{value}" nonStandardUnit="{unit}"/>'


PAIR = f"""<c:LimitPair operator="AND"><c:Limit comparator="GE">{datum("4.5")}</c:Limit>
    <c:Limit comparator="LE">{datum("5.5")}</c:Limit></c:LimitPair>"""


def result(data: str, limits: str = "", name: str = "Numeric") -> str:
    limits = limits and f"<tr:TestLimits><tr:Limits>{limits}</tr:Limits></tr:TestLimits>"
    return f'<tr:TestResult ID="1" name="{name}">{limits}<tr:TestData>{data}</tr:TestData></tr:TestResult>'


def test(name: str, *results: str, outcome: str = "Passed") -> str:
    return f'<tr:Test ID="2" name="{name}"><tr:Outcome value="{outcome}"/>{"".join(results)}</tr:Test>'


test.__test__ = False


def result_set(*content: str, outcome: str = 'value="Passed"', end: str = "2024-01-01T08:00:02.500") -> str:
    return rf"""<tr:ResultSet ID="0" name="C:\tests\board.seq#MainSequence" startDateTime="2024-01-01T08:00:00"
        endDateTime="{end}"><tr:Outcome {outcome}/>{"".join(content)}
        <tr:SessionAction name="wait"><tr:ActionOutcome value="Done"/></tr:SessionAction></tr:ResultSet>"""


def results(*sets: str, serial: str = "SN01", part: str = "PN7", station: str = "ST-1") -> str:
    """In the order of the schema: what was tested comes after the results."""
    return f"""<trc:TestResults uuid="u1"><tr:Personnel><tr:SystemOperator ID="7" name="jo"/></tr:Personnel>
        {"".join(sets)}
        <tr:TestProgram><c:Definition version="1.2" name="board"/></tr:TestProgram>
        <tr:TestStation><c:SerialNumber>{station}</c:SerialNumber></tr:TestStation>
        <tr:UUT UutType="Hardware"><c:Definition name="Board"><c:Identification><c:IdentificationNumbers>
            <c:IdentificationNumber type="Other" number="X"/><c:IdentificationNumber type="Part" number="{part}"/>
        </c:IdentificationNumbers></c:Identification></c:Definition><c:SerialNumber>{serial}</c:SerialNumber></tr:UUT>
        </trc:TestResults>"""


def collection(*content: str, version: str = "6.01") -> str:
    space = VERSIONS[version]
    return f"""<?xml version="1.0" encoding="UTF-8"?><trc:TestResultsCollection xmlns:trc="{space}TestResultsCollection"
        xmlns:tr="{space}TestResults" xmlns:c="urn:IEEE-1671:2010:Common"
        xmlns:ts="www.ni.com/TestStand/ATMLTestResults/3.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
        {"".join(content)}</trc:TestResultsCollection>"""


def read(text: str, table: str = "test_record") -> list:
    """What the format hands over, before the contract judges it."""
    return list(atml.rows(io.BytesIO(text.encode()), table, "utf-8", ()))


@pytest.fixture
def atml_site(site):
    return site.describe({"name": "bench", "kind": "files", "path": "inbox/*", "format": "atml"})


GROUP = '<tr:TestGroup name="board.seq#Power" callerName="Power"><tr:Outcome value="Failed"/>'


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("pack", [str.encode, lambda text: gzip.compress(text.encode())])
def test_result_sets_and_their_values(atml_site, version, pack):
    power = GROUP + test("VA", result(datum("5.02"), PAIR)) + "</tr:TestGroup>"
    label = test("Label", result('<c:Datum xsi:type="c:string"><c:Value>ok</c:Value></c:Datum>'))
    content = pack(collection(results(result_set(power, label), result_set()), version=version))
    atml_site.put("a.xml" if content.startswith(b"<") else "a.xml.gz", content)
    assert [(load.table_name, load.row_count, load.reject_count) for load in atml_site.load()] == [
        ("test_record", 2, 0),
        ("test_measurement", 1, 0),
    ]
    row, _ = atml_site.rows()
    expected = {
        "serial_num": "SN01",
        "product_name": "PN7",
        "test_name": "board.seq",
        "machine_id": "ST-1",
        "test_timestamp": datetime(2024, 1, 1),
        "test_result": "pass",
        "test_duration_s": 2.5,
        "operator_id": "jo",
        "error_code": None,
        "software_version": "1.2",
    }
    assert row | expected == row
    assert json.loads(json.loads(row["_extra"])["OTHER_VALUES"]) == {"Label": "ok"}
    (found,) = atml_site.rows("test_measurement")
    assert [found[n] for n in ("serial_num", "parameter", "value", "unit", "lower_limit", "upper_limit")] == [
        "SN01",
        "Power/VA",
        5.02,
        "V",
        4.5,
        5.5,
    ]
    assert json.loads(found["_extra"]) == {"COMPARATOR": "GELE", "OUTCOME": "Passed"}


# Results of one collection belong to different units, and a namespace needs no prefix.
def test_units_of_a_collection_are_kept_apart():
    each = [results(result_set(test("VA", result(datum(str(n))))), serial=f"S{n}") for n in range(3)]
    rows = read(collection(each[0], results(result_set(), serial="S9"), *each[1:]), "test_measurement")
    assert [(row["serial_num"], row["value"]) for row in rows] == [("S0", "0"), ("S1", "1"), ("S2", "2")]


def test_prefixes_do_not_matter():
    whole = results(result_set(test("VA", result(datum("1")))))
    for prefix in ("trc:", "tr:", "c:"):
        whole = whole.replace(f"<{prefix}", "<").replace(f"</{prefix}", "</")
    space = f'xmlns="{VERSIONS["6.01"]}TestResults" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    whole = whole.replace("<TestResults ", f"<TestResults {space} ", 1)
    assert [row["serial_num"] for row in read(whole)] == ["SN01"]
    assert [row["value"] for row in read(whole, "test_measurement")] == ["1"]


@pytest.mark.parametrize(
    "outcome, result",
    [
        ('value="Passed"', "pass"),
        ('value="Failed"', "fail"),
        ('value="Aborted"', "abort"),
        ('value="Aborted" qualifier="Terminated"', "abort"),
        ('value="Aborted" qualifier="Error"', "error"),
        ('value="UserDefined" qualifier="Error"', "error"),
    ],
)
def test_outcomes(atml_site, outcome, result):
    atml_site.put("a.xml", collection(results(result_set(outcome=outcome))))
    atml_site.load()
    assert [row["test_result"] for row in atml_site.rows()] == [result]


# What can't be a row is in raw.reject, with its reason: nothing is lost.
def test_what_can_not_be_a_row_is_rejected(atml_site):
    odd = test("VA", result(datum("INF")), result(datum(""), name="B"))
    units = [
        results(result_set(odd), serial=""),
        results(result_set(outcome='value="Inconclusive"'), result_set(end="later")),
        "<trc:TestResults><tr:ResultSet/></trc:TestResults>",
    ]
    atml_site.put("a.xml", collection(*units))
    atml_site.load()
    found = [(row["table_name"], row["row"], row["reason"]) for row in atml_site.rows("reject")]
    assert [(table, row) for table, row, _ in found] == [
        ("test_record", 1),
        ("test_record", 2),
        ("test_record", 3),
        ("test_record", 4),
        ("test_measurement", 1),
        ("test_measurement", 2),
    ]
    said = [reason for *_, reason in found]
    assert said[0] == "serial_num is missing" and said[1].startswith("test_result 'Inconclusive' is not one of")
    assert said[2] == "test_duration_s is missing" and said[3].count("is missing") == 7
    assert said[4:] == [
        "serial_num is missing; value is not a finite number",
        "serial_num is missing; value is missing",
    ]


@pytest.mark.parametrize(
    "limits, expected",
    [
        (PAIR, ("4.5", "5.5", "GELE")),
        (PAIR.replace("AND", "OR"), (None, None, None)),
        (f'<c:SingleLimit comparator="GT">{datum("1")}</c:SingleLimit>', ("1", None, "GT")),
        (f'<c:SingleLimit comparator="LE">{datum("2")}</c:SingleLimit>', (None, "2", "LE")),
        (f'<c:SingleLimit comparator="NE">{datum("2")}</c:SingleLimit>', (None, None, "NE")),
        (f'<c:Expected comparator="EQ">{datum("3")}</c:Expected>', ("3", "3", "EQ")),
        ('<c:SingleLimit comparator="GE"/>', (None, None, "GE")),
        ("", (None, None, None)),
    ],
)
def test_limits(limits, expected):
    (row,) = read(collection(results(result_set(test("VA", result(datum("1"), limits))))), "test_measurement")
    assert (row["lower_limit"], row["upper_limit"], row["COMPARATOR"]) == expected


@pytest.mark.parametrize("kind", ["c:double", "ts:TS_double", "c:integer", "c:unsignedLong", "common:long"])
def test_numbers(kind):
    (row,) = read(collection(results(result_set(test("VA", result(datum("1", kind)))))), "test_measurement")
    assert (row["parameter"], row["value"]) == ("VA", "1")


def test_other_values_stay_with_the_attempt():
    array = (
        '<c:IndexedArray><c:Element position="[0]" value="1"/><c:Element position="[1]" value="2"/></c:IndexedArray>'
    )
    tests = [
        test("flag", result(datum("true", "c:boolean"))),
        test("hex", result(datum("0x1F", "c:hexadecimal"))),
        test("wave", result(array)),
        test("untyped", result('<c:Datum value="text"/>')),
        test("many", result(datum("1"), name="A"), result('<c:Datum value="2"/>', name="B")),
    ]
    text = collection(results(result_set(*tests)))
    (attempt,) = read(text)
    assert json.loads(attempt["OTHER_VALUES"]) == {"flag": "true", "hex": "0x1F", "wave": ["1", "2"], "untyped": "text"}
    assert [row["parameter"] for row in read(text, "test_measurement")] == ["many/A", "many/B"]


def test_repeated_tests_keep_every_value():
    text = collection(results(result_set(*[test("VA", result(datum(str(n)))) for n in (1, 2)])))
    assert [row["parameter"] for row in read(text, "test_measurement")] == ["VA", "VA #2"]


def test_error_codes():
    tests = test("first"), GROUP + test("VA", outcome="Failed") + "</tr:TestGroup>", test("last", outcome="Failed")
    sets = [result_set(*tests, outcome='value="Failed"'), result_set(*tests), result_set(outcome='value="Failed"')]
    assert [row["error_code"] for row in read(collection(results(*sets)))] == ["Power/VA", None, None]


def test_names_where_there_are_no_numbers():
    whole = results(result_set()).replace("IdentificationNumber ", "Other ").replace('name="jo"', "")
    whole = whole.replace("<c:SerialNumber>ST-1</c:SerialNumber>", '<c:Definition name="bench 4"/>')
    (row,) = read(collection(whole))
    assert (row["product_name"], row["machine_id"], row["operator_id"]) == ("Board", "bench 4", "7")


WHOLE = collection(results(result_set(test("VA", result(datum("1"), PAIR)))))


# Wherever a copy broke off, nothing of the file is loaded.
@pytest.mark.parametrize("table", atml.TABLES)
def test_files_that_break_off_are_refused(table):
    for end in range(0, len(WHOLE), 7):
        with pytest.raises(Unreadable):
            read(WHOLE[:end], table)


# An entity that grows without bounds must not be able to stop a night.
def test_document_types_are_refused(atml_site):
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    atml_site.put("a.xml", WHOLE.replace("?>", f"?>{bomb}", 1).replace("SN01", "&b;"))
    assert ["DOCTYPE" in load.error for load in atml_site.load()] == [True, True]


@pytest.mark.parametrize(
    "text, error",
    [
        ("", "no element found"),
        ("hello", "syntax error"),
        ("<TestResults/>", "its root is TestResults"),
        (WHOLE.replace("1636.1:2013", "1636.1:2006"), "urn:IEEE-1636.1:2006"),
        (WHOLE.replace("UTF-8", "klingon"), "unknown encoding"),
        (WHOLE.replace("</tr:TestData>", ""), "mismatched tag"),
    ],
)
def test_other_documents_are_refused(text, error):
    with pytest.raises(Unreadable, match=error):
        read(text)


def test_chunks_do_not_matter(monkeypatch):
    whole = [read(WHOLE, table) for table in atml.TABLES]
    monkeypatch.setattr(atml, "CHUNK", 3)
    assert [read(WHOLE, table) for table in atml.TABLES] == whole
