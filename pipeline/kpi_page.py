"""docs/kpis.md: the figures of the marts, from the models' own YAML.

A column with `meta.kpi` is a figure. Its worked example is a unit test of its model, named by the model's
`meta.kpi_example`: the numbers on the page are those that dbt builds and compares.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from pipeline.paths import PROJECT

HEAD = Path(__file__).with_name("kpi_head.md")
MODELS = PROJECT / "models" / "marts"
NAME = r"[a-z]\w*"


@dataclass(frozen=True)
class Figure:
    """One figure as its first model tells of it. `models` are all that store it."""

    name: str
    definition: str
    unit: str
    iso_name: str | None
    parts: str | None
    example: str | None
    """Name of the unit test."""
    numbers: dict[str, float | None]
    """Of the example: columns of the row that it expects."""
    models: list[str]

    def needs(self) -> list[str]:
        """Columns that it is made of."""
        return re.findall(NAME, self.parts or "")


def page() -> str:
    """The page as Markdown."""
    models = read_models()
    found = figures()
    grains = {name: models[name]["description"] for figure in found.values() for name in figure.models}
    tables = [f"- `{name}`: {grain}" for name, grain in grains.items()]
    needed = {name for figure in found.values() for name in figure.needs()}
    meanings: dict[str, str] = {}
    for column in (column for name in grains for column in models[name]["columns"] if column["name"] in needed):
        meanings.setdefault(column["name"], column["description"])
    parts = [f"| {name} | {meaning} |" for name, meaning in sorted(meanings.items())]
    sections = [HEAD.read_text(encoding="utf-8").rstrip(), "## Figures", *map(_section, found.values())]
    sections += ["## Tables, and what a row is", "\n".join(tables)]
    sections += ["## Parts", "\n".join(["| part | meaning |", "|---|---|", *parts])]
    return "\n\n".join(sections) + "\n"


def figures() -> dict[str, Figure]:
    """By name, in the order of the models' files, OEE first."""
    tests = {test["name"]: test for document in _documents() for test in document.get("unit_tests", [])}
    found: dict[str, Figure] = {}
    for model in read_models().values():
        test = tests.get(model.get("config", {}).get("meta", {}).get("kpi_example"))
        for column in model["columns"]:
            meta = column.get("config", {}).get("meta", {}).get("kpi")
            if meta and column["name"] in found:
                found[column["name"]].models.append(model["name"])
            elif meta:
                found[column["name"]] = Figure(
                    name=column["name"],
                    definition=column["description"],
                    unit=meta["unit"],
                    iso_name=meta.get("iso_name"),
                    parts=meta.get("parts"),
                    example=test and test["name"],
                    numbers=_numbers(test, column["name"]),
                    models=[model["name"]],
                )
    return found


def worked(figure: Figure) -> str | None:
    """Its parts with the numbers of the example in place of their names; None without one."""
    if not figure.parts or figure.numbers.get(figure.name) is None:
        return None
    return re.sub(NAME, lambda name: _text(figure.numbers[name.group()]), figure.parts)


@cache
def _documents() -> list[dict]:
    files = sorted(MODELS.rglob("*.yml"), key=lambda file: (file.name != "oee.yml", file))
    return [yaml.safe_load(file.read_text(encoding="utf-8")) or {} for file in files]


def read_models() -> dict[str, dict]:
    """What the YAML says of each mart, by name."""
    return {model["name"]: model for document in _documents() for model in document.get("models", [])}


def _numbers(test: dict | None, name: str) -> dict[str, float | None]:
    """The numbers of the first row that the test expects the figure in."""
    for row in test["expect"]["rows"] if test else []:
        if row.get(name) is not None:
            return {column: _number(value) for column, value in row.items()}
    return {}


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


def _text(number: float | None) -> str:
    return "" if number is None else f"{number:.6f}".rstrip("0").rstrip(".")


def _section(figure: Figure) -> str:
    lines = [f"### {figure.name}", "", figure.definition, ""]
    if figure.iso_name:
        lines.append(f"- ISO 22400-2: {figure.iso_name}")
    lines.append(f"- Unit: {figure.unit}")
    if figure.parts:
        lines.append(f"- Parts: `{figure.parts}`; over more rows, the parts are added first")
    else:
        lines.append("- Parts: none; taken from the records of the row, and not to be added or averaged")
    calculation = worked(figure)
    if calculation:
        value = _text(figure.numbers[figure.name])
        lines.append(f"- Example: {calculation} = {value} (unit test `{figure.example}`)")
    elif figure.numbers:
        lines.append(f"- Example: {_text(figure.numbers[figure.name])} (unit test `{figure.example}`)")
    lines.append(f"- In: {', '.join(f'`{name}`' for name in figure.models)}")
    return "\n".join(lines)
