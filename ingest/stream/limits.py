"""What sensors.csv says of each sensor, for readings as they come. The file is read again when it has changed."""

import time
from datetime import UTC, datetime

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.contract import CONTRACTS
from ingest.conversion import Conversion
from ingest.source import Reading, StillWritten, Unreadable
from ingest.sources import reference
from ingest.sources.files import file_object, file_version
from ingest.spellings import Spellings
from pipeline.paths import Paths
from pipeline.plant import FilesSource, Plant

TABLE = "ref_sensors"
SHOWN = ("machine_id", "line_id", "quantity", "unit", "lower_limit", "upper_limit")
"""What an alert says of its sensor."""
LOOKED_S = 5
MAX_DELAY_S = 3600.0
MAX_SKEW_S = 60.0
"""Where sensors.csv does not say: when a reading is old, and when it is of the future. For what a consumer says of
itself; which readings count is a matter of the models."""


class Limits:
    """`trouble`: why the file can't be read, if it can't; then what it said before holds."""

    def __init__(self, plant: Plant, paths: Paths, connection: duckdb.DuckDBPyConnection):
        self.plant, self.paths, self.connection = plant, paths, connection
        self.file = plant.folder / "sensors.csv"
        self.version: str | None = None
        self.looked = -float("inf")
        self.trouble: str | None = None
        self.sensors = CONTRACTS[TABLE].schema.empty_table()

    def look(self) -> None:
        """Reads the file, if it is time to look and it has changed."""
        if time.monotonic() - self.looked < LOOKED_S:
            return
        self.looked = time.monotonic()
        try:
            version = file_version(self.file) if self.file.exists() else None
            if version != self.version:
                self.sensors = self._read() if version else CONTRACTS[TABLE].schema.empty_table()
            self.version, self.trouble = version, None
        except (StillWritten, Unreadable, OSError) as error:
            self.trouble = f"{self.file.name}: {error}"

    def _read(self) -> pa.Table:
        source = FilesSource(name=reference.SOURCE, kind="files", path=self.file.name, table=TABLE, format="csv")
        reading = Reading(timezone=self.plant.plant.timezone)
        tables = []
        for batch in file_object(self.file, self.file.name, source, reading, self.paths).batches():
            conversion = Conversion(
                self.connection,
                CONTRACTS[TABLE],
                batch.records.schema.remove_metadata(),
                reading,
                plant_zone=reading.timezone,
                spellings=Spellings(),
                started_at=datetime.now(UTC),
            )
            tables.append(conversion.convert(batch).records)
        return pa.concat_tables(tables)

    def of(self, readings: pa.Table) -> pa.Table:
        """The row of sensors.csv for each reading; NULL where there is none."""
        return self.sensors.take(pc.index_in(readings["sensor_id"], self.sensors["sensor_id"].combine_chunks()))


def beyond(values: pa.ChunkedArray, sensors: pa.Table) -> np.ndarray:
    """Whether each value is below or above the limits of its sensor."""
    low = pc.fill_null(pc.less(values, sensors["lower_limit"]), False)
    return pc.or_(low, pc.fill_null(pc.greater(values, sensors["upper_limit"]), False)).to_numpy()
