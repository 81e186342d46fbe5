"""Alerts: readings beyond their sensor's limits, a JSON line each in `alerts/<day>.jsonl` (UTC), as soon as they come.

A line is written before its reading is acknowledged: after a crash one may be there twice, but none is missing. Stream
and offset tell such two apart from two readings.
"""

import fcntl
import json
import os
from datetime import UTC, datetime
from pathlib import Path


def write(folder: Path, alerts: list[dict]) -> None:
    """Appends whole lines, or nothing and raises OSError. Several consumers may write at a time."""
    if not alerts:
        return
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(alert, default=_text, ensure_ascii=False) + "\n" for alert in alerts).encode()
    with open(folder / f"{datetime.now(UTC):%Y-%m-%d}.jsonl", "rb+", opener=_create, buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        end = _whole(file)
        try:
            file.seek(end)
            while lines:
                lines = lines[file.write(lines) :]
            os.fsync(file.fileno())
        except OSError:
            file.truncate(end)
            raise


def _create(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_CREAT, 0o644)


def _whole(file) -> int:
    """Cuts what a killed writer left of a line; where the file ends."""
    end = file.seek(0, os.SEEK_END)
    while end:
        begin = max(0, end - 65_536)
        file.seek(begin)
        place = file.read(end - begin).rfind(b"\n")
        end = begin + place + 1
        if place >= 0:
            break
    file.truncate(end)
    return end


def _text(value: object) -> str:
    return f"{value:%Y-%m-%dT%H:%M:%S.%fZ}"
