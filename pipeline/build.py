"""dbt, as a subprocess: in this process it would keep the warehouse open."""

import json
import os
import subprocess
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipeline import spark
from pipeline.environment import DBT, process_environment
from pipeline.failures import BuildError, explain
from pipeline.paths import PROJECT, Paths

NIGHTLY = ["build", "--exclude-resource-type", "unit_test"]
"""What a night builds and tests. Unit tests look at the formulas, not at the night's data: `make test` runs them."""


@dataclass(frozen=True)
class Build:
    """Counts of what dbt did."""

    models: int
    tests: int


def build(
    paths: Paths,
    arguments: list[str] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    refreshed: Collection[str] = (),
) -> Build:
    """Runs `dbt <arguments>` (default: what a night needs) on the data of `paths`; `progress` gets (done, total).

    With `refreshed`, tables of the lake, it builds only what is made of them.
    Raises BuildError, with the rows that failed a test. Whatever ends this function early ends dbt too.
    """
    if paths.engine == "spark":
        spark.check_installed()
    _check_memory()
    arguments = arguments or [*NIGHTLY, *(["--select", *refreshed_models(refreshed)] if refreshed else [])]
    for folder in (paths.target, paths.logs, paths.temp, paths.warehouse.parent):
        folder.mkdir(parents=True, exist_ok=True)
    if arguments[0] == "build":
        _unfinished(paths).touch()
    results_file = paths.target / "run_results.json"
    results_file.unlink(missing_ok=True)
    process = subprocess.Popen(
        [DBT, *arguments, "--log-format", "json", "--log-level-file", "info"],  # debug takes a quarter of a night's dbt
        cwd=PROJECT,
        env=process_environment(paths) | {"FIRSTPASS_REFRESHED": " ".join(refreshed)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        close_fds=False,  # dbt holds the lock of the run too
    )
    try:
        errors = _follow(process, progress)
    except BaseException:
        process.terminate()
        raise
    finally:
        process.wait()
    results = json.loads(results_file.read_text())["results"] if results_file.exists() else []
    if process.returncode:
        raise BuildError(explain(paths, arguments[0], results, errors))
    if paths.engine == "spark" and arguments[0] in ("build", "run"):
        spark.gather(paths, paths.target / "manifest.json")
    if arguments[: len(NIGHTLY)] == NIGHTLY:
        _unfinished(paths).unlink()
    kinds = [result["unique_id"].split(".")[0] for result in results]
    return Build(models=kinds.count("model"), tests=kinds.count("test") + kinds.count("unit_test"))


def refreshed_models(tables: Collection[str]) -> list[str]:
    """What dbt is asked to select: which loads there are, and all that is made of these tables of the lake."""
    return ["stg_load", *(f"source:raw.{table}+" for table in tables)]


def is_green(paths: Paths) -> bool:
    """Whether the last build ended well."""
    return paths.warehouse.is_file() and not _unfinished(paths).exists()


def check_green(paths: Paths) -> None:
    """Raises BuildError where the last build failed or was killed: what the warehouse holds then is not for readers."""
    if _unfinished(paths).exists():
        raise BuildError(
            "Nothing was published: the last build did not end green, and readers still see the last good version.\n"
            "What to do: `make build` shows what is wrong."
        )


def _unfinished(paths: Paths) -> Path:
    """Stands beside the warehouse from the start of a build until it has ended green."""
    return paths.warehouse.with_name("build-unfinished")


def _check_memory() -> None:
    """Asks DuckDB before dbt does, which answers with a page of Python."""
    limit = os.environ.get("FIRSTPASS_MEMORY")
    try:
        duckdb.connect(config={"memory_limit": limit} if limit else {}).close()
    except duckdb.Error:
        raise BuildError(f"FIRSTPASS_MEMORY: {limit!r}: expected a size such as 6GB") from None


def _follow(process: subprocess.Popen, progress: Callable[[int, int], None]) -> list[str]:
    """Reads dbt's log until it ends; its error lines."""
    errors = []
    for line in process.stdout:
        try:
            event = json.loads(line)
        except ValueError:
            errors.append(line.rstrip())
            continue
        if event["info"]["level"] == "error" and event["info"]["name"] != "MainStackTrace":
            errors.append(event["info"]["msg"])
        data = event.get("data", {})
        if "index" in data and "total" in data and event["info"]["name"].endswith("Result"):
            progress(int(data["index"]), int(data["total"]))
    return errors
