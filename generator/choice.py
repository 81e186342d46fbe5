"""Weighted draws of members of groups: a machine of a test, an error code of a test, a component."""

import numpy as np


class Choice:
    """Members of groups, each drawn by its share of its group's shares.

    `groups`, `members`: int arrays of one length; `shares`: floats >= 0, positive in sum for each group that is drawn
    from.
    """

    def __init__(self, groups: np.ndarray, members: np.ndarray, shares: np.ndarray) -> None:
        kept = shares > 0
        order = np.argsort(groups[kept], kind="stable")
        groups, self._members, shares = groups[kept][order], members[kept][order], shares[kept][order]
        self._last = np.zeros(groups.max(initial=0) + 1, dtype=np.int64)
        # One ascending array for all groups: those of group g end between g and g + 1.
        self._ends = np.empty(len(shares))
        for group in np.unique(groups):
            where = np.flatnonzero(groups == group)
            self._ends[where] = group + np.cumsum(shares[where]) / shares[where].sum()
            self._last[group] = where[-1]

    def members(self) -> set[int]:
        """Those that can be drawn at all."""
        return set(self._members.tolist())

    def shares(self, group: int) -> dict[int, float]:
        """The members of a group and how likely each is drawn."""
        where = np.flatnonzero((self._ends > group) & (self._ends <= group + 1))
        widths = np.diff(self._ends[where], prepend=group)
        return dict(zip(self._members[where].tolist(), widths.tolist(), strict=True))

    def draw(self, rng: np.random.Generator, groups: np.ndarray) -> np.ndarray:
        """One member for each of `groups`."""
        drawn = np.searchsorted(self._ends, groups + rng.random(len(groups)), side="right")
        return self._members[np.minimum(drawn, self._last[groups])]
