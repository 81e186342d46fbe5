"""Rejects once more: what was mended comes in, once, and what was not waits on."""

import io
import json
import signal
import subprocess
import sys
from datetime import date, datetime

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from plant_site import GOOD, Site, line, record
from test_lake import KILLED, check_no_leftovers

from ingest import compaction
from ingest.__main__ import main
from ingest.display import replay_lines
from ingest.lake import read_manifest
from ingest.rejects import Selection, with_open_rejects
from ingest.replay import replay
from pipeline.paths import PROJECT, Paths
from pipeline.plant import PlantError, load_plant

UNKNOWN = line(serial_num="B", test_result="GREAT")
SPELLINGS = "column_name,spelling,value\ntest_result,GREAT,pass\n"


def again(site, **selected):
    return replay(load_plant(site.folder), site.paths, Selection(**selected))[1]


def mend(site, text: str = SPELLINGS) -> None:
    site.folder.joinpath("value_spellings.csv").write_text(text)


def waiting(site) -> list[tuple[str, int, str]]:
    """Object, row and reason of the open rejects."""
    loads = {load.load_id: load for load in with_open_rejects(read_manifest(site.paths.raw))}
    rows = [row for row in site.rows("reject") if row["load_id"] in loads]
    return sorted((loads[row["load_id"]].object, row["row"], row["reason"]) for row in rows)


def serials(site) -> list[str]:
    return [row["serial_num"] for row in site.rows()]


# A spelling nobody knew cost the night its records: once it is known they come in, and only once.
def test_a_mended_spelling_brings_its_records_in(site):
    file = site.put_rows("a.csv", GOOD, UNKNOWN, line(serial_num="C", test_duration_s=-1), "ragged")
    first = site.load_one()
    file.unlink()
    mend(site)
    (done,) = again(site)
    assert (done.loaded, done.refused, done.left.total()) == (1, 1, 1)
    assert (done.load.replays, done.load.object, done.load.row_count) == (first.load_id, "inbox/a.csv", 1)
    assert [(row["serial_num"], row["_row"]) for row in site.rows()] == [("A1", 1), ("B", 2)]
    below = "test_duration_s is below 0"
    assert waiting(site) == [("inbox/a.csv", 3, below), ("inbox/a.csv", 4, "1 fields instead of 7")]
    assert [done.load for done in again(site)] == [None] and serials(site) == ["A1", "B"]


# Else a replay would bring a file in a second time, or hide its next version.
def test_a_replayed_file_is_still_known_and_its_next_version_new(site):
    site.put_rows("a.csv", UNKNOWN)
    site.load()
    mend(site)
    again(site)
    assert site.load() == [] and serials(site) == ["B"]
    site.put_rows("a.csv", UNKNOWN, GOOD)
    assert site.load_one().row_count == 2


def test_a_mended_mapping_is_followed(site):
    site.describe(timestamp_format="%d.%m.%Y")
    site.put_rows("a.csv", line(test_timestamp="01/02/2024 08:00"))
    assert site.load_one().reject_count == 1
    site.describe(timestamp_format="%d/%m/%Y %H:%M", timezone="UTC")
    again(site)
    assert [row["test_timestamp"] for row in site.rows()] == [datetime(2024, 2, 1, 8)]


def test_a_new_reason_replaces_the_old_one_and_row_and_record_stay(site):
    site.put_rows("a.csv", GOOD, line(test_result="GREAT", test_duration_s=-1))
    site.load()
    before = site.rows("reject")[0]
    mend(site)
    (done,) = again(site)
    after = site.rows("reject")[-1]
    assert (after["record"], after["row"], after["load_id"]) == (before["record"], 2, done.load.load_id)
    assert waiting(site) == [("inbox/a.csv", 2, "test_duration_s is below 0")]


