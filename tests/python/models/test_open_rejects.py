"""What is open is the same to the models, to `status` and to `rejects`, before and after a replay."""

from contextlib import closing

import duckdb
import pytest
from comparison import differences
from test_traps import attempt
from warehouse import Warehouse

from ingest import load_all
from ingest.lake import read_manifest
from ingest.rejects import Selection, grouped, with_open_rejects
from ingest.replay import replay
from ingest.status import status
from pipeline.plant import load_plant

SPELLINGS = "column_name,spelling,value\ntest_result,GREAT,pass\n"
RECORDS = [attempt("A1", 2, "fail"), attempt("A1", 10, "GREAT"), attempt("A2", 10, "LOUSY"), attempt("A3", 10, "GREAT")]


def load(warehouse: Warehouse, records: list[dict], **tables: str) -> None:
    """As `Warehouse.load`, which takes no rejects."""
    warehouse.refer(**tables)
    try:
        warehouse.load(test_record=records)
    except AssertionError:
        load_all(load_plant(warehouse.folder / "plant"), warehouse.paths)


def counts(warehouse: Warehouse) -> set[int]:
    """Open rejects, as everyone who is asked says it."""
    paths = warehouse.paths
    with closing(duckdb.connect(str(paths.warehouse), read_only=True)) as connection:
        finding = "select coalesce(sum(finding_count), 0) from marts.data_quality where finding = 'rejected_record'"
        run = "select reject_count from publish.report_run"
        found = {int(connection.execute(query).fetchone()[0]) for query in (finding, run)}
    found.add(
        sum(group.count for group in grouped(paths.raw, with_open_rejects(read_manifest(paths.raw)), Selection()))
    )
    shown = status(load_plant(warehouse.folder / "plant"), paths)
    found.add(sum(table["open_rejects"] for source in shown["sources"] for table in source["tables"]))
    return found


@pytest.fixture
def rejecting(warehouse) -> Warehouse:
    warehouse.reset()
    load(warehouse, RECORDS, products="product_name,wrong\n,x\n")
    assert warehouse.build()
    return warehouse


# A plant would chase rejects that came in long ago, or believe that all is well.
def test_open_rejects_are_counted_alike_everywhere(rejecting):
    assert counts(rejecting) == {4}
    rejecting.refer(value_spellings=SPELLINGS, products="product_name\nP\n")
    replay(load_plant(rejecting.folder / "plant"), rejecting.paths, Selection())
    assert rejecting.build() and rejecting.test()
    assert counts(rejecting) == {1}


# A record that was rejected at first must count like any other, in the week and in the run in which it belongs.
def test_marts_after_a_replay_are_those_of_a_first_load(rejecting):
    rejecting.refer(value_spellings=SPELLINGS, products="product_name\nP\n")
    replay(load_plant(rejecting.folder / "plant"), rejecting.paths, Selection())
    assert rejecting.build()
    replayed = rejecting.marts()
    rejecting.reset()
    load(rejecting, RECORDS, value_spellings=SPELLINGS, products="product_name\nP\n")
    assert rejecting.build()
    assert len(replayed["test_attempt"]) == 3 and not differences(replayed, rejecting.marts())
