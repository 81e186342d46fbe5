"""Which column goes to which, so that the sum of scores is highest: the Hungarian algorithm with potentials."""

from collections.abc import Mapping, Sequence
from math import inf


def assigned(rows: Sequence[str], columns: Sequence[int], scores: Mapping[tuple[str, int], float]) -> dict[str, int]:
    """Each row at most one column and the other way round; pairs without a score are never made."""
    costs = [[-scores.get((row, column), 0.0) for column in columns] + [0.0] * len(rows) for row in rows]
    row_of = _solved(costs)
    pairs = {rows[row]: columns[column] for column, row in row_of.items() if column < len(columns)}
    return {row: column for row, column in pairs.items() if (row, column) in scores}


def _solved(costs: list[list[float]]) -> dict[int, int]:
    """Column: row, of lowest cost, for a matrix that is at least as wide as high. Row and column 0 are sentinels."""
    height, width = len(costs), len(costs[0])
    of_row, of_column, owner = [0.0] * (height + 1), [0.0] * (width + 1), [0] * (width + 1)
    for row in range(1, height + 1):
        owner[0], at = row, 0
        least, before, seen = [inf] * (width + 1), [0] * (width + 1), [False] * (width + 1)
        while owner[at]:
            seen[at] = True
            current, step, following = owner[at], inf, 0
            for column in range(1, width + 1):
                if seen[column]:
                    continue
                cost = costs[current - 1][column - 1] - of_row[current] - of_column[column]
                if cost < least[column]:
                    least[column], before[column] = cost, at
                if least[column] < step:
                    step, following = least[column], column
            for column in range(width + 1):
                if seen[column]:
                    of_row[owner[column]] += step
                    of_column[column] -= step
                else:
                    least[column] -= step
            at = following
        while at:
            owner[at], at = owner[before[at]], before[at]
    return {column - 1: row - 1 for column, row in enumerate(owner) if column and row}
