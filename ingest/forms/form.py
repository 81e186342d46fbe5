"""Which forms there are, how one is recognised, and what it says to the people who fill it in.

A form is known by its **key row**, hidden between heads and entries: above each column of entries stands a cell such as
`firstpass:operator_report.machine_id`. So rows may be inserted above, columns moved, added or deleted, sheets renamed,
and another program may save it. What is below the key row is entries; a sheet without one is never loaded.
"""

import re

from ingest.contract import CONTRACTS, VOCABULARIES, Column

FORMS = {
    "operator_report": "operator_report",
    "work_orders": "work_order",
    "quality_issues": "quality_issue",
    "schedule_changes": "schedule_change",
    "staffing": "staffing",
}
"""Name of the workbook: table. Its columns are those of the table's contract, in their order."""
TABLES = tuple(FORMS.values())

RESULT = "_result"
"""Column of a returned copy, in which Firstpass writes what became of each row."""
KEY = re.compile(r"firstpass:(\w+)\.(\w+?)(?:\.([0-9a-f]{12}))?")
SUFFIXES = {"_ids": "s", "_id": "", "_name": "", "_at": ""}
DATE_EXAMPLE, TIME_EXAMPLE = "2024-03-05", "2024-03-05 14:30"

SHOWN = 40
"""Characters of a wrong value that are repeated to the person who wrote it."""


def key_of(table: str, column: str, stamp: str = "") -> str:
    """What stands in the key row. `stamp` tells which returned copy a workbook is."""
    return f"firstpass:{table}.{column}" + (f".{stamp}" if stamp else "")


def title_of(form: str) -> str:
    """Such as `Work orders`."""
    return form.replace("_", " ").capitalize()


def label_of(name: str) -> str:
    """A column's name as people say it: `machine_id` is `Machine`, `shift_date` is `Shift date`."""
    for suffix, ending in SUFFIXES.items():
        if name.endswith(suffix):
            name = name.removesuffix(suffix) + ending
            break
    return name.replace("_", " ").capitalize()


def expected_of(column: Column, listed: bool = False) -> str:
    """What a cell of the column holds, in a short sentence. `listed`: there is a list of known names to choose from."""
    if column.values:
        return f"One of: {', '.join(VOCABULARIES[column.values].values)}."
    if column.type in ("bigint", "double"):
        bounds = [("at least", column.min), ("at most", column.max)]
        limits = "".join(f", {word} {bound:g}" for word, bound in bounds if bound is not None)
        return f"A {'whole ' if column.type == 'bigint' else ''}number{limits}."
    return {
        "date": f"A date, such as {DATE_EXAMPLE}.",
        "timestamp": f"Date and time, such as {TIME_EXAMPLE}.",
        "boolean": "yes or no.",
        "string": "Choose from the list." if listed else "",
    }[column.type]


def fault_of(table: str, name: str, text: str | None) -> str:
    """Why a cell that breaks its contract does, and what to do, to the person who filled it in."""
    contract = CONTRACTS[table]
    column = contract.columns[name]
    if text:
        shown = text if len(text) <= SHOWN else text[:SHOWN] + "…"
        return f"{label_of(name)}: “{shown}” does not fit. {expected_of(column)}"
    if column.required:
        return f"{label_of(name)}: Fill this in. {expected_of(column)}".rstrip()
    return f"Fill in {' or '.join(map(label_of, contract.any_of))}."
