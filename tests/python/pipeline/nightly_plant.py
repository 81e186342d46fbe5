"""A plant folder with a data directory of its own; the pipeline runs on it as it does at night, in its own process."""

import os
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pandas as pd

from pipeline.paths import PROJECT

DEMO = PROJECT / "plants" / "demo"
OWN = ("FIRSTPASS_", "DBT_", "ENGINE", "PLANT", "SCALE", "WEEKS", "SEED", "SUBJECTS")
"""Settings that a machine may have and a test must not see."""


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def last_line(self) -> str:
        return self.out.strip().splitlines()[-1]


@dataclass(frozen=True)
class NightlyPlant:
    """`settings` are further variables of the environment, such as SCALE. Of the subjects it builds one: how a run goes
    does not depend on what is in the marts."""

    data: Path
    folder: Path = DEMO
    settings: dict[str, str] = field(default_factory=lambda: {"SCALE": "0.02", "WEEKS": "3"})

    @property
    def environment(self) -> dict[str, str]:
        rest = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
        mine = {"FIRSTPASS_DATA": str(self.data), "PLANT": str(self.folder), "PYTHONPATH": str(PROJECT)}
        return rest | mine | {"SUBJECTS": "sensors"} | self.settings

    def start(self, *arguments: str, cwd: Path = PROJECT, **settings: str) -> subprocess.Popen:
        """`python -m pipeline <arguments>` under way, in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline", *(arguments or ["run"])],
            cwd=cwd,
            env=self.environment | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, cwd: Path = PROJECT, **settings: str) -> Outcome:
        return finish(self.start(*arguments, cwd=cwd, **settings))

    def run_well(self, *arguments: str, cwd: Path = PROJECT, **settings: str) -> Outcome:
        outcome = self.run(*arguments, cwd=cwd, **settings)
        assert outcome.code == 0, outcome.out + outcome.err
        assert outcome.err == ""
        return outcome

    @property
    def version(self) -> str:
        """Id of what readers see."""
        return (self.data / "published" / "current").resolve().name

    def loads(self) -> list[tuple]:
        """(source, table, object, rows, rejects, status) of every committed load, oldest first."""
        with duckdb.connect() as connection:
            files = str(self.data / "lake" / "raw" / "load" / "*.parquet")
            columns = "source, table_name, object, row_count, reject_count, status"
            return connection.execute(f"select {columns} from read_parquet($1) order by load_id", [files]).fetchall()

    def ledger(self) -> set[str]:
        """The loads that the last green build held."""
        return {
            row[0] for row in query(self.data / "warehouse.duckdb", "select key from ops.ledger where kind = 'load'")
        }

    def published(self, statement: str) -> list[tuple]:
        return query(self.data / "published" / "marts.duckdb", statement)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Every published table, rows sorted."""
        with closing(duckdb.connect(str(self.data / "published" / "marts.duckdb"), read_only=True)) as connection:
            names = connection.execute("select table_name from duckdb_tables() order by 1").fetchall()
            return {name: connection.sql(f'select * from "{name}" order by all').df() for (name,) in names}


def finish(process: subprocess.Popen) -> Outcome:
    out, err = process.communicate(timeout=900)
    return Outcome(process.returncode, out, err)


def kill(process: subprocess.Popen) -> None:
    """As when the machine loses power: the run and all its children at once."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def children(process: subprocess.Popen) -> list[int]:
    """The processes that are alive in the group of `process`, itself left out."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
        except OSError:  # it has just ended
            continue
        if int(group) == process.pid and state != "Z" and int(folder.name) != process.pid:
            found.append(int(folder.name))
    return found


def query(file: Path, statement: str) -> list[tuple]:
    with closing(duckdb.connect(str(file), read_only=True)) as connection:
        return connection.execute(statement).fetchall()
