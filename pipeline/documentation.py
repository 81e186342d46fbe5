"""The models' documentation as one web page, and the pages of docs/ that are generated."""

from pathlib import Path

from ingest import contract_page
from pipeline import kpi_page
from pipeline.build import build
from pipeline.paths import PROJECT, Paths

CONTRACT_PAGE = PROJECT / "docs" / "data_contract.md"
KPI_PAGE = PROJECT / "docs" / "kpis.md"


def document(paths: Paths) -> list[Path]:
    """Writes docs/data_contract.md, docs/kpis.md and `docs/index.html` in the data directory; gives all three. The
    caller holds the lock.

    The web page needs neither server nor network. It knows sizes and types of tables where a warehouse is there.
    Raises BuildError.
    """
    CONTRACT_PAGE.write_text(contract_page.page(), encoding="utf-8")
    KPI_PAGE.write_text(kpi_page.page(), encoding="utf-8")
    build(paths, ["parse"])
    # compiling would run the hooks of a build, which drop tables when a model has changed
    catalog = [] if paths.warehouse.is_file() else ["--empty-catalog"]
    build(paths, ["docs", "generate", "--static", "--no-compile", *catalog])
    target = paths.data / "docs" / "index.html"
    target.parent.mkdir(exist_ok=True)
    (paths.target / "static_index.html").replace(target)
    return [CONTRACT_PAGE, KPI_PAGE, target]
