"""A plant folder and a lake of its own for each test."""

import json
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
import yaml

from ingest import load_all
from ingest.lake import Load
from pipeline.paths import Paths
from pipeline.plant import load_plant

HEADER = "serial_num,product_name,test_name,machine_id,test_timestamp,test_result,test_duration_s"
GOOD = "A1,P,T,M,2024-01-01 08:00:00,PASS,1.5"


@dataclass
class Site:
    """A plant with one `files` source named `tests` over inbox/*, unless told otherwise."""

    folder: Path
    paths: Paths
    timezone: str = "Asia/Singapore"

    def describe(self, *sources: dict, **source) -> "Site":
        default = {"name": "tests", "kind": "files", "path": "inbox/*", "table": "test_record"}
        content = {
            "plant": {"name": "p1", "timezone": self.timezone, "production_day_start": "07:00"},
            "sources": list(sources) or [default | source],
        }
        self.folder.joinpath("plant.yml").write_text(yaml.safe_dump(content))
        return self

    def put(self, name: str, content: str | bytes) -> Path:
        file = self.folder / "inbox" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    def put_rows(self, name: str, *rows: str, header: str = HEADER) -> Path:
        return self.put(name, "\n".join([header, *rows]) + "\n")

    def load(self) -> list[Load]:
        """What came of each new object of the sources; reference data is left out."""
        return [load for load in load_all(load_plant(self.folder), self.paths) if load.source != "reference"]

    def load_one(self) -> Load:
        (load,) = self.load()
        return load

    def rows(self, table: str = "test_record") -> list[dict]:
        """Committed rows of a raw table, in the order of load and row, as a reader gets them."""
        lake = self.paths.raw
        query = f"""
            select t.* from read_parquet('{lake}/{table}/*.parquet', union_by_name = true) t
            where {"true" if table == "load" else f"{'load_id' if table == 'reject' else '_load_id'} in (select load_id from read_parquet('{lake}/load/*.parquet', union_by_name = true) where status = 'loaded')"}
            order by all
        """
        with duckdb.connect() as connection:
            records = connection.execute(query).to_arrow_table().to_pylist()
        return sorted(records, key=lambda row: (row.get("_load_id", ""), row.get("_row", 0)))

    def rejects(self) -> list[tuple[int, object, str]]:
        return sorted((row["row"], json.loads(row["record"]), row["reason"]) for row in self.rows("reject"))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    folder = tmp_path / "plant"
    folder.mkdir()
    return Site(folder, Paths(tmp_path / "data")).describe()
