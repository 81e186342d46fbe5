"""A plant whose sources and files a test writes, and what it then finds in the lake."""

import json
from dataclasses import dataclass
from pathlib import Path

import duckdb
import yaml

from ingest import load_all
from ingest.lake import Load
from pipeline.paths import Paths
from pipeline.plant import load_plant

HEADER = "serial_num,product_name,test_name,machine_id,test_timestamp,test_result,test_duration_s"
HEADER_LIST = HEADER.split(",")
GOOD = "A1,P,T,M,2024-01-01 08:00:00,PASS,1.5"


def record(**values: object) -> dict:
    return dict(zip(HEADER_LIST, GOOD.split(","), strict=True)) | values


def line(**values: object) -> str:
    return ",".join(str(value) for value in record(**values).values())


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

    def query(self, what: str, table: str) -> list[dict]:
        """`what` of the committed rows of a raw table, as a reader gets them."""
        lake, key = self.paths.raw, "load_id" if table in ("load", "reject") else "_load_id"
        with duckdb.connect() as connection:
            found = connection.execute(f"""
                select {what}
                from read_parquet('{lake}/{table}/*.parquet', union_by_name = true) t
                join read_parquet('{lake}/load/*.parquet', union_by_name = true) l on l.load_id = t.{key}
                where '{table}' = 'load' or l.status = 'loaded'
            """)
            return found.to_arrow_table().to_pylist()

    def rows(self, table: str = "test_record") -> list[dict]:
        """In the order of load and row."""
        key = "load_id" if table in ("load", "reject") else "_load_id"
        return sorted(self.query("t.*", table), key=lambda row: (row[key], row.get("_row", 0)))

    def count(self, table: str = "test_record") -> int:
        return self.query("count(*) as n", table)[0]["n"]

    def rejects(self) -> list[tuple[int, object, str]]:
        return sorted((row["row"], json.loads(row["record"]), row["reason"]) for row in self.rows("reject"))
