from datetime import UTC, date, datetime, time

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from openpyxl import load_workbook

from generator import outputs
from generator.__main__ import main
from generator.outputs import WRITERS
from generator.records import SCHEMAS

PLANT = """
plant: {name: small, timezone: Europe/Berlin, production_day_start: "06:00"}
sources: [{name: simulated, kind: simulator, seed: 5, weeks: 2, start: 2024-10-21}]
"""


@pytest.fixture
def plant(small_plant):
    (small_plant / "plant.yml").write_text(PLANT, encoding="utf-8")
    return small_plant


def write(plant, out, file_format, *more):
    result = CliRunner().invoke(main, ["--plant", str(plant), "--out", str(out), "--format", file_format, *more])
    assert result.exit_code == 0, result.output
    return out


def read_csv(folder, name):
    # As a person's program would: text, then types by the contract.
    with duckdb.connect() as connection:
        rows = connection.read_csv(str(folder / f"{name}.csv"), all_varchar=True).fetchall()
    return [typed(name, row) for row in rows]


def read_xlsx(folder, name):
    workbook = load_workbook(folder / f"{name}.xlsx", read_only=True)
    rows = []
    for sheet in workbook.worksheets:
        header, *records = sheet.iter_rows(values_only=True)
        assert list(header) == SCHEMAS[name].names
        rows += [typed(name, record) for record in records]
    return rows


def typed(name, record):
    def value_of(field, value):
        if value is not None and pa.types.is_timestamp(field.type):
            return datetime.fromisoformat(value).astimezone(UTC)
        if value is not None and pa.types.is_floating(field.type):
            return float(value)
        return value

    return tuple(map(value_of, SCHEMAS[name], record))


def read_duckdb(folder, name):
    with duckdb.connect(folder / "records.duckdb", read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return connection.table(name).fetchall()


def read_parquet(folder, name):
    table = pq.read_table(folder / f"{name}.parquet")
    assert table.schema.equals(SCHEMAS[name])
    return [tuple(row.values()) for row in table.to_pylist()]


READERS = {"parquet": read_parquet, "csv": read_csv, "xlsx": read_xlsx, "duckdb": read_duckdb}


@pytest.mark.parametrize("file_format", WRITERS)
def test_each_format_reads_back_equal(run, plant, tmp_path, file_format):
    # The plant's zone has its repeated hour in these weeks: without an offset, times would be lost.
    expected = run(
        plant,
        seed=5,
        scale=1,
        timezone="Europe/Berlin",
        start=date(2024, 10, 21),
        day_start=time(6),
        serial_reuse_days=None,
    )
    out = write(plant, tmp_path / "out", file_format)
    for name, table in expected.items():
        assert table.num_rows > 0
        assert READERS[file_format](out, name) == [tuple(row.values()) for row in table.to_pylist()]


@pytest.mark.parametrize("file_format", ["parquet", "csv", "xlsx"])
def test_same_seed_gives_the_same_bytes(plant, tmp_path, file_format, monkeypatch):
    first = write(plant, tmp_path / "first", file_format)
    monkeypatch.setattr("time.localtime", lambda *_: (2031, 5, 6, 7, 8, 9, 1, 126, 0))
    second = write(plant, tmp_path / "second", file_format)
    names = sorted(path.name for path in first.iterdir())
    assert names == [f"{name}.{file_format}" for name in ("rework", "test_record")]
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_options_go_before_the_plant_file(plant, tmp_path):
    longer = read_parquet(write(plant, tmp_path / "a", "parquet", "--weeks", "3", "--scale", "2"), "test_record")
    other = read_parquet(write(plant, tmp_path / "b", "parquet", "--seed", "6", "--start", "2023-01-02"), "test_record")
    as_file = read_parquet(write(plant, tmp_path / "c", "parquet"), "test_record")
    assert len(longer) == pytest.approx(3 * len(as_file), rel=0.2)
    assert other[0][4].date().isoformat() == "2023-01-02"
    assert other[0][6] != as_file[0][6]


def test_no_text_becomes_a_formula_in_excel(plant, tmp_path):
    # Whoever opens the workbook would run what a record says.
    sheet = load_workbook(write(plant, tmp_path / "out", "xlsx") / "test_record.xlsx").active
    texts = [cell for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)]
    assert {"=1+1", "@weigh", "+1", "-2", "=HYPERLINK(A1)"} <= {cell.value for cell in texts}
    assert {cell.data_type for cell in texts} == {"s"}


def test_a_full_sheet_is_followed_by_another(plant, tmp_path, monkeypatch):
    monkeypatch.setattr(outputs, "SHEET_ROWS", 101)
    out = write(plant, tmp_path / "out", "xlsx")
    rows = len(read_csv(write(plant, out, "csv"), "test_record"))
    workbook = load_workbook(out / "test_record.xlsx", read_only=True)
    assert len(workbook.sheetnames) == -(-rows // 100)
    assert workbook.sheetnames[:2] == ["test_record", "test_record_2"]
    assert len(read_xlsx(out, "test_record")) == rows


def test_a_failed_write_leaves_the_last_files_alone(plant, tmp_path):
    out = write(plant, tmp_path / "out", "csv")
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def broken():
        yield {name: schema.empty_table() for name, schema in SCHEMAS.items()}
        raise RuntimeError("disk full")

    for writer in WRITERS.values():
        with pytest.raises(RuntimeError, match="disk full"):
            writer(out, SCHEMAS, broken(), "UTC")
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.parametrize("broken", ["no plant.yml", "bad scale", "bad csv"])
def test_what_is_wrong_is_said_in_one_line(plant, tmp_path, broken):
    options = ["--plant", str(plant), "--out", str(tmp_path / "out")]
    if broken == "no plant.yml":
        (plant / "plant.yml").unlink()
    elif broken == "bad scale":
        options += ["--scale", "-1"]
    else:
        (plant / "routes.csv").unlink()
    result = CliRunner().invoke(main, options)
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1
    assert not (tmp_path / "out").exists()
