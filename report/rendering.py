"""Rendering: all reports of a publication into `published/reports/<date>/`, seen by readers whole or not at all."""

import datetime as dt
import logging
import os
import re
import shutil
from functools import cached_property
from pathlib import Path

from report.content import frame_of
from report.document import Data, Document
from report.documents import DOCUMENTS
from report.page import render_page
from report.processed_summary import write_processed_summary
from report.publication import Publication, Role
from report.workbook import RoleWorkbooks

LOGGER = logging.getLogger(__name__)


def render(published: Path, date: dt.date | None = None) -> list[Path]:
    """Writes the reports of `published/marts.duckdb`; gives the files, workbook for other tools last.

    `date` names the folder; default `Publication.last_day`, or `empty` without records. A folder that is
    there is replaced as a whole. Raises `PublicationError`, with one line, where nothing is published.
    """
    reports = published / "reports"
    with Publication(published) as publication:
        day = date or publication.last_day
        name = day.isoformat() if day else "empty"
        reports.mkdir(parents=True, exist_ok=True)
        made = reports / f".{name}.new"
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        writers = [_Writer(publication, document) for document in DOCUMENTS]
        files = []
        for role, folder in zip(publication.roles, folder_names(publication.roles), strict=True):
            _warn_of_unknown(role)
            (made / folder).mkdir()
            siblings = [document for document in DOCUMENTS if document.pages_of(role, publication)]
            written = [file for writer in writers for file in writer.write(role, made / folder, siblings)]
            if not written:
                (made / folder).rmdir()
            files += written
        processed = made / "processed_summary_data.xlsx"
        write_processed_summary(publication, processed)
        files.append(processed)
    _switch(made, reports / name)
    _point_latest(reports, name)
    return [reports / name / file.relative_to(made) for file in files]


class _Writer:
    """Writes one document for all roles; its views are read when a role first gets it."""

    def __init__(self, publication: Publication, document: Document) -> None:
        self.publication, self.document = publication, document
        self._workbooks = RoleWorkbooks(publication, document)

    @cached_property
    def _data(self) -> Data:
        return self.document.data(self.publication)

    def write(self, role: Role, folder: Path, siblings: list[Document]) -> list[Path]:
        """The document's files of a role in `folder`; none where there is nothing that the role gets."""
        files = []
        if pages := self.document.pages_of(role, self.publication):
            frame = frame_of(self.publication, role, self.document, pages, siblings)
            content = frame | self._data.of(pages)
            page = folder / f"{self.document.name}.html"
            page.write_text(render_page(self.document, content), encoding="utf-8", newline="\n")
            files.append(page)
        if self.document.sheets_of(role, self.publication):
            workbook = folder / f"{self.document.name}.xlsx"
            self._workbooks.write(role, workbook)
            files.append(workbook)
        return files


def folder_names(roles: list[Role]) -> list[str]:
    """A folder per role: letters, digits, - and _ of its name, so that none leads elsewhere; numbered if alike."""
    names: list[str] = []
    for role in roles:
        plain = re.sub(r"[^A-Za-z0-9_-]+", "_", role.name).strip("_")[:60] or "role"
        taken = {name.lower() for name in names}
        name, number = plain, 1
        while name.lower() in taken:
            number += 1
            name = f"{plain}_{number}"
        names.append(name)
    return names


def _warn_of_unknown(role: Role) -> None:
    known = {entry for document in DOCUMENTS for entry in document.entries}
    for page in role.pages:
        if page not in known:
            LOGGER.warning("role %s: there is no page %r; known are %s", role.name, page, ", ".join(sorted(known)))


def _switch(made: Path, target: Path) -> None:
    """Puts the finished folder in its place. An older one of the same date steps aside first and is removed after."""
    aside = target.with_name(f".{target.name}.old")
    shutil.rmtree(aside, ignore_errors=True)
    if target.exists():
        target.rename(aside)
    made.rename(target)
    shutil.rmtree(aside, ignore_errors=True)


def _point_latest(reports: Path, name: str) -> None:
    """`latest` leads to the folder; a copy where the file system has no links."""
    latest, fresh = reports / "latest", reports / ".latest.new"
    if fresh.is_symlink():
        fresh.unlink()
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.symlink_to(name, target_is_directory=True)
        if latest.exists() and not latest.is_symlink():
            shutil.rmtree(latest)
        os.replace(fresh, latest)
    except (OSError, NotImplementedError):
        shutil.copytree(reports / name, fresh)
        _switch(fresh, latest)
