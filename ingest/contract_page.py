"""docs/data_contract.md: the stated outcomes, and every table and vocabulary as the loader enforces them."""

from ingest.contract import CONTRACTS, FOLDER, GROUPS, REFERENCE, VOCABULARIES, Column, Contract

TITLES = {
    "tests": "Modules",
    "machines": "Machines and people",
    "planning": "Orders and plans",
    "reference": "Reference data",
}


def page() -> str:
    """The page as Markdown."""
    parts = [(FOLDER / "outcomes.md").read_text(encoding="utf-8").rstrip(), _vocabularies()]
    for group, contracts in GROUPS.items():
        parts.append(f"## {TITLES[group]}")
        parts += [_table(contract) for contract in contracts.values()]
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
