"""What the spellings in records mean: `seeds/value_spellings.csv` and the plant's own, which win."""

import csv
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ingest.contract import Vocabulary
from ingest.lake import Load, newest_rows
from pipeline.paths import PROJECT

TABLE = "ref_value_spellings"
SEED = PROJECT / "seeds" / "value_spellings.csv"


class Spellings:
    def __init__(self, plant: Iterable[tuple[str, str, str]] = ()):
        """`plant`: (column_name, spelling, value) of the plant's own."""
        with SEED.open(encoding="utf-8", newline="") as file:
            seed = [(row["column_name"], row["spelling"], row["value"]) for row in csv.DictReader(file)]
        self.values = {(column, _key(spelling)): _key(value) for column, spelling, value in [*seed, *plant]}

    def mapped(self, column: str, vocabulary: Vocabulary, received: pa.ChunkedArray) -> pa.ChunkedArray:
        """Each text's value in the vocabulary. An unknown one is NULL, or kept in lower case where that is allowed."""
        encoded = received.combine_chunks().dictionary_encode()
        meanings = [self._meaning(column, vocabulary, text) for text in encoded.dictionary.to_pylist()]
        return pc.take(pa.array(meanings, pa.string()), encoded.indices)

    def _meaning(self, column: str, vocabulary: Vocabulary, text: str) -> str | None:
        value = self.values.get((column, _key(text)), _key(text))
        known = {_key(known): known for known in vocabulary.values}
        return known.get(value, value if value and vocabulary.unknown == "keep" else None)

    @classmethod
    def of_lake(cls, folder: Path, loads: list[Load]) -> "Spellings":
        """The seed's, and the plant's own as they were last loaded into the lake's `folder`."""
        rows = newest_rows(folder, loads, TABLE)
        return cls(zip(*(rows[name].to_pylist() for name in ("column_name", "spelling", "value")), strict=True))


def _key(text: str) -> str:
    return text.strip().casefold()
