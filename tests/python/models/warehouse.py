"""A real plant folder, lake and warehouse to test models on: records go in by the loader, dbt builds in-process."""

import json
import shutil
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest

from ingest import load_all
from pipeline.environment import dbt_environment
from pipeline.paths import PROJECT, Paths
from pipeline.plant import load_plant
from pipeline.spark import gather

QUIETLY = ["--log-level", "none", "--log-level-file", "none", "--no-write-json"]
"""Of many small builds the log and the manifest cost as much as the models."""

PLANT = """
plant: {name: examples, timezone: UTC, production_day_start: "07:00", serial_reuse_days: 12, wip_stale_days: 7,
  subjects: [sensors]}
sources:
  - {name: tests, kind: files, path: inbox/test_record*.ndjson, table: test_record}
  - {name: values, kind: files, path: inbox/test_measurement*.ndjson, table: test_measurement}
  - {name: repairs, kind: files, path: inbox/rework*.ndjson, table: rework}
  - {name: decisions, kind: files, path: inbox/disposition*.ndjson, table: disposition}
  - {name: press, kind: files, path: inbox/sensor_reading*.ndjson, table: sensor_reading}
  - {name: gaps, kind: files, path: inbox/stream_gap*.ndjson, table: stream_gap}
"""


@dataclass
class Warehouse:
    """`project` is the dbt project to build: this one, or a copy that a test has changed."""

    folder: Path
    engine: str = "duckdb"
    project: Path = PROJECT
    plant: str = PLANT
    files: int = field(default=0, repr=False)
    manifests: dict[str, Manifest] = field(default_factory=dict, repr=False)
    """The project as dbt parsed it, by the plant's subjects."""
    whole_weeks: bool = field(default=False, repr=False)
    views: str | None = field(default=None, repr=False)
    """The subjects whose views are there: they are kept when all else is reset, since half of a small build is
    replacing views by the same ones."""

    def reset(self, whole_weeks: bool = False) -> None:
        """An empty plant; what dbt parsed stays. `whole_weeks`: on DuckDB, too, a touched week is written whole."""
        self.whole_weeks = whole_weeks
        self.files = 0
        if self.engine == "spark":
            self.forget_spark_tables()
        kept = {self.paths.warehouse} if self.views is not None else set()
        for folder in {self.folder / "plant", self.paths.raw.parent, *self.paths.data.glob("*.*")} - kept:
            shutil.rmtree(folder, ignore_errors=True) if folder.is_dir() else folder.unlink(missing_ok=True)
        (self.folder / "plant" / "inbox").mkdir(parents=True)
        (self.folder / "plant" / "plant.yml").write_text(self.plant)
        if kept:
            self.drop_tables()

    @property
    def paths(self) -> Paths:
        return Paths(self.folder / "data", self.engine)

    @property
    def subjects(self) -> str:
        """As dbt is told them."""
        return dbt_environment(self.paths)["FIRSTPASS_SUBJECTS"]

    def load(self, **records: list[dict]) -> None:
        """One load per table named, as files in the plant's inbox."""
        for table, rows in records.items():
            self.files += 1
            file = self.folder / "plant" / "inbox" / f"{table}{self.files}.ndjson"
            file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        for load in load_all(load_plant(self.folder / "plant"), self.paths):
            assert load.status == "loaded" and not load.reject_count, load

    def refer(self, **tables: str) -> None:
        """Writes reference CSVs; the next load brings them in."""
        for name, text in tables.items():
            (self.folder / "plant" / f"{name}.csv").write_text(text)

    def build(self, *arguments: str) -> bool:
        """`dbt run`, whole or of what `arguments` select; whether it succeeded."""
        built, is_whole = self.subjects, "--select" not in arguments
        if self.views != built or not self.paths.warehouse.exists():
            self.views = None
        variables = ["--vars", "rewrite_whole_weeks: true"] if self.whole_weeks else []
        is_known = self.views is not None and built in self.manifests
        without = ["--exclude", *lasting_views(self.manifests[built])] if is_known and is_whole else []
        success = self.dbt("run", *arguments, *variables, *without).success
        if success and is_whole and self.engine == "duckdb":
            self.views = built
        return success

    def test(self) -> bool:
        """`make verify`: every data test over all of history; whether all passed."""
        return self.dbt("test", "--exclude-resource-type", "unit_test", "--vars", "verify_everything: true").success

    def dbt(self, *arguments: str) -> dbtRunnerResult:
        """dbt in this process; the environment is as it was when it is done."""
        for folder in (self.paths.target, self.paths.logs, self.paths.temp):
            folder.mkdir(parents=True, exist_ok=True)
        project = {"DBT_PROJECT_DIR": str(self.project), "DBT_PROFILES_DIR": str(self.project)}
        told = dbt_environment(self.paths) | project | {"DBT_TARGET_PATH": str(self.folder / "target")}
        with pytest.MonkeyPatch.context() as environment:
            for name, value in told.items():
                environment.setenv(name, value)
            built = told["FIRSTPASS_SUBJECTS"]
            if built not in self.manifests:
                parsed = dbtRunner().invoke(["parse", "--quiet"])
                assert parsed.success, parsed.exception
                self.manifests[built] = parsed.result
            try:
                result = dbtRunner(manifest=self.manifests[built]).invoke([*QUIETLY, *arguments])
            finally:
                DuckDBConnectionManager.close_all_connections()  # dbt would keep the file open
        assert result.exception is None, result.exception
        for node in result.result:
            if node.status not in ("success", "pass", "skipped", "no-op"):
                print(f"{node.node.name}: {node.status}: {node.message}")
        return result

    def drop_tables(self) -> None:
        with closing(duckdb.connect(str(self.paths.warehouse))) as connection:
            for schema, name in connection.execute("select schema_name, table_name from duckdb_tables()").fetchall():
                connection.execute(f'drop table "{schema}"."{name}"')

    def forget_spark_tables(self) -> None:
        """Its catalog stays: the session that dbt left in this process has it open."""
        from pyspark.sql import SparkSession

        session = SparkSession.getActiveSession()
        for (schema,) in session.sql("show databases").collect() if session else []:
            if schema != "default":
                session.sql(f"drop database {schema} cascade")

    def marts(self) -> dict[str, pd.DataFrame]:
        """Every published table and the minutes of sensors, rows sorted, whatever the loads were called."""
        if self.engine == "spark":
            gather(self.paths, self.folder / "target" / "manifest.json")
        with closing(duckdb.connect(str(self.paths.warehouse), read_only=True)) as connection:
            names = connection.execute(
                "select table_schema, table_name from information_schema.tables"
                " where table_schema in ('marts', 'publish') order by all"
            ).fetchall()
            found = {
                name: connection.sql(f'select * from "{schema}"."{name}" order by all').df() for schema, name in names
            }
            return found | ({"sensor_minutes": self._sensor_minutes(connection)} if "sensor_minute" in found else {})

    def _sensor_minutes(self, connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
        source, folder = "intermediate.int_sensor_minute_aligned", self.paths.spark / "tables" / "intermediate.db"
        if self.engine == "spark":
            files = [str(file) for file in (folder / "int_sensor_minute_aligned").rglob("*.parquet")]
            if not files:
                return pd.DataFrame()
            source = f"read_parquet({files}, hive_partitioning = true)"
        rows = connection.sql(f"select * from {source} order by sensor_id, minute_at").df()
        return rows[sorted(rows.columns)] if len(rows) else pd.DataFrame()


def lasting_views(manifest: Manifest) -> list[str]:
    """The views that are the same whatever is loaded: into others the times to be read are written out."""
    written = {"macro.firstpass.within_spans", "macro.firstpass.is_kept"}

    def writes_times(macros: list[str]) -> bool:
        return not written.isdisjoint(macros) or any(
            writes_times(manifest.macros[name].depends_on.macros) for name in macros if ".firstpass." in name
        )

    views = [node for node in manifest.nodes.values() if node.config.materialized == "view"]
    return [node.name for node in views if not writes_times(node.depends_on.macros)]
