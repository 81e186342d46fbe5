"""shifts.html and shifts.xlsx: why shifts differ, what the better ones are worth, and what one hands over to the next.

The comparison is as large as its pairs: where there are more than `PAIRS` rows, those of whole kinds of comparison are
left out of the page, shifts last. Handovers are those of the view (`handover_weeks` in dbt_project.yml), at most
`HANDOVERS`.
"""

from report.columns import Names, columns_of
from report.document import Document, Page
from report.documents.shift_charts import charts
from report.publication import Publication, last_that_fit

COMPARISON, PRACTICE, HANDOVER = "report_shift_comparison", "report_shift_best_practice", "report_shift_handover"
PAIRS, HANDOVERS = 15_000, 2_000
KINDS = ("shift", "crew", "line", "shift_phase", "week")
NAMES = ["kind", "line", "phase", "metric", "side", "status", "staffing", "shift"]

COMPARISON_KEYS = {
    "kind": "comparison_kind", "line": "line_id", "phase": "shift_phase", "metric": "metric", "side": "side_a",
    "other": "side_b", "status": "status", "staffing": "staffing_status",
}  # fmt: skip
COMPARISON_COLUMNS = [
    "value_a", "value_b", "crude_difference", "product_mix_part", "machine_mix_part", "staffing_mix_part",
    "within_part", "not_comparable_part", "lower_95", "upper_95", "common_cell_count", "occurrence_count_a",
    "occurrence_count_b", "is_significant",
]  # fmt: skip
PRACTICE_COLUMNS = ["advantage", "advantage_lower_95", "units_per_week"]
HANDOVER_COLUMNS = [
    "shift_date", "shift_start_local", "shift_end_local", "known_until_local", "crew", "ran", "good", "scrap", "rework",
    "planned_quantity", "pbt_s", "apt_s", "availability", "stop_count", "open_stop_count", "open_stops",
    "anomaly_count", "anomalies", "open_issue_count", "open_issues", "next_shift_should_know",
]  # fmt: skip


class ShiftData:
    """Reads the views; `of(pages)` picks what these pages need."""

    def __init__(self, publication: Publication) -> None:
        self.publication = publication

    def of(self, pages: list[str]) -> dict:
        """The JSON that assets/shifts/ reads."""
        names = {key: Names() for key in NAMES}
        names["other"] = names["side"]  # both sides of a pair have one dictionary
        made: dict = {"tables": {}, "definitions": {}}
        if "shift_comparison" in pages:
            made["tables"] |= self._comparison(names)
            made["definitions"]["comparison"] = self.publication.definitions(COMPARISON)
        if "shift_handover" in pages:
            made["tables"]["handover"] = self._handover(names)
            made["definitions"]["handover"] = self.publication.definitions(HANDOVER)
        return made | {"names": {key: list(names[key]) for key in NAMES}}

    def _comparison(self, names: dict[str, Names]) -> dict:
        counts = self.publication.counts(COMPARISON, "comparison_kind")
        order = [kind for kind in reversed(KINDS) if kind in counts]
        kept = last_that_fit({kind: counts[kind] for kind in order}, PAIRS)
        rows = self.publication.rows(COMPARISON, [*COMPARISON_KEYS.values(), *COMPARISON_COLUMNS])
        rows = [row for row in rows if row[0] in kept]
        practice = ["comparison_kind", "line_id", "metric", "better_side", "other_side", *PRACTICE_COLUMNS]
        return {
            "comparison": columns_of(rows, list(COMPARISON_KEYS), COMPARISON_COLUMNS, names),
            "practice": columns_of(
                self.publication.rows(PRACTICE, practice) if self.publication.has_rows(PRACTICE) else [],
                ["kind", "line", "metric", "side", "other"],
                PRACTICE_COLUMNS,
                names,
            ),
        }

    def _handover(self, names: dict[str, Names]) -> dict:
        kept = last_that_fit(self.publication.counts(HANDOVER, "shift_date"), HANDOVERS)
        columns = ["line_id", "shift_name", *HANDOVER_COLUMNS]
        order = ["shift_start_local", "line_id"]
        rows = self.publication.rows(HANDOVER, columns, order=order, since=("shift_date", kept[0]))
        return columns_of(rows, ["line", "shift"], HANDOVER_COLUMNS, names)


DOCUMENT = Document(
    name="shifts",
    title="Shifts",
    pages={"shift_comparison": Page("Comparison", COMPARISON), "shift_handover": Page("Handover", HANDOVER)},
    sheets={"shift_comparison": COMPARISON, "shift_best_practice": PRACTICE, "shift_handover": HANDOVER},
    styles=dict.fromkeys(
        [
            "value_a", "value_b", "crude_difference", "product_mix_part", "machine_mix_part", "staffing_mix_part",
            "within_part", "not_comparable_part", "lower_95", "upper_95", "advantage", "advantage_lower_95",
            "adjusted_p_value",
        ],
        "fine",
    )
    | {"units_per_week": "decimal", "planned_quantity": "decimal"},
    scripts=("sections.js", "handover.js", "pages.js"),
    charts=charts,
    data=ShiftData,
)  # fmt: skip
