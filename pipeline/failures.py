"""What to say when dbt does not end green: what failed, on which rows, and what to do."""

import json
from contextlib import closing
from pathlib import Path

import duckdb

from pipeline import spark
from pipeline.paths import Paths
from pipeline.screen import printable

SHOWN_ROWS = 5


class BuildError(RuntimeError):
    """dbt did not finish green; the message says what failed, which rows, and what to do."""


def explain(paths: Paths, command: str, results: list[dict], errors: list[str]) -> str:
    failed = [result for result in results if result["status"] in ("error", "fail", "runtime error")]
    nodes = json.loads((paths.target / "manifest.json").read_text())["nodes"] if failed else {}
    parts = [_explain_one(paths, result, nodes.get(result["unique_id"], {})) for result in failed]
    if not failed:
        parts.append("\n".join([f"dbt {command} could not begin:", *errors[-20:]]))
    advice = "What to do: correct the records or the reference data (or the test, where it is wrong) and run again"
    if command == "build":
        parts.append(
            f"Nothing was published: readers still see the last good version.\n{advice};\n"
            "whatever was loaded tonight is built by the next run."
        )
    elif failed:
        parts.append(f"{advice}.\nWhat readers see was built before, and may rest on these rows.")
    return "\n\n".join(parts) + f"\ndbt's log: {paths.logs / 'dbt.log'}"


def _explain_one(paths: Paths, result: dict, node: dict) -> str:
    name = node.get("name", result["unique_id"])
    where = node.get("original_file_path", "")
    if result["status"] != "fail" or not result.get("compiled_code"):
        return f"{name} failed ({where}):\n{(result.get('message') or '').strip()}"
    meaning = "\n".join(
        line.removeprefix("--").strip() for line in node.get("raw_code", "").splitlines() if line.startswith("--")
    )
    if paths.engine == "spark":
        columns, rows = spark.failing_rows(paths, name, SHOWN_ROWS)
    else:
        columns, rows = _failing_rows(paths.warehouse, result["compiled_code"])
    shown = [" | ".join(columns)] + [" | ".join(map(_text, row)) for row in rows]
    return "\n".join(
        filter(
            None,
            [
                f"Test {name} failed on {result['failures']} row{'s' * (result['failures'] != 1)} ({where}).",
                meaning,
                *("    " + line for line in shown),
            ],
        )
    )


def _failing_rows(warehouse: Path, query: str) -> tuple[list[str], list[tuple]]:
    with closing(duckdb.connect(str(warehouse), read_only=True)) as connection:
        relation = connection.sql(query).limit(SHOWN_ROWS)
        return relation.columns, relation.fetchall()


def _text(cell: object) -> str:
    return printable(cell) if cell is not None else ""
