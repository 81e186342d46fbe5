"""What plant.yml makes of odd files: names by position, value maps, expressions, constants, conditions."""

import json
import re
import sqlite3
from contextlib import closing

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plant_site import GOOD, HEADER, HEADER_LIST, line

from ingest.contract import FOLDER
from ingest.lake import read_manifest
from ingest.plant_sql import WrongExpression, parsed, sandbox
from pipeline.plant import PlantError

CAMERA = {
    "table": "machine_cycle",
    "path": "inbox/*/PR*.txt",
    "header": ["item", "lot", "serial", "present", "at"],
    "timestamp_format": ["%m/%d/%y %H:%M:%S.%f", "%m/%d/%y %H:%M:%S;%f"],
    "columns": {
        "machine_id": {"path": "([^/]+)/[^/]+$"},
        "product_name": "item",
        "cycle_timestamp": "at",
        "part_present": {"from": "present", "values": {"yes": True, "no": False}},
        "serial_num": {"from": "serial", "values": {"000": None, "": "none"}},
    },
}


def reasons(site) -> list[str]:
    return [reason for _, _, reason in site.rejects()]


# A log without a header, whose folder names the machine and whose times come in two spellings, can't be loaded at all.
def test_camera_log_is_mapped_by_position_path_and_values(site):
    site.describe(**CAMERA).put(
        "Line7/PR1.txt",
        "\n1169,A,007,yes,10/13/22 06:11:09.394\n"
        "1169,A,000, no ,10/13/22 06:11:10;394\n"
        "1169,A,,1,10/13/22 06:11:11.394\n",
    )
    load = site.load_one()
    assert (load.row_count, load.reject_count, load.filtered_count) == (3, 0, 0)
    rows = site.rows("machine_cycle")
    assert [row["serial_num"] for row in rows] == ["007", None, "none"]
    assert [row["part_present"] for row in rows] == [True, False, True]
    assert {row["machine_id"] for row in rows} == {"Line7"}
    assert [row["cycle_timestamp_local"].isoformat(" ") for row in rows] == [
        f"2022-10-13 06:11:{second}.394000" for second in ("09", "10", "11")
    ]
    assert [row["_row"] for row in rows] == [1, 2, 3]
    assert {row["_extra"] for row in rows} == {'{"lot":"A"}'}


# A record that was mapped must be the same as one that came as the contract has it: else it counts twice.
def test_mapped_record_has_the_hash_of_one_that_needs_no_mapping(site):
    renamed = {name: name[:3] + str(at) for at, name in enumerate(HEADER_LIST)}
    columns = renamed | {
        "test_name": {"value": "T"},
        "machine_id": {"path": r"(\w)\.csv$"},
        "test_result": {"from": renamed["test_result"], "values": {"i.O.": "PASS"}},
        "test_timestamp": {"sql": "strptime(day || hour, '%d.%m.%Y%H:%M')"},
        "test_duration_s": {"sql": "(ms::double / 1000)::decimal(9, 2)"},
        "product_name": {"sql": '"Pro duct"[1:1]'},
    }
    odd = {"name": "odd", "kind": "files", "path": "odd/*", "table": "test_record", "columns": columns}
    plain = {"name": "plain", "kind": "files", "path": "inbox/*", "table": "test_record"}
    site.describe(odd, plain).put_rows("a.csv", GOOD)
    header = f"{renamed['serial_num']};Pro duct;day;hour;{renamed['test_result']};ms"
    site.put("../odd/M.csv", f"{header}\nA1;Pxy;01.01.2024;08:00;i.O.;1500\n")
    assert [load.row_count for load in site.load()] == [1, 1]
    odd, plain = site.rows()
    kept = {"product_name", "serial_num", "test_name", "machine_id", "test_timestamp", "test_result", "test_duration_s"}
    assert {name: odd[name] for name in kept} == {name: plain[name] for name in kept}
    assert json.loads(odd["_extra"]) == {"Pro duct": "Pxy", "day": "01.01.2024", "hour": "08:00", "ms": "1500"}


# One cell that an expression can't read must not cost the file, nor vanish; the reject shows what was received.
def test_record_in_which_an_expression_fails_is_a_reject_as_received(site):
    site.describe(columns={"test_duration_s": {"sql": "ms::double / 1000"}}, where="ms::int <> 7")
    header = HEADER.replace("test_duration_s", "ms")
    bad, null = GOOD.replace("1.5", "fast"), GOOD.replace("1.5", "")
    site.put_rows("a.csv", GOOD.replace("1.5", "1500"), bad, GOOD.replace("1.5", "7"), null, header=header)
    load = site.load_one()
    assert (load.row_count, load.reject_count, load.filtered_count) == (1, 1, 2)
    assert site.rows()[0]["test_duration_s"] == 1.5
    ((row, record, reason),) = site.rejects()
    assert (row, record["ms"], list(record)) == (2, "fast", header.split(","))
    assert reason == (
        "columns.test_duration_s in plant.yml fails on this record; where in plant.yml fails on this record"
    )


