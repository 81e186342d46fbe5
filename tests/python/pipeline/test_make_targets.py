"""The front door: what `make` offers, and the documentation that `make docs` writes."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from nightly_plant import NightlyPlant

from pipeline.documentation import CONTRACT_PAGE, KPI_PAGE
from pipeline.paths import PROJECT

STEPS = ["ingest", "build", "publish", "report"]
BETWEEN = ["stream", "refresh"]
TARGETS = ["setup", "run", "status", *STEPS, *BETWEEN, "template", "test", "verify", "lint", "bench", "docs", "clean"]


def make(*arguments: str, cwd: Path = PROJECT, **settings: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")} | settings
    found = subprocess.run(["make", *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return found.stdout


def test_make_alone_lists_the_targets():
    lines = [re.fullmatch(r"  make ([a-z-]+) +(\S.*)", line) for line in make().splitlines()]
    assert all(lines)
    assert [line[1] for line in lines if line[1] in TARGETS] == sorted(TARGETS, key=TARGETS.index)


@pytest.mark.parametrize(
    ("target", "command"),
    [(step, f"pipeline run --step {step}") for step in STEPS]
    + [("run", "pipeline run"), ("status", "ingest status"), ("verify", "pipeline verify"), ("docs", "pipeline docs")]
    + [("test", "pytest"), ("template", "ingest template"), ("stream", "ingest stream")]
    + [("refresh", "pipeline refresh")],
)
def test_a_target_runs_what_it_says(target, command):
    lines = [f"{line} " for line in make("--dry-run", target).splitlines()]
    assert [line for line in lines if f"/python -m {command} " in line]


# a neighbour of the data directory is gone, or the only file that holds the closed weeks, or what was made of readings
# that are gone
@pytest.mark.parametrize("gone", [None, "closing/2024-01-08.parquet", "dropping/sensor_reading-20240108T0700.parquet"])
def test_clean_removes_what_can_be_made_again_and_nothing_else(tmp_path, gone):
    data = tmp_path / "x y" / "it's"
    made = [data / "target" / "manifest.json", data / "logs" / "dbt.log"]
    kept = [tmp_path / "x" / "own.txt", data / "lake" / "raw" / "closing" / "schema.parquet"]
    if gone:
        kept.append(data / "lake" / "raw" / gone)
    (kept if gone else made).append(data / "warehouse.duckdb")
    for file in made + kept:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    shutil.copy(PROJECT / "Makefile", tmp_path)  # it sweeps the folder it is called in, too
    said = make("clean", cwd=tmp_path, FIRSTPASS_DATA=str(data))
    assert said.startswith("warehouse.duckdb stays") == bool(gone)
    assert [file for file in made + kept if file.exists()] == kept


# the contract that a plant reads is not the one that the loader keeps
def test_docs_writes_all_pages_also_where_nothing_was_built(tmp_path):
    before = {page: page.read_text(encoding="utf-8") for page in (CONTRACT_PAGE, KPI_PAGE)}
    outcome = NightlyPlant(tmp_path / "data").run_well("docs")
    for page, text in before.items():
        assert text == page.read_text(encoding="utf-8"), f"{page} was out of date; `make docs` wrote it"
    page = tmp_path / "data" / "docs" / "index.html"
    assert outcome.last_line.endswith(f"{CONTRACT_PAGE} {KPI_PAGE} {page}")
    text = page.read_text(encoding="utf-8")
    assert "model.firstpass.summary_prod_test" in text
    assert not (tmp_path / "data" / "warehouse.duckdb").exists()
    # double click, without a network: no script, style or picture comes from elsewhere
    assert re.findall(r"""<(?:script|link|img)[^>]*(?:src|href)=["']?(?:https?:)?//""", text) == []


def test_docs_of_a_warehouse_know_its_tables_and_leave_them_alone(nights, seasoned):
    seasoned.run_well("docs")
    assert '"marts"' in (seasoned.data / "docs" / "index.html").read_text(encoding="utf-8")
    assert seasoned.ledger() == nights.second.ledger
    seasoned.run_well("run", "--step", "publish")
    assert seasoned.tables().keys() == nights.second.tables.keys()
