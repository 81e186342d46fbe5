"""What a document's page carries around its own data: the same on all documents."""

from report.document import Document
from report.publication import Publication, Role

FINDING_ROWS = 200
FINDING_COLUMNS = [
    "finding", "severity", "table_name", "load_week", "product_name", "test_name", "machine_id", "detail",
    "finding_count", "example",
]  # fmt: skip


def frame_of(
    publication: Publication, role: Role, document: Document, pages: list[str], siblings: list[Document]
) -> dict:
    """JSON for assets/shared/frame.js. `siblings`: all documents that the role gets, this one included."""
    run = publication.run
    findings, all_findings = _findings(publication)
    return {
        "document": document.name,
        "title": document.title,
        "pages": pages,
        "titles": {page: document.pages[page].title for page in pages},
        "documents": [[sibling.name, sibling.title] for sibling in siblings],
        "role": role.title,
        "run": {
            "plant": run.plant_name,
            "timezone": run.timezone,
            "asOf": f"{run.as_of_local:%Y-%m-%d %H:%M}" if run.as_of_local else None,
            "lastDay": publication.last_day.isoformat() if publication.last_day else None,
            "records": run.record_count,
            "rejects": run.reject_count,
            "findings": run.finding_count,
        },
        "findings": findings,
        "allFindings": all_findings,
    }


def _findings(publication: Publication) -> tuple[list[list], int]:
    """The gravest rows of data_quality, and how many there are."""
    rows = publication.rows("report_data_quality", FINDING_COLUMNS)
    severity, count = FINDING_COLUMNS.index("severity"), FINDING_COLUMNS.index("finding_count")
    order = {"error": 0, "warning": 1}
    rows.sort(key=lambda row: (order.get(row[severity], 2), -(row[count] or 0)))
    return [list(row) for row in rows[:FINDING_ROWS]], len(rows)
