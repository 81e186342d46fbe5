"""Received columns and a table's columns: which is which, by name and values, and what can't be told."""

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.contract import CONTRACTS, Column, Contract
from ingest.conversion import plain
from ingest.suggest.assignment import assigned
from ingest.suggest.names import has_qualifier, likeness, promise, speaks_for
from ingest.suggest.values import ENOUGH, Profile, fit, joined

LOWEST = 0.45
"""Score from which a received column is taken for one of the contract."""
MARGIN = 0.1
"""Scores that differ by less are equally plausible."""
BY_VALUES = 0.55
"""Score of a column that only its values tell."""
REQUIRED = 0.05
"""What a required column is preferred by."""
SAME = 1.2
"""Score of a name that the loader knows untold, so that no synonym is a rival of it."""
FILE_NAME = 0.1
"""What a table gains when the name of the file speaks for it."""
TELLING = 4
"""Columns told by their values alone that make a table certain."""
SILENT = 0.3
"""Likeness below which a name says nothing."""


@dataclass(frozen=True)
class Match:
    """A received column that is taken for a column of the contract. `second`: the next best, with its score."""

    received: Profile
    score: float
    why: str
    second: tuple[Profile, float] | None = None


@dataclass(frozen=True)
class TableFit:
    """How a file fits a table. `choices`: columns for which several received ones are equally plausible."""

    table: str
    matches: dict[str, Match]
    choices: dict[str, list[Profile]]
    missing: list[str]
    """Required columns that nothing was found for."""
    score: float
    found: float
    """Share of the required columns that are in `matches`, 0 to 1."""


def fits(profiles: Sequence[Profile], path: str, *, named: bool, tables: Sequence[str]) -> list[TableFit]:
    """How the columns fit each of the tables, best first. Names count only where the file has them."""
    everything = [*profiles, *_joined_times(profiles)]
    found = [_fit_of(CONTRACTS[table], everything, named, path) for table in tables]
    return sorted(found, key=lambda it: -it.score)


def _joined_times(profiles: Sequence[Profile]) -> list[Profile]:
    """A column for each time of day and the nearest column of days before it, else after it."""
    found = []
    days = [profile for profile in profiles if profile.is_days and not profile.is_clock]
    for clock in profiles:
        if clock.is_clock and days and not _is_duration(clock.name):
            day = min(days, key=lambda it: (it.place > clock.place, abs(it.place - clock.place)))
            found.append(joined(day, clock, len(profiles) + len(found)))
    return found


def _is_duration(name: str) -> bool:
    return max(likeness(name, column, "test_record") for column in ("test_duration_s", "duration_s", "minutes")) > 0.7


def broken_promises(profiles: Sequence[Profile]) -> list[tuple[Profile, str]]:
    """Columns whose names promise times or numbers that their values are not; empty unless most are broken."""
    promised = [(profile, kind) for profile in profiles if profile.filled and (kind := promise(profile.name))]
    broken = [(profile, kind) for profile, kind in promised if not _keeps(profile, kind)]
    return broken if len(broken) > 1 and len(broken) * 2 >= len(promised) else []


def _keeps(profile: Profile, kind: str) -> bool:
    if kind == "number":
        return profile.decimal is not None
    return bool(profile.times.share >= ENOUGH / 2 or profile.is_clock or profile.epoch or profile.decimal)


def _fit_of(contract: Contract, profiles: Sequence[Profile], named: bool, path: str) -> TableFit:
    scores, whys = {}, {}
    for name, column in contract.columns.items():
        for profile in profiles:
            alike = _likeness(profile, name, contract.table) if named else 0.0
            if alike >= LOWEST:
                factor, what = fit(profile, name, column)
                if is_same(profile.name, name):
                    alike, factor = SAME, max(factor, LOWEST)  # the loader takes it, whatever it holds
                if alike * factor >= LOWEST:
                    scores[name, profile.place] = alike * factor + (REQUIRED if column.required else 0)
                    whys[name, profile.place] = f"{'its name' if alike >= 1 else 'like its name'}; {what}"
    by_place = {profile.place: profile for profile in profiles}
    pairs = assigned(list(contract.columns), list(by_place), scores)
    matches, choices = {}, {}
    for name, place in pairs.items():
        rivals = [
            it
            for it in by_place
            if it != place
            and by_place[it].values != by_place[place].values
            and _is_rival(name, place, it, pairs, scores)
        ]
        if rivals:
            choices[name] = [by_place[it] for it in (place, *rivals)]
            continue
        others = [(score, it) for (other, it), score in scores.items() if other == name and it != place]
        second = max(others, default=None)
        second = second and (by_place[second[1]], min(second[0], 1.0))
        bonus = REQUIRED if contract.columns[name].required else 0
        matches[name] = Match(by_place[place], min(scores[name, place] - bonus, 1.0), whys[name, place], second)
    used = [match.received for match in matches.values()] + [it for some in choices.values() for it in some]
    taken = {part.place for it in used for part in (it, *it.parts)}
    free = [it for it in profiles if not taken & {it.place, *(part.place for part in it.parts)}]
    _match_by_values(contract, free, profiles, named=named, matches=matches, choices=choices)
    have = {*matches, *choices}
    missing = [name for name in contract.required if name not in have]
    missing += [] if have & set(contract.any_of) else contract.any_of[:1]
    score, found = (
        _scored(contract, profiles, matches, choices) if named else _scored_by_values(contract, profiles, matches)
    )
    score += FILE_NAME if speaks_for(path, contract.table) else 0.0
    return TableFit(contract.table, matches, choices, missing, score, found)


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