# Whoever mends one thing must not have to wait for the rest, nor lose it.
@pytest.mark.parametrize(
    ("selected", "loaded"),
    [
        ({"reason": "test_RESULT 'great'"}, 1),
        ({"reason": "ragged"}, 0),
        ({"table": "rework"}, 0),
        ({"source": "tests"}, 2),
    ],
)
def test_only_what_is_selected_is_replayed(site, selected, loaded):
    site.put_rows("a.csv", UNKNOWN, line(serial_num="C", test_result="SUPER"), "ragged")
    site.load()
    mend(site, SPELLINGS + "test_result,SUPER,pass\n")
    again(site, **selected)
    assert site.count() == loaded and len(waiting(site)) == 3 - loaded
    again(site)
    assert sorted(serials(site)) == ["B", "C"] and len(waiting(site)) == 1


def test_a_source_that_is_not_there_is_refused(site):
    with pytest.raises(PlantError, match="there is no 'test'; expected one of tests"):
        again(site, source="test")


# A record that no mapping of today can read stays where it is, and the reason is told.
def test_what_can_not_be_replayed_is_said(site):
    site.put_rows("a.csv", UNKNOWN, "ragged")
    site.load()
    site.describe(columns={"test_result": "Outcome"})
    (done,) = again(site)
    assert done.load is None and [count for count in done.left.values()] == [1, 1]
    said = replay_lines([done])
    assert said[0] == "tests: test_record: 0 rejects loaded, 0 rejected again, 2 not replayed"
    assert any("columns.test_result names 'Outcome', which is not among its columns" in text for text in said)
    site.describe(name="others")
    (done,) = again(site)
    assert replay_lines([done])[1] == (
        "not replayed: tests: test_record: 2: plant.yml has no source tests that loads into test_record"
    )
    site.describe({"name": "tests", "kind": "simulator"})
    assert again(site)[0].left.total() == 2
    assert len(waiting(site)) == 2


def test_documents_that_are_no_rows_stay(site):
    site.describe(format="wats")
    site.put("a.json", json.dumps({"type": "T", "text": "\ud800", "root": []}))
    loads = site.load()
    assert sum(load.reject_count for load in loads)
    assert not any(done.load for done in again(site))


# Half of a surrogate pair, which JSON can write, once stopped the whole night.
def test_json_that_is_no_text_is_rejected_and_the_rest_loaded(site):
    half = [record(serial_num="\ud800"), record(**{"\ud800": 1}), "\ud800", record()]
    site.put("a.ndjson", "\n".join(map(json.dumps, half)))
    site.put("a.json", json.dumps(half))
    assert [(load.row_count, load.reject_count) for load in site.load()] == [(1, 3)] * 2
    assert [row for row, _, _ in site.rejects()] == [1, 1, 2, 2, 3, 3]
    assert [done.left.total() for done in again(site)] == [3, 3]


# What did not become a row comes in once plant.yml names its fields.
def test_lines_and_rows_are_read_by_position(site):
    book = openpyxl.Workbook()
    for row in (["A", "PASS"], [*GOOD.split(","), None], ["B", "PASS", *[None] * 5, "8th"]):
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    source = {"kind": "files", "header": ["serial_num", "test_result"], "table": "test_record"}
    fixed = {"columns": {name: {"value": "x"} for name in ("product_name", "test_name", "machine_id")}}
    fixed["columns"] |= {"test_timestamp": {"value": "2024-01-01 08:00:00"}, "test_duration_s": {"value": 1}}
    kinds = {"lines": "inbox/*.csv", "tabs": "inbox/*.tsv", "sheets": "inbox/*.xlsx"}
    site.describe(*({"name": name, "path": path} | source | fixed for name, path in kinds.items()))
    site.put("a.csv", f"A,PASS\n{GOOD}\nB,PASS,1\n")
    site.put("a.tsv", f"A\tPASS\n{GOOD.replace(',', chr(9))}\nB\tPASS\t1\n")
    site.put("a.xlsx", content.getvalue())
    assert [(load.row_count, load.reject_count) for load in site.load()] == [(1, 2)] * 3
    site.describe(
        *(
            {"name": name, "path": path, "kind": "files", "table": "test_record"} | {"header": [*record()]}
            for name, path in kinds.items()
        )
    )
    done = again(site)
    assert [it.loaded for it in done] == [1] * 3
    assert sorted(whys for it in done for whys in it.left.items()) == [
        ("3 fields instead of 7", 1),
        ("3 fields instead of 7", 1),
        ("8 fields instead of 7", 1),
    ]
    assert sorted((row["serial_num"], row["_row"]) for row in site.rows()) == [("A", 1)] * 3 + [("A1", 2)] * 3


