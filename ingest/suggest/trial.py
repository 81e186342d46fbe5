"""The entry, tried: the head of the file goes through the real loader into a lake that is thrown away."""

import glob
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import yaml

from ingest.arrivals import load_all
from pipeline.paths import Paths
from pipeline.plant import PlantError, load_plant


@dataclass(frozen=True)
class Trial:
    """What became of the first records. `failed`: why the file as a whole can't be loaded, None where it can."""

    loaded: dict[str, int]
    """Records by table."""
    reasons: Counter
    """Rejected records by reason."""
    failed: str | None = None

    @property
    def rejected(self) -> int:
        return self.reasons.total()


def tried(source: dict, head: Path, zone: str, folder: Path) -> Trial:
    """`source` as plant.yml says it, `head` in its place; everything is written below `folder`."""
    plant = folder / "plant"
    plant.mkdir()
    document = {"plant": {"name": "trial", "timezone": zone}, "sources": [source | {"path": glob.escape(str(head))}]}
    (plant / "plant.yml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    paths = Paths(folder / "data")
    try:
        loads = [load for load in load_all(load_plant(plant), paths) if load.source != "reference"]
    except PlantError as error:
        return Trial({}, Counter(), str(error).partition("plant.yml: ")[2])
    failed = next((load.error for load in loads if load.status != "loaded"), None)
    loaded = {load.table_name: load.row_count for load in loads if load.status == "loaded"}
    return Trial(loaded, _reasons(paths), failed)


def _reasons(paths: Paths) -> Counter:
    files = [file for file in (paths.raw / "reject").glob("*.parquet") if file.name != "schema.parquet"]
    found = Counter()
    for file in files:
        found.update(pq.read_table(file, columns=["reason"])["reason"].to_pylist())
    return found
