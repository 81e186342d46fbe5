r"""ATML test results: IEEE 1636.1, versions 5 (namespace `urn:IEEE-1636.1:2011...`) and 6.01 (`...:2013...`), as NI
TestStand writes them too. Elements are known by their local names, so prefixes don't matter; other versions and
document types (DTD) are refused.

**An attempt** is a ResultSet of a TestResults; a file has one TestResults, or a TestResultsCollection of them.

| test_record | from |
|---|---|
| serial_num, product_name | UUT: SerialNumber; IdentificationNumber (of type Part first), else the Definition's name |
| test_name | the file's name in ResultSet/@name: `C:\tests\board.seq#MainSequence` is board.seq |
| machine_id | TestStation: SerialNumber, else its Definition's name |
| test_timestamp, test_duration_s | ResultSet/@startDateTime, @endDateTime; with offset or in the source's `timezone` |
| test_result | Outcome/@value; for UserDefined its qualifier, for Aborted with the qualifier Error (TestStand) error |
| error_code | unless it passed: the path of the first Test that failed, or was aborted |
| operator_id, software_version | SystemOperator/@name, else @ID; the version of TestProgram's Definition |

Further columns: `ResultSet.name`, `ResultSet.ID`, `TestResults.uuid`, `Outcome.qualifier`, `OTHER_VALUES`.

**test_measurement**: a TestResult of a Test whose Datum is a number (xsi:type double, integer, long, float, ... of any
prefix), as the names of the TestGroups, of the Test and, where a Test has several, of the TestResult, joined by `/`.
Limits: SingleLimit and LimitPair by their comparators (GE, GT lower; LE, LT upper), Expected with EQ both the same; a
pair with the operator OR wants a value outside and is no limit. Text, booleans and arrays stay with the attempt, in
`OTHER_VALUES`. SessionActions measure nothing; Parameters, Data and Extensions are not read.

UUT and TestStation come after the results, so a file is read twice where measurements are wanted: a first time for
what they belong to. Below a ResultSet one Test at a time is held.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import BinaryIO
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from ingest.formats.attempts import KEY, measured, text_of, unrepeated
from ingest.source import Unreadable

TABLES = ("test_record", "test_measurement")
CHUNK = 1 << 16
NAMESPACE = re.compile(r"\{urn:IEEE-1636\.1:(2011|2013)(:\d+)?:\w+\}(TestResults|TestResultsCollection)")
CONTAINERS = {"TestResultsCollection", "TestResults", "ResultSet", "TestGroup"}
HEAD = {"UUT", "TestStation", "TestProgram", "Personnel", "SystemOperator"}
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
NUMBERS = re.compile(r"(TS_)?(double|float|decimal|integer|int|long|short|unsigned\w+)", re.IGNORECASE)
LOWER, UPPER = ("GE", "GT"), ("LE", "LT")


def rows(stream: BinaryIO, table: str, encoding: str, named: Collection[str]) -> Iterator[dict]:
    """`encoding` is not asked for: the document says its own."""
    if table == "test_record":
        yield from _attempts(stream)
        return
    wanted = {*KEY, *named}
    attempts = [{name: attempt.get(name) for name in wanted} for attempt in _attempts(stream)]
    stream.seek(0)
    for number, tests in groupby(_tests(stream), key=itemgetter(0)):
        values = (value for _, path, test in tests for value in _values(path, test))
        yield from measured(attempts[number], values, named)


def _tests(stream: BinaryIO) -> Iterator[tuple[int, str, Element]]:
    """The number of its ResultSet, the path and the element of each Test."""
    number = 0
    for containers, element in _elements(stream):
        number += element.tag == "ResultSet"
        if element.tag == "Test":
            yield number, _path(containers, element), element


def _attempts(stream: BinaryIO) -> Iterator[dict]:
    head: dict[str, Element] = {}
    found: list[dict] = []
    others: dict = {}
    seen: Counter = Counter()
    failed = outcome = None
    for containers, element in _elements(stream):
        if element.tag == "Test":
            path = _path(containers, element)
            others |= {unrepeated(name, seen): value for name, value in _other_values(path, element)}
            if failed is None and _outcome(element.find("Outcome"))[0] not in ("Passed", "NotStarted", None):
                failed = path
        elif element.tag == "Outcome" and containers[-1].tag == "ResultSet":
            outcome = element
        elif element.tag in HEAD:
            head[element.tag] = element
        elif element.tag == "ResultSet":
            found.append(_result_set(element, outcome, failed) | {"OTHER_VALUES": text_of(others)})
            others, seen, failed, outcome = {}, Counter(), None, None
        elif element.tag == "TestResults":
            own = _head(head) | {"TestResults.uuid": element.get("uuid")}
            yield from (attempt | own for attempt in found)
            head, found = {}, []


def _path(containers: list[Element], test: Element) -> str:
    groups = [it.get("callerName") or it.get("name") for it in containers if it.tag == "TestGroup"]
    return "/".join([*map(str, groups), str(test.get("name"))])


def _result_set(element: Element, outcome: Element | None, failed: str | None) -> dict:
    result, qualifier = _outcome(outcome)
    name, start, end = element.get("name"), element.get("startDateTime"), element.get("endDateTime")
    return {
        "test_name": re.split(r"[\\/]", name.partition("#")[0])[-1] if name else None,
        "test_timestamp": start,
        "test_duration_s": _seconds(start, end),
        "test_result": result,
        "error_code": None if result == "Passed" else failed,
        "ResultSet.name": name,
        "ResultSet.ID": element.get("ID"),
        "Outcome.qualifier": qualifier,
    }


def _head(head: dict[str, Element]) -> dict:
    uut, station, program = (head.get(tag, Element(tag)) for tag in ("UUT", "TestStation", "TestProgram"))
    operator = next(
        (it for element in head.values() for it in element.iter("SystemOperator")), Element("SystemOperator")
    )
    numbers = sorted(uut.iter("IdentificationNumber"), key=lambda it: it.get("type") != "Part")
    part = next((it.get("number") for it in numbers), None)
    return {
        "serial_num": uut.findtext("SerialNumber"),
        "product_name": part or _definition(uut).get("name"),
        "machine_id": station.findtext("SerialNumber") or _definition(station).get("name"),
        "operator_id": operator.get("name") or operator.get("ID"),
        "software_version": _definition(program).get("version"),
    }


def _definition(element: Element) -> Element:
    found = element.find("Definition")
    return Element("Definition") if found is None else found


def _outcome(element: Element | None) -> tuple[str | None, str | None]:
    """Value as a spelling of test_result, and qualifier."""
    value, qualifier = (None, None) if element is None else (element.get("value"), element.get("qualifier"))
    told = qualifier and (value == "UserDefined" or (value == "Aborted" and qualifier == "Error"))
    return qualifier if told else value, qualifier


def _seconds(start: str | None, end: str | None) -> float | None:
    try:
        return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
    except (TypeError, ValueError):
        return None


def _data(path: str, test: Element) -> Iterator[tuple[str, Element, Element]]:
    """Parameter, TestResult and the element in its TestData."""
    results = test.findall("TestResult")
    for result in results:
        name = f"{path}/{result.get('name')}" if len(results) > 1 else path
        yield from ((name, result, datum) for data in result.findall("TestData") for datum in data)


def _values(path: str, test: Element) -> Iterator[dict]:
    for parameter, result, datum in _data(path, test):
        if _is_number(datum):
            low, high, comparator = limits(result)
            yield {
                "parameter": parameter,
                "value": datum.get("value"),
                "unit": datum.get("nonStandardUnit") or datum.get("standardUnit") or datum.get("unit"),
                "lower_limit": low,
                "upper_limit": high,
                "COMPARATOR": comparator,
                "OUTCOME": _outcome(test.find("Outcome"))[0],
            }


def _other_values(path: str, test: Element) -> Iterator[tuple[str, str | list | None]]:
    return ((parameter, _value(datum)) for parameter, _, datum in _data(path, test) if not _is_number(datum))


def _is_number(datum: Element) -> bool:
    if datum.tag != "Datum":
        return False
    if kind := datum.get(TYPE):
        return NUMBERS.fullmatch(kind.rpartition(":")[2]) is not None
    try:
        return bool(datum.get("value")) and float(datum.get("value")) is not None
    except ValueError:
        return False


def _value(datum: Element) -> str | list | None:
    """Of a single value, of which text has an element of its own; of an array or collection a list."""
    if datum.tag == "Datum":
        return datum.get("value") or datum.findtext("Value")
    return [
        it.get("value") or it.findtext("Value")
        for it in datum.iter()
        if it.get("value") or it.find("Value") is not None
    ]


def limits(result: Element) -> tuple[str | None, str | None, str | None]:
    """Lowest and highest good value of a TestResult, and the comparators."""
    pairs = [it for it in result.iterfind("TestLimits//LimitPair") if (it.get("operator") or "AND") == "AND"]
    found = [it for pair in pairs for it in pair.findall("Limit")]
    found += [it for tag in ("SingleLimit", "Expected") for it in result.iterfind(f"TestLimits//{tag}")]
    low = high = None
    for limit in found:
        comparator, datum = limit.get("comparator"), limit.find("Datum")
        value = None if datum is None else datum.get("value")
        if comparator in (*LOWER, "EQ"):
            low = value
        if comparator in (*UPPER, "EQ"):
            high = value
    return low, high, "".join(limit.get("comparator") or "" for limit in found) or None


def _elements(stream: BinaryIO) -> Iterator[tuple[list[Element], Element]]:
    """Every element at its end that stands in a container, with the containers that are open around it."""
    target = _Target()
    parser = ElementTree.XMLParser(target=target)
    try:
        while chunk := stream.read(CHUNK):
            parser.feed(chunk)
            yield from target.taken()
        parser.close()
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise Unreadable(f"not a whole XML document: {error}") from None
    yield from target.taken()


class _Target:
    """Builds elements, with local names, and lets go of each that a container holds."""

    def __init__(self):
        self.containers: list[Element] = []
        self.open: list[Element] = []
        self.ended: list[tuple[list[Element], Element]] = []

    def doctype(self, *_) -> None:
        raise Unreadable("it has a document type (DOCTYPE), which can make it grow without bounds; ATML has none")

    def start(self, tag: str, attributes: dict) -> None:
        element = Element(tag.rpartition("}")[2], attributes)
        if not self.containers and not NAMESPACE.fullmatch(tag):
            raise Unreadable(
                f"its root is {tag}; what is read are test results of IEEE 1636.1, version 5 (2011) or 6.01 (2013)"
            )
        if not self.open and element.tag in CONTAINERS:
            self.containers.append(element)
            return
        if self.open:
            self.open[-1].append(element)
        self.open.append(element)

    def data(self, text: str) -> None:
        if self.open:
            self.open[-1].text = (self.open[-1].text or "") + text

    def end(self, _) -> None:
        element = self.open.pop() if self.open else self.containers.pop()
        if not self.open:
            self.ended.append((list(self.containers), element))

    def close(self) -> None:
        pass

    def taken(self) -> list:
        found, self.ended = self.ended, []
        return found
