"""A document: what one subject tells a role, as `<name>.html` and `<name>.xlsx`.

A document is a module of `report.documents` that names its pages, sheets, charts and scripts, and makes its data. All
else is the same for all of them: the frame (`report.page`, assets/shared/), workbooks, roles. A subject that the plant
did not build has no views in the published file, and its document is not written.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from openpyxl import Workbook

from report.publication import Publication, Role

SUMMARY = "summary"  # the sheet of key figures


class Data(Protocol):
    """Reads the document's views once, for all roles."""

    def of(self, pages: list[str]) -> dict:
        """JSON of what these pages need, and nothing else; assets/<document>/ reads it."""


@dataclass(frozen=True)
class Page:
    """A page of a document; `view`: without rows of it there is no such page. None: it is always there."""

    title: str
    view: str | None = None


@dataclass(frozen=True, eq=False)
class Document:
    """`name` names its files and the folder of its scripts, `pages` and `sheets` what a role can be given of it."""

    name: str
    title: str
    pages: Mapping[str, Page]
    sheets: Mapping[str, str]
    """Marts (`sheet:<mart>` in roles.csv) in the order of the workbook, and the view that each shows."""
    scripts: tuple[str, ...]
    charts: Callable[[], dict[str, dict]]
    """Specifications by the name under which the scripts ask for them (`report.charts`)."""
    data: Callable[[Publication], Data]
    styles: Mapping[str, str] = field(default_factory=dict)
    """Columns of its sheets that are not shown as their name and type say, and the style they have."""
    summary: Callable[[Workbook, Publication, Role], None] | None = None
    """Adds the workbook's sheet of key figures."""
    always: bool = False
    """Whether it is written without a single row, too, so that a plant's first night has a report."""

    def pages_of(self, role: Role, publication: Publication) -> list[str]:
        """The role's pages that have something to show, in their order. A role that names nothing gets everything."""
        return [
            name
            for name, page in self.pages.items()
            if _is_given(role, name) and (page.view is None or publication.has_rows(page.view))
        ]

    def sheets_of(self, role: Role, publication: Publication) -> list[str]:
        """The role's sheets, likewise."""
        summary = [SUMMARY] if self.summary and _is_given(role, f"sheet:{SUMMARY}") else []
        return summary + [
            mart
            for mart, view in self.sheets.items()
            if _is_given(role, f"sheet:{mart}") and (self.always or publication.has_rows(view))
        ]

    @property
    def entries(self) -> list[str]:
        """What roles.csv may name of it."""
        summary = [f"sheet:{SUMMARY}"] if self.summary else []
        return [*self.pages, *summary, *(f"sheet:{mart}" for mart in self.sheets)]


def _is_given(role: Role, entry: str) -> bool:
    return entry in role.pages or not role.pages
