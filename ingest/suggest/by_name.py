"""Which received column is which column of a table by its name, as far as its values allow it."""

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.contract import Contract, plain
from ingest.suggest.assignment import assigned
from ingest.suggest.names import likeness
from ingest.suggest.profile import Profile
from ingest.suggest.values import fit

LOWEST = 0.45
"""Score from which a received column is taken for one of the contract."""
MARGIN = 0.1
"""Scores that differ by less are equally plausible."""
REQUIRED = 0.05
"""What a required column is preferred by."""
SAME = 1.2
"""Score of a name that the loader knows untold, so that no synonym is a rival of it."""


@dataclass(frozen=True)
class Match:
    """A received column that is taken for a column of the contract. `second`: the next best."""

    received: Profile
    score: float
    why: str
    second: Profile | None = None


Matches = dict[str, Match]
Choices = dict[str, list[Profile]]
"""Columns for which several received ones are equally plausible."""


def matched_by_name(contract: Contract, profiles: Sequence[Profile]) -> tuple[Matches, Choices]:
    """By contract column: of all columns at once, so that the sum of scores is highest."""
    scores, whys = _scores(contract, profiles)
    by_place = {profile.place: profile for profile in profiles}
    pairs = assigned(list(contract.columns), list(by_place), scores)
    matches, choices = {}, {}
    for name, place in pairs.items():
        received = by_place[place]
        others = [it for it in profiles if it.values != received.values]
        rivals = [it for it in others if _is_rival(name, place, it.place, pairs, scores)]
        if rivals:
            choices[name] = [received, *rivals]
            continue
        bonus = REQUIRED if contract.columns[name].required else 0
        seconds = [(scores[name, it], it) for it in by_place if it != place and (name, it) in scores]
        second = by_place[max(seconds)[1]] if seconds else None
        matches[name] = Match(received, min(scores[name, place] - bonus, 1.0), whys[name, place], second)
    return matches, choices


def _scores(contract: Contract, profiles: Sequence[Profile]) -> tuple[dict, dict]:
    """Score and reason of each pair of contract column and received column's place that is not out of the question."""
    scores, whys = {}, {}
    for name, column in contract.columns.items():
        for profile in profiles:
            alike = _likeness(profile, name, contract.table)
            if alike >= LOWEST:
                factor, what = fit(profile, name, column)
                if is_same(profile.name, name):
                    alike, factor = SAME, max(factor, LOWEST)  # the loader takes it, whatever it holds
                if alike * factor >= LOWEST:
                    scores[name, profile.place] = alike * factor + (REQUIRED if column.required else 0)
                    whys[name, profile.place] = f"{'its name' if alike >= 1 else 'like its name'}; {what}"
    return scores, whys


def is_same(received: str, name: str) -> bool:
    """Whether the loader takes a received column for `name` untold."""
    return plain(received) == plain(name)


def _likeness(profile: Profile, name: str, table: str) -> float:
    """Of a day and a time of day, what says most; both together are a time rather than one of them."""
    if profile.parts:
        return min(max(likeness(part.name, name, table) for part in profile.parts) + MARGIN, 1.0)
    return likeness(profile.name, name, table)


def _is_rival(name: str, place: int, other: int, pairs: dict, scores: dict) -> bool:
    """Whether column `name` could as well be received at `other`, without loss to what is received there."""
    here, there = scores[name, place], scores.get((name, other), 0.0)
    if not there:
        return False
    owner = next((it for it, at in pairs.items() if at == other), None)
    if owner is None:
        return there > here - MARGIN
    swapped = scores.get((owner, place))
    return swapped is not None and there + swapped > here + scores[owner, other] - MARGIN