# What a plant leaves out on purpose is not an error, but nobody may wonder where it went.
def test_records_left_out_are_counted_and_the_others_keep_their_rows(site, capsys):
    site.describe(where="SERIAL_NUM <> 'serial_num' and upper(test_result) in ('PASS', 'FAIL')")
    site.put_rows("a.csv", GOOD, HEADER, line(test_result="ERROR"), "too,few", line(serial_num="A2"))
    load = site.load_one()
    assert (load.row_count, load.reject_count, load.filtered_count) == (2, 1, 2)
    assert [(row["serial_num"], row["_row"]) for row in site.rows()] == [("A1", 1), ("A2", 5)]
    assert site.rejects()[0][0] == 4
    (on_record,) = (row for row in site.rows("load") if row["source"] == "tests")
    assert on_record["filtered_count"] == 2


# A header that is there again in the middle is no record, and is told.
def test_header_in_the_middle_is_a_reject_unless_it_is_left_out(site):
    site.put_rows("a.csv", GOOD, HEADER, GOOD)
    load = site.load_one()
    assert (load.row_count, load.reject_count) == (2, 1)


# Expressions see what was received: a number column of Parquet reads like that of a CSV.
def test_conditions_read_typed_columns_as_text(site):
    table = duckdb.sql(
        "select 'A' || n as serial_num, 'P' as product_name, 'T' as test_name, 'M' as machine_id, "
        "timestamp '2024-01-01 08:00' as test_timestamp, 'PASS' as test_result, n::double as test_duration_s, "
        "{'a': n} as nested from range(1, 5) r(n)"
    ).to_arrow_table()
    pq.write_table(table, site.put("a.parquet", b""))
    site.describe(where="test_duration_s in ('1', '3')", columns={"lot_number": {"sql": "nested->>'$.a'"}})
    load = site.load_one()
    assert (load.row_count, load.filtered_count) == (2, 2)
    assert [row["lot_number"] for row in site.rows()] == ["1", "3"]


# Rows of a database are mapped as files are, and each of them is still loaded once.
def test_rows_of_a_database_are_mapped(site):
    file = site.folder / "mes.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("create table tests (sn text, day text, ok int, seconds real)")
        connection.execute("insert into tests values ('A1', '31.01.2024', 1, 1.5), ('A2', 'soon', 0, 2)")
    columns = {
        "serial_num": "sn",
        "product_name": {"value": "P"},
        "test_name": {"value": "T"},
        "machine_id": {"path": r"(\w+)\.db"},
        "test_timestamp": {"sql": "strptime(day, '%d.%m.%Y')"},
        "test_result": {"from": "ok", "values": {"1": "pass", "0": "fail"}},
        "test_duration_s": "seconds",
    }
    source = {"name": "mes", "kind": "sql", "url": f"sqlite:///{file}", "from": "tests", "table": "test_record"}
    site.describe(source | {"columns": columns})
    load = site.load_one()
    assert (load.row_count, load.reject_count) == (1, 1)
    (row,) = site.rows()
    assert (row["test_result"], row["test_duration_s"], row["machine_id"]) == ("pass", 1.5, "mes")
    assert site.rejects()[0][1] == {"sn": "A2", "day": "soon", "ok": 0, "seconds": 2.0}
    assert site.load() == []


# Names of other languages: Python and DuckDB take different letters for one.
def test_names_beyond_ascii_in_any_case(site):
    columns = {"lot_number": {"sql": "MaßNAHME || ÄNDERUNG"}, "operator_id": {"sql": "änderung"}}
    site.describe(columns=columns, where="Änderung = 'x'")
    site.put_rows("a.csv", f"{GOOD},1,x", f"{GOOD},2,y", header=f"{HEADER},Maßnahme,Änderung")
    assert site.load_one().row_count == 1
    assert [(row["lot_number"], row["operator_id"]) for row in site.rows()] == [("1x", "x")]