def _match_by_values(
    contract: Contract,
    free: list[Profile],
    everything: Sequence[Profile],
    *,
    named: bool,
    matches: dict[str, Match],
    choices: dict[str, list[Profile]],
) -> None:
    """Required columns that only values can tell: from received ones whose names say nothing, or that have none."""
    wanted = {
        name: column
        for name, column in contract.columns.items()
        if column.required and name not in matches and name not in choices
    }
    silent = [profile for profile in free if not named or _says_nothing(profile, contract)]
    candidates = {name: _by_values(name, column, silent, named) for name, column in wanted.items()}
    for name in sorted(candidates, key=lambda name: not wanted[name].values):
        some = [it for it in candidates[name] if it.place not in {match.received.place for match in matches.values()}]
        shared = any(some == other and name != it for it, other in candidates.items())
        if len(some) == 1 and not shared and _is_told(wanted[name], some[0], everything, named):
            what = fit(some[0], name, wanted[name])[1]
            matches[name] = Match(some[0], BY_VALUES, f"by its values alone: {what}")
        elif some:
            choices[name] = some
    left = [name for name in wanted if name not in matches]
    for name in left:
        rest = [it for it in choices.pop(name, []) if it not in [match.received for match in matches.values()]]
        unused = {it.place for it in free} - {match.received.place for match in matches.values()}
        if not named and len(left) == 1 and len(rest) == len(unused) == 1:
            matches[name] = Match(rest[0], BY_VALUES, "the only one that is left")
        elif rest:
            choices[name] = rest


def _says_nothing(profile: Profile, contract: Contract) -> bool:
    best = max(likeness(profile.name, name, contract.table) for name in contract.columns)
    return best < SILENT and not has_qualifier(profile.name)


def _is_telling(column: Column) -> bool:
    """Whether values alone can tell a column: text could be anything."""
    return column.type != "string" or column.values is not None


def _by_values(name: str, column: Column, free: list[Profile], named: bool) -> list[Profile]:
    if named and not _is_telling(column):
        return []
    found = [it for it in free if it.is_whole and fit(it, name, column)[0] >= ENOUGH]
    if column.values:  # what is always OK says nothing beside what is OK or not
        found = [it for it in found if len(it.distinct) > 1] or found
    if column.type == "double":  # a whole number is more often a name or a count
        found = [it for it in found if any("." in text or "," in text for text in it.distinct)] or found
    return found


def _is_told(column: Column, only: Profile, everything: Sequence[Profile], named: bool) -> bool:
    """Whether the only candidate is one beyond doubt."""
    if column.type == "timestamp":
        return not named or sum(it.times.share >= ENOUGH or it.epoch is not None for it in everything) == 1
    return (
        _is_telling(column)
        and (not named or column.values is not None)
        and (column.type != "double" or only.decimal is None or any("." in it or "," in it for it in only.distinct))
    )


def _scored(contract: Contract, profiles: Sequence[Profile], matches: dict, choices: dict) -> tuple[float, float]:
    """Score of the table, and the share of its required columns that was found.

    What of the table is there counts as much as what of the file is explained by it.
    """
    worth = dict.fromkeys(choices, LOWEST) | {name: match.score for name, match in matches.items()}
    share = sum(worth.get(name, 0.0) for name in contract.required) / len(contract.required)
    told = sum(1 for profile in profiles if profile.filled)
    found = sum(name in matches for name in contract.required) / len(contract.required)
    return (share + sum(worth.values()) / max(told, 1)) / 2, found


def _scored_by_values(contract: Contract, profiles: Sequence[Profile], matches: dict) -> tuple[float, float]:
    """The same without names: of the required columns that values can tell, all and as many as possible."""
    telling = [name for name in contract.required if _is_telling(contract.columns[name])]
    found = [name for name in telling if name in matches]
    enough = len(profiles) >= len(contract.required)
    return enough * len(found) * (len(found) / max(len(telling), 1)) ** 2 / TELLING, len(found) / max(len(telling), 1)
