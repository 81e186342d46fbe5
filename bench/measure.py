"""Seconds and peak memory of a command, and the SQL time of a dbt build."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from pipeline.paths import PROJECT


@dataclass(frozen=True)
class Cost:
    """Wall seconds, the peak resident memory of the process (not of its children) in megabytes, and what it printed."""

    seconds: float
    megabytes: float
    output: str


def measure(arguments: list[str], environment: dict[str, str]) -> Cost:
    """Runs `python <arguments>` in the project. Raises RuntimeError with its output when it fails."""
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=PROJECT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}:\n{output}")
    return Cost(seconds, usage.ru_maxrss / 1024, output)


def sql_seconds(log: Path) -> float:
    """Time that the engine spent on dbt's statements, from a debug log in JSON lines of a build with one thread."""
    events = (json.loads(line) for line in log.read_text().splitlines() if line.startswith("{"))
    return sum(event["data"].get("elapsed", 0.0) for event in events if event["info"]["name"] == "SQLQueryStatus")