# One line of a file may be a test and a repair: none of its rows may be lost, or counted for the wrong table.
def test_several_tables_come_from_one_file(site):
    header = "kind," + HEADER
    tests = {"table": "test_record", "where": "kind = 'test'"}
    repairs = {
        "table": "rework",
        "where": "kind = 'repair'",
        "columns": {"rework_timestamp": "test_timestamp", "component": "test_name", "action": {"value": "replace"}},
    }
    source = {"name": "tests", "kind": "files", "path": "inbox/*.csv", "tables": [tests, repairs]}
    site.describe(source).put_rows("a.csv", "test," + GOOD, "repair," + GOOD, "note," + GOOD, header=header)
    first, second = site.load()
    assert (first.table_name, first.row_count, first.filtered_count) == ("test_record", 1, 2)
    assert (second.table_name, second.row_count, second.filtered_count) == ("rework", 1, 2)
    assert site.load() == []


# European exports: 1.234,5 is a number there, and 1.5 is none rather than fifteen.
@pytest.mark.parametrize(
    "text, value",
    [("1.234,5", 1234.5), ("+,5", 0.5), ("12", 12.0), ("1,5e3", 1500.0), ("1.5", None), ("1,2,3", None)],
)
def test_decimal_comma(site, text, value):
    site.describe(decimal=",").put_rows(
        "a.csv", GOOD.replace(",", ";").replace("1.5", text), header=HEADER.replace(",", ";")
    )
    site.load()
    assert [row["test_duration_s"] for row in site.rows()] == ([] if value is None else [value])
    assert reasons(site) == ([] if value is not None else ["test_duration_s is not a finite number"])


# A whole number with a dot between thousands is read; a number that YAML gives is not text with a comma.
def test_decimal_comma_of_whole_numbers_and_constants(site):
    columns = {
        "interval_end_at": {"sql": "interval_start_at::timestamp + interval 1 hour"},
        "good_count": {"value": 3.0},
    }
    site.describe(table="production_count", decimal=",", columns=columns)
    header = "machine_id;interval_start_at;product_name;total_count"
    site.put("a.csv", f"{header}\nM;2024-01-01 08:00;P;12.345\nM;2024-01-01 09:00;P;1.2345\n")
    site.load()
    assert [(row["total_count"], row["good_count"]) for row in site.rows("production_count")] == [(12345, 3)]
    assert reasons(site) == ["total_count is not a whole number"]


# A title above the header, blank lines counted as an editor counts them.
def test_lines_above_the_header_are_skipped(site):
    site.describe(skip_rows=3).put("a.csv", f'\ufeffReport "7\r\n\r\nof,today\r\n{HEADER}\r\n{GOOD}\r\n')
    assert site.load_one().row_count == 1 and site.rows()[0]["_row"] == 1
    site.describe(skip_rows=9).put_rows("b.csv", GOOD)
    assert site.load_one().error == "the file has fewer lines than skip_rows: 9 in plant.yml"


# A file that has other columns than header: says must not fill the rejects; a ragged line must not fail the file.
def test_header_of_the_wrong_length_is_named(site):
    site.describe(header=HEADER_LIST).put("a.csv", f"{GOOD},x\n{GOOD},y\n")
    assert "2 of 2 lines have not the 7 fields that header: in plant.yml names" in site.load_one().error
    site.put("b.csv", f'{GOOD},x\n{GOOD}\n"A2\nx",P,T,M,2024-01-01 08:00:00,PASS,1.5\n')
    load = site.load_one()
    assert (load.row_count, load.reject_count) == (2, 1)
    assert [(row["_row"], row["serial_num"]) for row in site.rows()] == [(2, "A1"), (3, "A2\nx")]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_delimiter_fits_the_names_of_plant_yml(site, delimiter):
    site.describe(header=HEADER_LIST).put("a.csv", GOOD.replace(",", delimiter))
    assert site.load_one().row_count == 1


def test_file_of_nothing_but_blank_lines_has_no_records(site):
    site.describe(header=HEADER_LIST).put("a.csv", "\n\n")
    assert (site.load_one().status, site.rows()) == ("loaded", [])


# A first line without an end would be held whole, however long.
def test_endless_first_line_fails(site, monkeypatch):
    monkeypatch.setattr("ingest.formats.delimited.LONGEST_RECORD", 1 << 20)
    monkeypatch.setattr("ingest.formats.delimited.BLOCK_BYTES", 1 << 19)
    site.put("a.csv", b"\n" + b"\0" * (3 << 20))
    assert site.load_one().error.startswith("line 2 is longer than 1 MB")


