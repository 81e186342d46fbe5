"""Rendering: all reports of a publication into `published/reports/<date>/`, seen by readers whole or not at all."""

import datetime as dt
import logging
import os
import re
import shutil
from pathlib import Path

from report.page import render_page
from report.page_data import PAGES, PageData, pages_of
from report.processed_summary import write_processed_summary
from report.publication import Publication, Role
from report.workbook import SHEETS, SUMMARY, RoleWorkbooks, sheets_of

LOGGER = logging.getLogger(__name__)


def render(published: Path, date: dt.date | None = None) -> list[Path]:
    """Writes the reports of `published/marts.duckdb`; gives the files, workbook for other tools last.

    `date` names the folder; default the production date of the last test, or `empty` without records. A folder that is
    there is replaced as a whole. Raises `PublicationError`, with one line, where nothing is published.
    """
    reports = published / "reports"
    with Publication(published) as publication:
        day = date or publication.run.as_of_date
        name = day.isoformat() if day else "empty"
        reports.mkdir(parents=True, exist_ok=True)
        made = reports / f".{name}.new"
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        data, sheets = PageData(publication), RoleWorkbooks(publication)
        files = []
        for role, folder in zip(publication.roles, folder_names(publication.roles), strict=True):
            _warn_of_unknown(role)
            (made / folder).mkdir()
            if pages_of(role):
                page = made / folder / "yield.html"
                page.write_text(render_page(data.of(role)), encoding="utf-8", newline="\n")
                files.append(page)
            if sheets_of(role):
                workbook = made / folder / "yield.xlsx"
                sheets.write(role, workbook)
                files.append(workbook)
        processed = made / "processed_summary_data.xlsx"
        write_processed_summary(publication, processed)
        files.append(processed)
    _switch(made, reports / name)
    _point_latest(reports, name)
    return [reports / name / file.relative_to(made) for file in files]


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
    known = {*PAGES, *(f"sheet:{name}" for name in (SUMMARY, *SHEETS))}
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
