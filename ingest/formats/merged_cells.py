"""Merged cells of a sheet, whose value a workbook has in the first of them only."""

from xml.etree import ElementTree

from openpyxl.cell.read_only import EMPTY_CELL
from openpyxl.utils.cell import range_boundaries

from ingest.source import Unreadable

MOST_CELLS = 1_000_000
"""In one range; more is a slip of the hand, or meant to do harm."""


class MergedCells:
    """Of a sheet that is read row by row; `filled` is called for each row, from the first."""

    def __init__(self, sheet):
        self.coming = sorted(ranges(sheet), key=lambda bounds: bounds[1], reverse=True)
        self.open: list[tuple[tuple[int, int, int, int], object]] = []

    def filled(self, number: int, row: tuple) -> list:
        """The row (`number` from 1), with the first cell of each range in all cells of the range."""
        self.open = [(bounds, cell) for bounds, cell in self.open if bounds[3] >= number]
        while self.coming and self.coming[-1][1] <= number:
            bounds = self.coming.pop()
            at = bounds[0] - 1
            self.open.append((bounds, row[at] if at < len(row) else EMPTY_CELL))
        cells = list(row)
        for (left, _, right, _), cell in self.open:
            cells += [EMPTY_CELL] * (right - len(cells))
            cells[left - 1 : right] = [cell] * (right - left + 1)
        return cells


def ranges(sheet) -> list[tuple[int, int, int, int]]:
    """First column, first row, last column, last row of each. They stand behind the rows: a pass of its own."""
    found = []
    with sheet.parent._archive.open(sheet._worksheet_path) as part:
        for _, element in ElementTree.iterparse(part):
            if element.tag.endswith("}mergeCell"):
                left, top, right, bottom = range_boundaries(element.get("ref"))
                if (right - left + 1) * (bottom - top + 1) > MOST_CELLS:
                    raise Unreadable(f"the merged cells {element.get('ref')} are more than {MOST_CELLS:,}")
                found.append((left, top, right, bottom))
            element.clear()
    return found