# The mapping was wrong, its writer mends plant.yml, and nothing happens: that was so.
def test_failed_file_is_tried_again_when_plant_yml_reads_it_otherwise(site):
    site.put_rows("a.csv", GOOD, header=HEADER.replace("serial_num", "SN"))
    assert site.load_one().status == "failed" and site.load() == []
    site.describe(columns={"serial_num": "SN"})
    assert site.load_one().row_count == 1 and site.load() == []
    assert site.describe(columns={"serial_num": "SN"}, where="SN = ''").load() == []


# A lake from before there was a count of records left out is still a lake.
def test_manifests_without_a_count_of_records_left_out_are_read(site):
    site.put_rows("a.csv", GOOD)
    site.load()
    for file in (site.paths.raw / "load").glob("2*.parquet"):
        pq.write_table(pq.read_table(file).drop_columns(["filtered_count", "reading"]), file)
    assert [load.filtered_count for load in read_manifest(site.paths.raw)] == [0, 0, 0, 0]
    assert site.load() == []


# The dump of another table under a header that fits: some of its rows would be loaded by luck.
def test_records_of_another_table_fail_the_file(site):
    other = ",".join(["W1", "P", "10", "Items", "1/6/2022 21:00", "", "Unnamed: 9"])
    site.put_rows("a.csv", *[other] * 24, GOOD)
    failed = site.load_one()
    assert "24 of 25 records have in their columns what test_record can't have" in failed.error
    site.put_rows("b.csv", *[",,,,,,"] * 24, GOOD)
    assert (site.load_one().row_count, site.count("reject")) == (1, 24)
    site.put_rows("c.csv", *[line(test_timestamp="01/02/24 08:00")] * 25, GOOD)
    assert (site.load_one().row_count, site.count("reject")) == (1, 49)


WRONG = {
    "no expression": ({"where": "serial_num in"}, "where: 'serial_num in': syntax error"),
    "two expressions": ({"where": "true) from (select 1"}, "it is more than one expression"),
    "a query": ({"where": "(select true)"}, "a subquery is not allowed"),
    "a file": ({"where": "exists (from 'x.csv')"}, "a subquery is not allowed"),
    "the clock": ({"where": "now() > '2024-01-01'"}, "the function now is not allowed, or does not exist"),
    "chance": ({"where": "random() > 0"}, "the function random is not allowed"),
    "an aggregate": ({"where": "max(serial_num) = ''"}, "the function max is not allowed"),
    "a setting": ({"where": "current_setting('x') = ''"}, "the function current_setting is not allowed"),
    "a dot": ({"where": "a.b = ''"}, 'a.b: write a name with a dot in it as "a.b"'),
    "two spellings": ({"where": "a = A"}, "it writes a column in two ways"),
    "an unknown column": (
        {"header": ["a"], "where": "b = ''"},
        'where: "b = \'\'": there is no column b; expected one of "a"',
    ),
    "no condition": ({"header": ["a"], "where": "a"}, "where: 'a': is of the type varchar; expected a condition"),
    "a wrong type": (
        {"header": ["a"], "columns": {"serial_num": {"sql": "a.month + 1"}}},
        "columns.serial_num: 'a.month + 1': a.month: write",
    ),
    "a function without such arguments": (
        {"header": ["a"], "columns": {"serial_num": {"sql": "sqrt(a)"}}},
        "columns.serial_num: 'sqrt(a)': Binder Error: No function matches",
    ),
    "a column that header lacks": (
        {"header": ["a"], "columns": {"serial_num": "b"}},
        "columns: 'b' is not among the columns of header: a",
    ),
    "no such format": ({"timestamp_format": ["%d", "%Q"]}, "timestamp_format: '%Q' is not a format such as"),
}


# A mapping that can't work is told before the night, in one line with its key.
@pytest.mark.parametrize("case", WRONG)
def test_mapping_that_cannot_work_is_told_at_once(site, case):
    source, said = WRONG[case]
    with pytest.raises(PlantError) as error:
        site.describe(**source).load()
    assert said in str(error.value) and "\n" not in str(error.value)
    assert str(error.value).startswith("plant.yml: sources.tests.")


