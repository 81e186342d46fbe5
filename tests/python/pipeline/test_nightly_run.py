"""The whole nightly run on a small simulated plant."""

import re

import pytest
from comparison import differences
from nightly_plant import NightlyPlant, finish, query

MARTS = {
    "summary_machine",
    "summary_prod_test",
    "summary_prod",
    "station_day",
    "module_status",
    "test_attempt",
    "failure_pareto",
    "data_quality",
}
STEPS = [
    r"ingest +[\d.]+ s  [\d,]+ rows in \d+ loads",
    r"build +[\d.]+ s  \d+ models, \d+ tests passed",
    r"publish +[\d.]+ s  version \S+: .*/marts\.duckdb",
    r"report +[\d.]+ s  \d+ files: .*/reports/latest",
]


def records(night) -> int:
    return sum(rows for _, table, _, rows, _, status in night.loads if table == "test_record" and status == "loaded")


# a person on duty does not see what a night did
def test_a_night_says_a_line_per_step_and_nothing_else(nights):
    for night in (nights.first, nights.second):
        lines = night.outcome.out.splitlines()
        assert len(lines) == len(STEPS)
        for line, pattern in zip(lines, STEPS, strict=True):
            assert re.fullmatch(pattern, line), line


# analysts miss a table that they were promised, or find it empty
def test_every_mart_is_published(nights):
    tables = nights.first.tables
    assert set(tables) >= MARTS
    assert [name for name in sorted(MARTS - {"data_quality"}) if tables[name].empty] == []
    assert nights.plant.published("select count(*) from test_attempt") == [(len(nights.second.tables["test_attempt"]),)]


def test_every_record_of_the_lake_is_counted(nights):
    for night in (nights.first, nights.second):
        assert night.tables["report_run"].record_count.item() == records(night)
        assert night.tables["test_attempt"].copy_count.sum() == records(night)


# the plant's history stands still, or starts anew every night
def test_the_second_night_adds_the_next_day(nights):
    first, second = nights.first, nights.second
    assert second.loads[: len(first.loads)] == first.loads
    assert [load[2] for load in second.loads if load[1] == "test_record"] == [
        "seed=1 scale=0.02 start=2024-01-01 days=0-21",
        "seed=1 scale=0.02 start=2024-01-01 days=21-22",
    ]
    assert records(second) > records(first)
    assert second.ledger > first.ledger and len(second.ledger) == len(second.loads)
    assert second.tables["report_run"].as_of_date.item() > first.tables["report_run"].as_of_date.item()


# a dashboard that has the earlier file open loses it
def test_the_earlier_version_is_still_there_with_its_figures(nights):
    assert nights.second.version > nights.first.version
    earlier = nights.plant.data / "published" / "versions" / nights.first.version / "marts.duckdb"
    assert query(earlier, "select record_count from report_run") == [(records(nights.first),)]


def test_reports_are_there_under_the_last_production_day(nights):
    reports = nights.plant.data / "published" / "reports"
    assert (reports / "latest").resolve().name == "2024-01-22"
    found = {str(file.relative_to(reports)) for file in reports.rglob("*.*") if "latest" not in file.parts}
    roles = {"management", "test_engineering", "product_engineering"}
    for day in ("2024-01-21", "2024-01-22"):
        assert {name for name in found if name.startswith(day) and ("/yield." in name or name.count("/") == 1)} == {
            f"{day}/processed_summary_data.xlsx",
            *(f"{day}/{role}/yield.{kind}" for role in roles for kind in ("html", "xlsx")),
        }


# figures change although no record came
def test_building_again_without_new_records_gives_the_same_figures(nights, seasoned):
    steps = ["report", "publish", "build"]  # whatever order they are named in, they run in theirs
    outcome = seasoned.run_well("run", *(word for step in steps for word in ("--step", step)))
    assert [line.split()[0] for line in outcome.out.splitlines()] == ["build", "publish", "report"]
    assert seasoned.version > nights.second.version
    assert seasoned.loads() == nights.second.loads
    assert not differences(seasoned.tables(), nights.second.tables)


# two schedules, or a person beside the schedule, spoil each other's night
def test_two_runs_at_once_take_turns(nights, seasoned):
    outcomes = [finish(process) for process in [seasoned.start(), seasoned.start()]]
    assert [(outcome.code, outcome.err) for outcome in outcomes] == [(0, ""), (0, "")]
    waited = [outcome for outcome in outcomes if "waiting for another run on the same data directory" in outcome.out]
    assert len(waited) == 1
    days = [load[2].split("days=")[1] for load in seasoned.loads() if load[1] == "test_record"]
    assert days == ["0-21", "21-22", "22-23", "23-24"]
    assert len(seasoned.ledger()) == len(seasoned.loads()) > len(nights.second.loads)


# a night would end with a page of Python
@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        (
            ["run", "--plant", "/nowhere"],
            {},
            "/nowhere/plant.yml: not found; a plant is a folder with a plant.yml in it",
        ),
        (["run"], {"SCALE": "0"}, "plants/demo/plant.yml: sources.simulator.scale: '${SCALE:-1}': expected at least"),
        (["run", "--step", "build"], {"FIRSTPASS_MEMORY": "lots"}, "FIRSTPASS_MEMORY: 'lots': expected a size such as"),
        (["run", "--step", "publish"], {}, "warehouse.duckdb does not exist: nothing was built yet"),
        (["run", "--step", "report"], {}, "marts.duckdb: nothing is published yet"),
        (["verify"], {}, "warehouse.duckdb does not exist: nothing was built yet"),
        (
            ["run"],
            {"FIRSTPASS_DATA": "/tmp/p[1]/*"},
            "FIRSTPASS_DATA: '/tmp/p[1]/*': expected a path without * ? and [",
        ),
        (
            ["run"],
            {"FIRSTPASS_DATA": "/dev/null/x y", "ENGINE": "spark"},
            "FIRSTPASS_DATA: '/dev/null/x y': Spark expects a path without blanks, quotes and backslashes",
        ),
        (["run"], {"FIRSTPASS_DATA": "/dev/null/data"}, "Not a directory: '/dev/null/data'"),
    ],
)
def test_what_can_not_begin_is_one_line(arguments, settings, message, tmp_path):
    outcome = NightlyPlant(tmp_path / "data").run(*arguments, **settings)
    assert outcome.code == 1
    assert message in outcome.err and len(outcome.err.strip().splitlines()) == 1


# another history is mixed into this one
def test_other_settings_of_the_simulator_are_refused_before_anything_is_loaded(nights, seasoned):
    outcome = seasoned.run("run", SEED="2")
    assert outcome.code == 1
    assert "give this history a directory of its own" in outcome.err and len(outcome.err.strip().splitlines()) == 1
    assert seasoned.version == nights.second.version and seasoned.loads() == nights.second.loads


def test_verify_runs_every_data_test_over_all_of_history(nights, seasoned):
    outcome = seasoned.run_well("verify")
    tests = re.search(r"(\d+) tests passed", nights.first.outcome.out)[1]
    assert re.fullmatch(rf"verify +[\d.]+ s  {tests} tests passed over all of history", outcome.last_line)
    assert seasoned.version == nights.second.version