# A mapping that was mended by an expression, a value map, the path or a condition counts as for a new file.
def test_a_replay_goes_through_the_mapping(site):
    site.put_rows("m7/a.csv", *(line(serial_num=f"S{n}", test_result=f"R{n}", machine_id="") for n in range(3)))
    site.describe(path="inbox/*/*.csv")
    assert site.load_one().reject_count == 3
    columns = {
        "test_result": {"from": "test_result", "values": {"R0": "pass", "R1": "fail"}},
        "machine_id": {"path": "([^/]+)/[^/]+$"},
        "test_name": {"sql": "lower(test_name) || '1'"},
    }
    site.describe(path="inbox/*/*.csv", columns=columns, where="serial_num <> 'S0'")
    (done,) = again(site)
    assert (done.loaded, done.filtered, done.refused) == (1, 1, 1) and done.load.filtered_count == 1
    (row,) = site.rows()
    assert (row["serial_num"], row["test_result"], row["machine_id"], row["test_name"]) == ("S1", "fail", "m7", "t1")
    assert replay_lines([done]) == ["tests: test_record: 1 rejects loaded, 1 rejected again, 1 left out by where"]
    site.describe(path="inbox/*/*.csv", columns={"machine_id": {"sheet": "(.*)"}})
    assert list(again(site)[0].left) == [
        "columns.machine_id in plant.yml names a sheet or its cell, which a reject does not hold"
    ]


# Reference data counts by its newest load: what an older one refused is nobody's concern any more.
def test_rejects_of_reference_data_are_open_until_the_csv_is_mended(site):
    mend(site, SPELLINGS + "test_result,,\n")
    site.load()
    assert [object_ for object_, _, _ in waiting(site)] == ["value_spellings.csv"]
    assert again(site) == []
    mend(site)
    site.load()
    assert waiting(site) == []


def test_replays_of_replays_keep_object_row_and_the_judgement_of_the_future(site):
    in_future = datetime.now().replace(microsecond=0).isoformat(" ")[:3] + "9" + "-01-01 08:00:00"
    site.put_rows(
        "a.csv", GOOD, line(serial_num="F", test_timestamp=in_future, test_result="GREAT", test_duration_s=-1)
    )
    first = site.load_one()
    mend(site)
    (second,) = again(site)
    site.describe(columns={"test_duration_s": "serial_num", "serial_num": "test_duration_s"})
    (third,) = again(site)
    assert (second.load.replays, third.of.load_id) == (first.load_id, second.load.load_id)
    assert third.refused == 1 and [row[:2] for row in waiting(site)] == [("inbox/a.csv", 2)]
    site.describe()
    mend(site, SPELLINGS + "test_result,SUPER,pass\n")
    assert len(with_open_rejects(read_manifest(site.paths.raw))) == 1


def test_compaction_loses_no_open_reject(site, monkeypatch):
    monkeypatch.setattr(compaction.compact, "__kwdefaults__", {"most_files": 3})
    for number in range(6):
        site.put_rows(f"{number}.csv", line(serial_num=f"S{number}", test_result="GREAT"), "ragged")
    site.load()
    mend(site)
    assert sum(done.loaded for done in again(site)) == 6
    assert sorted(serials(site)) == [f"S{number}" for number in range(6)]
    assert len(waiting(site)) == 6
    assert [done.load for done in again(site)] == [None] * 6


# Killed before any of the renames of records, rejects, manifest, attempts: run again, it is whole.
@pytest.mark.parametrize("renames", [1, 2, 3])
def test_a_killed_replay_is_whole_when_run_again(site, renames):
    site.put_rows("a.csv", GOOD, UNKNOWN, "ragged")
    site.put_rows("b.csv", line(serial_num="C", test_result="GREAT"))
    site.load()
    mend(site)
    site.load()
    script = KILLED.replace("from ingest import load_all, lake", "from ingest import lake\nfrom ingest.replay import *")
    script = script.replace("load_all(load_plant(sys.argv[1]), Paths(Path(sys.argv[2])))", RUN_REPLAY)
    arguments = [sys.executable, "-c", script, str(site.folder), str(site.paths.data), str(renames + 1)]
    assert subprocess.run(arguments, cwd=PROJECT, check=False).returncode == -signal.SIGKILL
    again(site)
    assert sorted(serials(site)) == ["A1", "B", "C"]
    assert waiting(site) == [("inbox/a.csv", 3, "1 fields instead of 7")]
    check_no_leftovers(site)


