"""How the last attempt on each source went: a small file per source, for one that finds nothing new is no load."""

import json
from datetime import UTC, datetime

from ingest.lake import Load, write_text_whole
from pipeline.paths import Paths

TROUBLES = ("failed", "deferred")


def note_attempt(paths: Paths, source: str, loads: list[Load]) -> None:
    """`loads`: what came of the source's objects, known ones that could be loaded left out."""
    paths.attempts.mkdir(exist_ok=True)
    troubles = {
        status: [
            {"table": load.table_name, "object": load.object, "reason": load.error}
            for load in loads
            if load.status == status
        ]
        for status in TROUBLES
    }
    found = {"attempted_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"} | troubles
    write_text_whole(paths.attempts / f"{source}.json", json.dumps(found, ensure_ascii=False, indent=2) + "\n")


def last_attempt(paths: Paths, source: str) -> dict:
    """`attempted_at` (ISO, UTC; None: never), and lists of `failed` and `deferred` objects."""
    file = paths.attempts / f"{source}.json"
    if not file.exists():
        return {"attempted_at": None} | {status: [] for status in TROUBLES}
    return json.loads(file.read_text(encoding="utf-8"))
