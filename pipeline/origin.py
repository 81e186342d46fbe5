"""Where the value of a column comes from, as plant.yml says it: another column's name, or what makes the value."""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from pipeline.section import Section

SOURCES = ("from", "value", "path", "sheet", "cell", "sql")


def _with_group(pattern: str) -> str:
    try:
        groups = re.compile(pattern).groups
    except re.error:
        groups = 0
    if not groups:
        raise ValueError("expected a regular expression with a group in brackets, such as ([^/]+)/[^/]+$")
    return pattern


def _of_sheet(cell: str) -> str:
    if not re.fullmatch(r"[A-Z]{1,3}[1-9]\d{0,6}", cell):
        raise ValueError("expected a cell such as B2")
    return cell


def _text(value: object) -> object:
    """As a file would have it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


Pattern = Annotated[str, AfterValidator(_with_group)]
Text = Annotated[str, BeforeValidator(_text)]
Name = Annotated[str, Field(min_length=1)]


class Origin(Section):
    """Of the value of one contract column: exactly one of SOURCES, and what its values mean."""

    received: Name | None = Field(default=None, alias="from")
    """A received column."""
    value: object = None
    """The same for every record."""
    path: Pattern | None = None
    """Group 1 of a regular expression, searched in the object's name."""
    sheet: Pattern | None = None
    """The same of the sheet's title."""
    cell: Annotated[str, AfterValidator(_of_sheet)] | None = None
    """A cell of the sheet."""
    sql: Name | None = None
    """A DuckDB expression over received columns, all of them text."""
    values: dict[str, Text | None] = {}
    """What its values mean; those that are not named stay as they are. "" is no value."""

    @field_validator("value")
    @classmethod
    def _is_plain(cls, value: object) -> object:
        if not isinstance(value, str | int | float):
            raise ValueError("expected text (a date or time in quotes), a number, true or false")
        return value

    @model_validator(mode="after")
    def _is_one(self) -> "Origin":
        found = [name for name in SOURCES if getattr(self, {"from": "received"}.get(name, name)) is not None]
        if len(found) != 1:
            raise ValueError(f"expected one of {', '.join(SOURCES)}")
        return self

    @property
    def renames(self) -> bool:
        """Nothing but another name."""
        return self.received is not None and not self.values


def _origin(written: object) -> object:
    if isinstance(written, str):
        return {"from": written}
    if not isinstance(written, dict | Origin):
        raise PydanticCustomError("string_type", "")
    return written


Columns = dict[str, Annotated[Origin, BeforeValidator(_origin)]]
"""Contract column: its origin; a text is the name of a received column."""