RUN_REPLAY = "replay(load_plant(sys.argv[1]), Paths(Path(sys.argv[2])), Selection())"


def test_the_command_loads_mended_reference_data_first(site, monkeypatch):
    site.put_rows("a.csv", UNKNOWN)
    site.load()
    monkeypatch.setenv("FIRSTPASS_DATA", str(site.paths.data))
    command = ["replay", "--plant", str(site.folder), "--table", "test_record"]
    assert CliRunner().invoke(main, command).output.splitlines() == [
        "tests: test_record: 0 rejects loaded, 1 rejected again"
    ]
    mend(site)
    assert CliRunner().invoke(main, command).output.splitlines() == [
        "reference: ref_value_spellings: 1 loaded, 1 rows",
        "tests: test_record: 1 rejects loaded, 0 rejected again",
    ]
    assert CliRunner().invoke(main, command).output == "no rejects wait\n"


TYPED = {
    "test_duration_s": (pa.float64(), st.floats(0, 1e300)),
    "Double": (pa.float64(), st.floats(allow_nan=False)),
    "Whole": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "Large": (pa.uint64(), st.integers(0, 2**64 - 1)),
    "Exact": (pa.decimal128(30, 10), st.decimals(-(10**9), 10**9, places=10)),
    "Truth": (pa.bool_(), st.booleans()),
    "Day": (pa.date32(), st.dates(date(1900, 1, 1))),
    "Time": (pa.timestamp("us"), st.datetimes(datetime(1900, 1, 1))),
    "Instant": (
        pa.timestamp("ms", "Asia/Tokyo"),
        st.datetimes(datetime(1900, 1, 1)).map(lambda t: t.replace(microsecond=0)),
    ),
    "Nested": (pa.struct([("a", pa.int64()), ("b", pa.list_(pa.string()))]), st.just({"a": 1, "b": ["x", None]})),
    "List": (pa.list_(pa.float64()), st.lists(st.sampled_from([1.0, 2.5, 1e20]), min_size=1)),
    "product_name": (
        pa.string(),
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map(lambda text: "P" + text),
    ),
}


# A replayed record that hashes otherwise is taken for another one when its file is delivered again.
@settings(max_examples=3)
@given(data=st.data())
def test_a_replayed_record_is_the_one_that_a_first_load_would_have_made(tmp_path_factory, data):
    values = [{name: data.draw(st.none() | kind) for name, (_, kind) in TYPED.items()} for _ in range(12)]
    rows = [
        {**row, "product_name": row["product_name"] or "P", "test_duration_s": row["test_duration_s"] or 0.5}
        | {"serial_num": "S", "test_name": "T", "machine_id": "M", "test_result": "GREAT"}
        | {"test_timestamp": datetime(2024, 1, 1, 8, minute)}
        for minute, row in enumerate(values)
    ]
    texts = ("serial_num", "test_name", "machine_id", "test_result")
    kinds = {name: kind for name, (kind, _) in TYPED.items()} | {"test_timestamp": pa.timestamp("us")}
    schema = pa.schema([*kinds.items(), *((name, pa.string()) for name in texts)])
    content = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), content)
    found = []
    for mended_before in (True, False):
        folder = tmp_path_factory.mktemp("plant")
        site = Site(folder, Paths(folder / "data")).describe()
        site.put("a.parquet", content.getvalue())
        if mended_before:
            mend(site)
        site.load()
        if not mended_before:
            mend(site)
            again(site)
        found.append([{name: row[name] for name in row if name != "_load_id"} for row in site.rows()])
    assert len(found[0]) == 12 and found[0] == found[1]
