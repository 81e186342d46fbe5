"""Any well-formed CSV of any table of the data contract is known again, in any order and decoration of its columns."""

import csv
import io
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.contract import CONTRACTS, RECORD_TABLES, VOCABULARIES, Column
from ingest.suggest import suggest

START = datetime(2024, 1, 25, 22, 17, 3)
WORDS = st.sampled_from(["A1", "B-22", "x y", "Ünit 7", 'said "no", twice', "<b>C</b>", "=D4", "00012"])
DECORATIONS = [
    str,
    str.upper,
    lambda name: name.replace("_", " "),
    lambda name: name.replace("_", " ").title(),
    lambda name: "".join(word.title() for word in name.split("_")),
    lambda name: f"  {name.replace('_', '-')} ",
    lambda name: f"{name} [unit]",
    lambda name: f"{name.replace('_', ' ')} (V)",
]
PREFIXES = ["", "tbl_", "x.", "export "]
TIMES = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S+01:00", "%d.%m.%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%Y/%m/%d %H:%M:%S"]


def value_of(draw, column: Column, number: int, time_format: str) -> str:
    if column.values:
        return draw(st.sampled_from(VOCABULARIES[column.values].values)).upper()
    if column.type == "timestamp":
        return (START + timedelta(hours=number)).strftime(time_format)
    if column.type == "date":
        return (START + timedelta(days=number)).date().isoformat()
    if column.type == "boolean":
        return draw(st.sampled_from(["true", "false"]))
    if column.type == "bigint":
        return str(draw(st.integers(1, 500)))
    return f"{number}.{number % 7}5" if column.type == "double" else draw(WORDS)


@st.composite
def csvs(draw) -> tuple[str, str, str]:
    """Table, delimiter and text."""
    table = draw(st.sampled_from(RECORD_TABLES))
    contract = CONTRACTS[table]
    optional = [name for name in contract.columns if name not in contract.required]
    some = draw(st.lists(st.sampled_from(optional), unique=True)) if optional else []
    names = draw(st.permutations([*contract.required, *{*some, *contract.any_of}]))
    prefix = draw(st.sampled_from(PREFIXES))
    header = [prefix + draw(st.sampled_from(DECORATIONS))(name) for name in names]
    time_format = draw(st.sampled_from(TIMES))
    rows = [
        [value_of(draw, contract.columns[name], number, time_format) for name in names]
        for number in range(draw(st.integers(1, 12)))
    ]
    delimiter = draw(st.sampled_from(",;\t|"))
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows([header, *rows])
    return table, delimiter, text.getvalue()


# Somebody's export is a well-formed table of ours, and the entry for it loses records, or is another table's.
@settings(max_examples=8, deadline=None)
@given(csvs())
def test_all_records_of_any_table_load_under_the_suggested_entry(made: tuple[str, str, str]):
    table, _, text = made
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "export.csv"
        file.write_text(text, encoding="utf-8")
        found = suggest(file)
    assert found.fit.table == table, found.text
    assert found.undecided == [], found.text
    assert (found.trial.failed, found.trial.reasons) == (None, {}), found.text
    assert found.trial.loaded == {table: found.sample.count}
    assert found.extra == [], found.text
