"""docs/data_contract.md: the stated outcomes, every table and vocabulary as the loader enforces them, and how the
formats of test equipment are read, as their modules say it."""

from inspect import cleandoc, getmodule

from ingest.contract import CONTRACTS, FOLDER, GROUPS, REFERENCE, VOCABULARIES, Column, Contract
from ingest.formats.equipment import FORMATS

TITLES = {
    "tests": "Modules",
    "machines": "Machines and people",
    "sensors": "Sensors",
    "planning": "Orders and plans",
    "reference": "Reference data",
    "machine_time": "Reference data of machine time",
    "calendar": "Calendar",
}

EQUIPMENT = """\
## Formats of test equipment

`X` or `X.Y` in capitals or with a dot is a column of the format: it can be mapped with `columns:`, and else goes to
`_extra`. A parameter that occurs again within an attempt, in a loop or a retry, gets ` #2`, ` #3` ... behind it."""


def page() -> str:
    """The page as Markdown."""
    parts = [(FOLDER / "outcomes.md").read_text(encoding="utf-8").rstrip(), _vocabularies()]
    for group, contracts in GROUPS.items():
        parts.append(f"## {TITLES[group]}")
        parts += [_table(contract) for contract in contracts.values()]
    parts.append(EQUIPMENT)
    parts += [f"### {name}\n\n{cleandoc(getmodule(it.rows).__doc__)}" for name, it in FORMATS.items()]
    return "\n\n".join(parts) + "\n"


def _vocabularies() -> str:
    columns = [
        (t, name, column.values) for t, c in CONTRACTS.items() for name, column in c.columns.items() if column.values
    ]
    lines = ["## Vocabularies", "", "| vocabulary | columns | values | anything else |", "|---|---|---|---|"]
    for name, vocabulary in VOCABULARIES.items():
        used = ", ".join(f"{table}.{column}" for table, column, values in columns if values == name)
        fate = "rejected" if vocabulary.unknown == "reject" else "kept in lower case"
        lines.append(f"| {name} | {used} | {', '.join(vocabulary.values)} | {fate} |")
    return "\n".join(lines)


def _table(contract: Contract) -> str:
    name = contract.table
    file = f" (`{name.removeprefix(REFERENCE)}.csv`)" if name.startswith(REFERENCE) and name != "ref_plant" else ""
    lines = [
        f"### {name}{file}",
        "",
        contract.description,
        "",
        "| column | type | required | meaning |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {column_name} | {column.type} | {'yes' if column.required else ''} | {_meaning(column)} |"
        for column_name, column in contract.columns.items()
    ]
    return "\n".join(lines)


def _meaning(column: Column) -> str:
    bounds = [f"{word} {bound:g}" for word, bound in (("from", column.min), ("to", column.max)) if bound is not None]
    limits = f" Values {' '.join(bounds)}." if bounds else ""
    vocabulary = f" Vocabulary: {column.values}." if column.values else ""
    return f"{column.description.rstrip('.')}.{limits}{vocabulary}"
