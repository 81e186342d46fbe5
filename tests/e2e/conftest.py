"""The rendered page in a real browser: headless Chromium, on files, with no server."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import duckdb
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from report import render
from tests.python.report import published_production
from tests.python.report.published_marts import HOSTILE, TARGETS, build_marts

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--disable-dev-shm-usage",
]  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()


class Report:
    """One document: where it lies, the figures behind it, and a browser page that shows it."""

    def __init__(self, published: Path, page: Page, document: str) -> None:
        self.published, self.page = published, page
        self.file = next((published / "reports" / "latest").rglob(f"{document}.html"))
        self.messages: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.messages.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.messages.append(str(error)))
        page.on("dialog", lambda dialog: (self.messages.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: self.requests.append(request.url))

    def open(self, name: str = "", **choice: str) -> "Report":
        """Opens a page of the report with a choice, as a bookmark would."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.file.as_uri()}#{name}{'?' + urlencode(choice) if choice else ''}")
        self.ready()
        return self

    def ready(self) -> None:
        self.page.wait_for_selector("main[data-ready]", timeout=30_000)

    def choose(self, name: str, label: str) -> None:
        """Picks an option of a drop-down by what it shows."""
        self.page.select_option(f"select#{name}", label=label)
        self.ready()

    def options(self, name: str) -> list[str]:
        return self.page.locator(f"select#{name} option").all_inner_texts()

    def figure(self, name: str) -> float | None:
        """A key figure, unrounded."""
        value = self.page.get_attribute(f"[data-figure={name}]", "data-value")
        return None if value is None else float(value)

    def table(self, name: str) -> list[list[str | float]]:
        """The table behind a chart: numbers unrounded, all else as shown."""
        return self.page.evaluate(
            "id => [...document.querySelectorAll(`#table-${id} tbody tr`)].map(row => [...row.cells].map(cell =>"
            " cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value)))",
            name,
        )


Opener = Callable[..., Report]


@pytest.fixture
def show(browser: Browser) -> Iterator[Opener]:
    """Opens the report of a publication in a browser page of its own, and checks at the end that all was quiet."""
    reports: list[Report] = []

    def show(
        published: Path, document: str = "yield", width: int = 1280, height: int = 900, **options: object
    ) -> Report:
        page = browser.new_page(viewport={"width": width, "height": height}, **options)
        reports.append(Report(published, page, document))
        return reports[-1]

    yield show
    for report in reports:
        report.page.close()
        # an error in the console is a broken page; a request is a page that needs, or tells, somebody else
        assert report.messages == []
        assert {url for url in report.requests if not url.startswith(("file://", "about:"))} == set()
        assert {url.split("#")[0] for url in report.requests if url.startswith("file://")} <= {report.file.as_uri()}


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = build_marts(tmp_path_factory.mktemp("plain") / "published", targets=TARGETS)
    render(folder)
    return folder


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile") / "published"
    codes = ["<img src=x onerror=alert(2)>", "+x", "\x1b[31m"]
    tests = ["<b onmouseover=alert(3)>T</b>", "</script><script>alert(4)</script>"]
    build_marts(folder, products=HOSTILE, tests=tests, codes=codes)
    render(folder)
    return folder


@pytest.fixture(scope="session")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plant with machine time and shifts, besides yields; all documents to one role."""
    folder = build_marts(tmp_path_factory.mktemp("factory") / "published", roles=[], modules=5)
    render(published_production.add_production(folder))
    return folder


@pytest.fixture
def changed_factory(tmp_path: Path) -> Callable[..., Path]:
    """`factory` anew, after statements on what is published, each with its values."""

    def changed(*statements: tuple[str, list]) -> Path:
        folder = published_production.add_production(build_marts(tmp_path, roles=[], modules=3))
        with duckdb.connect(str(folder / "marts.duckdb")) as connection:
            for statement, values in statements:
                connection.execute(statement, values)
        render(folder)
        return folder

    return changed


@pytest.fixture(scope="session")
def hostile_factory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with names that would do harm where text is taken for markup."""
    folder = build_marts(tmp_path_factory.mktemp("hostile_factory") / "published", roles=[], modules=5)
    render(published_production.add_production(folder, published_production.HOSTILE))
    return folder
