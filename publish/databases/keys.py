"""The keys of the published tables: columns that have one row per combination of values."""

import json
from pathlib import Path


def read_keys(manifest: Path) -> dict[str, tuple[str, ...]]:
    """Key columns by table, from the `unique_key` tests in dbt's manifest: declared once, and tested by every build.

    None where there is no manifest; a report view has no such test, hence no key.
    """
    if not manifest.is_file():
        return {}
    nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"]
    keys = {}
    for node in nodes.values():
        test = node.get("test_metadata") or {}
        if test.get("name") == "unique_key" and node.get("attached_node") in nodes:
            keys[nodes[node["attached_node"]]["name"]] = tuple(test["kwargs"]["columns"])
    return keys
