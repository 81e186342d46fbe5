"""The demo plant, small: every model, every data test and every unit test, as dbt runs them."""

import json
from contextlib import closing

import duckdb
import pytest

from ingest import load_all
from ingest.contract import CONTRACTS
from pipeline.build import NIGHTLY, build
from pipeline.paths import PROJECT, Paths
from pipeline.plant import load_plant


@pytest.fixture(scope="module")
def small_plant(tmp_path_factory) -> Paths:
    paths = Paths(tmp_path_factory.mktemp("small_plant"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SCALE", "0.02")
        environment.setenv("WEEKS", "4")
        plant = load_plant(PROJECT / "plants" / "demo")
    for arguments in (NIGHTLY, ["build"]):  # the history, and a first night
        loads = load_all(plant, paths)
        assert {load.status for load in loads} == {"loaded"}
        built = build(paths, arguments)
        assert built.models and built.tests
    return paths


# A formula, a contract or a reconciliation is broken: `python -m pipeline run --step build` says which.
def test_models_data_tests_and_unit_tests_pass(small_plant):
    results = json.loads((small_plant.target / "run_results.json").read_text())["results"]
    kinds = [result["unique_id"].split(".")[0] for result in results]
    assert {result["status"] for result in results} <= {"success", "pass", "no-op"}
    assert kinds.count("unit_test") >= 14 and kinds.count("test") >= 28


# Published numbers without a stated grain are what plants argue about.
def test_every_mart_and_publish_view_says_its_grain_and_describes_its_columns(small_plant):
    nodes = json.loads((small_plant.target / "manifest.json").read_text())["nodes"].values()
    public = [node for node in nodes if node["resource_type"] == "model" and node["fqn"][1] in ("marts", "publish")]
    assert len(public) >= 17
    for node in public:
        assert node["description"].startswith("One row"), node["name"]
        assert node["config"]["contract"]["enforced"], node["name"]
        assert all(column["description"] and column["data_type"] for column in node["columns"].values()), node["name"]


def test_every_table_of_the_contract_is_a_source(small_plant):
    sources = json.loads((small_plant.target / "manifest.json").read_text())["sources"].values()
    raw = {source["name"] for source in sources if source["source_name"] == "raw"}
    assert raw == {"load", "reject", "closing", "dropping", *CONTRACTS}


# An upgrade that changes a formula in a macro would leave the old figures in every week but the last.
def test_a_changed_macro_rebuilds_every_week(small_plant, monkeypatch):
    weeks = "select count(*) from intermediate.int_touched_week"
    build(small_plant)
    assert read(small_plant, weeks) == 0
    monkeypatch.setattr("pipeline.environment._code_version", lambda: "another")
    build(small_plant)
    assert read(small_plant, weeks) == read(
        small_plant, "select count(distinct production_week_start) from marts.test_attempt"
    )


def read(paths: Paths, query: str) -> int:
    with closing(duckdb.connect(str(paths.warehouse), read_only=True)) as connection:
        return connection.execute(query).fetchone()[0]