UNFIT = {
    "an unknown column": ({"where": "Seriel = ''"}, "where: \"Seriel = ''\": there is no column Seriel"),
    "two columns but for case": ({"where": "ab = ''"}, "more than one column is ab"),
    "columns that differ by case alone": (
        {"where": "aB = '1'", "columns": {"lot_number": {"sql": "Ab"}}},
        "columns: and where in plant.yml use two columns that are aB but for case",
    ),
    "a path that is not found": (
        {"columns": {"lot_number": {"path": r"lot-(\d+)"}}},
        "columns.lot_number.path: 'lot-(\\\\d+)' in plant.yml is not found in 'inbox/a.csv'",
    ),
    "a cell of a text file": (
        {"columns": {"lot_number": {"cell": "B2"}}},
        "columns.lot_number in plant.yml names a cell",
    ),
    "a sheet of a text file": ({"columns": {"lot_number": {"sheet": "(.)"}}}, "names a sheet: csv has none"),
    "a decimal comma of a typed file": (
        {"decimal": ",", "format": "json"},
        "decimal: in plant.yml is for csv and tsv",
    ),
    "merged cells of a text file": ({"fill_merged": True}, "fill_merged: in plant.yml is for xlsx, not for csv"),
}


# What only the file can show fails the file, and says which key.
@pytest.mark.parametrize("case", UNFIT)
def test_mapping_that_does_not_fit_the_file_fails_it(site, case):
    source, said = UNFIT[case]
    site.describe(**source).put_rows("a.csv", f"{GOOD},1,2", header=f"{HEADER},aB,Ab")
    load = site.load_one()
    assert load.status == "failed" and said in load.error


# Text from records is data: whatever it holds, an expression takes it as a value, and names are only names.
@settings(max_examples=15, deadline=None)
@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
    st.text("ab\"'; -,)(", min_size=1, max_size=8).filter(str.strip),
)
def test_hostile_text_and_names_are_data(text, name):
    quoted = '"' + name.replace('"', '""') + '"'
    expression = parsed(f"upper({quoted}) || 'x'")
    assert expression.columns(["other", name]) == {name: 1}
    with sandbox() as connection:
        connection.register("received", pa.table({name: [text]}))
        found = connection.execute(f"select {expression.text} from received").fetchone()[0]
    assert found == duckdb.execute("select upper(?) || 'x'", [text]).fetchone()[0]


# An expression can reach nothing, even one that got past the check.
@pytest.mark.parametrize(
    "sql",
    ["from read_csv('/etc/hosts')", "set memory_limit = '9GB'", "attach '/tmp/x.db'", "copy (select 1) to '/tmp/x'"],
)
def test_expressions_run_where_nothing_can_be_reached(sql):
    with sandbox() as connection, pytest.raises(duckdb.Error):
        connection.execute(sql)


def test_comment_cannot_hide_what_follows():
    with pytest.raises(WrongExpression):
        parsed("true) --")
    assert parsed("true -- and so on").names == ()


# An example of the data contract that plant.yml would refuse sends its reader away.
def test_examples_of_the_data_contract_are_accepted(site):
    text = (FOLDER / "outcomes.md").read_text().split("### Odd files")[1].split("### Files of")[0]
    sources = [source for block in re.findall("```yaml\n(.*?)```", text, re.DOTALL) for source in yaml.safe_load(block)]
    assert [source["name"] for source in sources] == ["cameras", "line-3", "sheets"]
    assert site.describe(*sources).load() == []


LINES = {
    "loaded": "{0},1,2024-01-01 08:00:00",
    "out": "{0},0,not read at all",
    "fault": "{0},no number,2024-01-01 08:00:00",
    "unfit": "{0},1,yesterday",
    "ragged": "{0},1",
    "blank": "",
}


# Whatever stands in a file, each of its lines is loaded, rejected or left out, and keeps its place.
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(sorted(LINES)), min_size=1, max_size=12), st.sampled_from(["\n", "\r\n"]))
def test_every_line_is_accounted_for(site, kinds, end):
    columns = {"machine_id": "id", "cycle_timestamp": "at", "part_present": {"value": True}}
    site.describe(table="machine_cycle", header=["id", "n", "at"], where="n::int > 0", columns=columns, skip_rows=1)
    lines = [LINES[kind].format(number) for number, kind in enumerate(kinds)]
    site.put(f"{len(list(site.folder.glob('inbox/*')))}.csv", end.join(["title", *lines]) + end)
    load = site.load_one()
    places = [kind for kind in kinds if kind != "blank"]
    if set(places) == {"ragged"}:
        assert "have not the 3 fields" in load.error
        return
    rejected = [row for row, kind in enumerate(places, start=1) if kind in ("fault", "unfit", "ragged")]
    assert (load.row_count, load.filtered_count) == (places.count("loaded"), places.count("out"))
    assert sorted(row["row"] for row in site.rows("reject") if row["load_id"] == load.load_id) == rejected
    rows = [row["_row"] for row in site.rows("machine_cycle") if row["_load_id"] == load.load_id]
    assert rows == [row for row, kind in enumerate(places, start=1) if kind == "loaded"]
