import datetime as dt

import pytest
from click.testing import CliRunner

from report import render
from report.__main__ import main
from report.publication import Role
from report.rendering import folder_names
from tests.python.report.published_marts import build_marts

PAGES = {"management": ["topline", "sheet:summary", "sheet:summary_prod"], "line": ["test", "nonsense"]}
ROLES = [{"role": role, "page": page, "title": role.title()} for role, pages in PAGES.items() for page in pages]


# A role would get what it was not given, or not what it was.
def test_writes_what_each_role_was_given(tmp_path, caplog):
    files = render(build_marts(tmp_path, roles=ROLES))
    assert sorted(str(file.relative_to(tmp_path / "reports")) for file in files) == [
        "2024-01-29/line/yield.html",
        "2024-01-29/management/yield.html",
        "2024-01-29/management/yield.xlsx",
        "2024-01-29/processed_summary_data.xlsx",
    ]
    assert all(file.is_file() for file in files)
    assert "role line: there is no page 'nonsense'" in caplog.text


# Whoever bookmarked `latest` would read an old night, or nothing.
def test_latest_leads_to_the_last_rendered(tmp_path):
    build_marts(tmp_path, roles=ROLES)
    render(tmp_path, dt.date(2024, 1, 28))
    render(tmp_path)
    render(tmp_path)
    reports = tmp_path / "reports"
    assert sorted(path.name for path in reports.iterdir()) == ["2024-01-28", "2024-01-29", "latest"]
    assert (reports / "latest").resolve().name == "2024-01-29"


# A Windows share has no links.
def test_latest_is_a_copy_where_there_are_no_links(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError("not supported")

    monkeypatch.setattr("pathlib.Path.symlink_to", refuse)
    build_marts(tmp_path, roles=ROLES)
    render(tmp_path)
    render(tmp_path)
    assert (tmp_path / "reports" / "latest" / "line" / "yield.html").is_file()
    assert not (tmp_path / "reports" / "latest").is_symlink()


# Readers would find half a report after a night that broke off.
def test_a_rendering_that_breaks_off_leaves_the_last_one(tmp_path, monkeypatch):
    before = {file: file.read_bytes() for file in render(build_marts(tmp_path, roles=ROLES))}

    def fail(*_):
        raise RuntimeError("disk full")

    monkeypatch.setattr("report.rendering.write_processed_summary", fail)
    with pytest.raises(RuntimeError, match="disk full"):
        render(tmp_path)
    assert {file: file.read_bytes() for file in before} == before
    monkeypatch.undo()
    render(tmp_path)
    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == ["2024-01-29", "latest"]


# A role's name comes from a CSV: it must not lead out of the folder, nor write over another role's reports.
def test_folders_of_roles_are_plain_and_differ():
    roles = [Role(name, name, ()) for name in ("../../etc", "quality", "Quality", "品質", "a b/c", "a b?c", "x" * 200)]
    names = folder_names(roles)
    assert names == ["etc", "quality", "Quality_2", "role", "a_b_c", "a_b_c_2", "x" * 60]


def test_an_empty_plant_has_its_reports(tmp_path):
    assert all(file.is_file() for file in render(build_marts(tmp_path, modules=0)))
    assert (tmp_path / "reports" / "empty").is_dir()


def test_the_command_names_what_it_wrote_or_what_is_missing(tmp_path):
    missing = CliRunner().invoke(main, ["--published", str(tmp_path)])
    assert missing.exit_code == 1
    assert "nothing is published yet" in missing.output
    build_marts(tmp_path, roles=ROLES)
    done = CliRunner().invoke(main, ["--published", str(tmp_path), "--date", "2024-02-03"])
    assert done.exit_code == 0
    assert str(tmp_path / "reports" / "2024-02-03" / "line" / "yield.html") in done.output
