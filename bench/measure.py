"""Seconds and peak memory of a command, and the SQL time of a dbt build."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from pipeline.paths import PROJECT


@dataclass(frozen=True)
class Cost:
    """Wall seconds, peak resident memory (MB) of the largest of the process and its children, what it printed, and the
    processor seconds of all its threads: of those a busy machine takes no more."""

    seconds: float
    megabytes: float
    output: str
    cpu_s: float = 0


def measure(arguments: list[str], environment: dict[str, str], longest_s: float | None = None) -> Cost:
    """Runs `python <arguments>` in the project.

    Raises RuntimeError with its output when it fails; it is killed, with what it started, after `longest_s` seconds.
    """
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=PROJECT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        too_long = threading.Timer(longest_s or threading.TIMEOUT_MAX, os.killpg, (process.pid, signal.SIGKILL))
        too_long.daemon = True
        too_long.start()
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        too_long.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}:\n{output}")
    return Cost(seconds, usage.ru_maxrss / 1024, output, usage.ru_utime + usage.ru_stime)


def sql_seconds(log: Path) -> tuple[float, float]:
    """Time that the engine spent on dbt's statements: those of data tests, and all others.

    From a debug log in JSON lines of a build with one thread.
    """
    events = (json.loads(line) for line in log.read_text().splitlines() if line.startswith("{"))
    seconds, node = {True: 0.0, False: 0.0}, ""
    for event in events:
        if event["info"]["name"] == "SQLQuery":
            node = event["data"].get("node_info", {}).get("unique_id", "")
        if event["info"]["name"] == "SQLQueryStatus":
            seconds[node.startswith("test.")] += event["data"]["elapsed"]
    return seconds[True], seconds[False]
