"""Which table a file's records are of, and which received column is which of its columns."""

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.contract import CONTRACTS, Contract
from ingest.suggest.by_name import LOWEST, Choices, Matches, matched_by_name
from ingest.suggest.by_values import is_telling, matched_by_values
from ingest.suggest.names import likeness, promise, speaks_for
from ingest.suggest.profile import ENOUGH, Profile, joined

FILE_NAME = 0.1
"""What a table gains when the name of the file speaks for it."""
TELLING = 4
"""Columns told by their values alone that make a table certain."""


@dataclass(frozen=True)
class TableFit:
    """How a file fits a table. `choices`: columns for which several received ones are equally plausible."""

    table: str
    matches: Matches
    choices: Choices
    missing: list[str]
    """Required columns that nothing was found for."""
    score: float
    found: float
    """Share of the required columns that are in `matches`, 0 to 1."""


def fits(profiles: Sequence[Profile], path: str, *, named: bool, tables: Sequence[str]) -> list[TableFit]:
    """How the columns fit each of the tables, best first. Names count only where the file has them.

    `path`: of the file and its folder, whose names may speak for a table.
    """
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
    matches, choices = matched_by_name(contract, profiles) if named else ({}, {})
    more, questions = matched_by_values(contract, profiles, matches, choices, named=named)
    matches, choices = matches | more, choices | questions
    have = {*matches, *choices}
    missing = [name for name in contract.required if name not in have]
    missing += [] if have & set(contract.any_of) else contract.any_of[:1]
    if named:
        score, found = _scored(contract, profiles, matches, choices)
    else:
        score, found = _scored_by_values(contract, profiles, matches)
    score += FILE_NAME if speaks_for(path, contract.table) else 0.0
    return TableFit(contract.table, matches, choices, missing, score, found)


def _needs(contract: Contract) -> list[list[str]]:
    """The columns that a record has to have, each with those that do as well."""
    return [[name] for name in contract.required] + [contract.any_of] * bool(contract.any_of)


def _scored(contract: Contract, profiles: Sequence[Profile], matches: Matches, choices: Choices) -> tuple[float, float]:
    """Score of the table, and the share of its required columns that was found.

    What of the table is there counts as much as what of the file is explained by it.
    """
    worth = dict.fromkeys(choices, LOWEST) | {name: match.score for name, match in matches.items()}
    needs = _needs(contract)
    share = sum(max(worth.get(name, 0.0) for name in names) for names in needs) / len(needs)
    told = sum(1 for profile in profiles if profile.filled)
    found = sum(any(name in matches for name in names) for names in needs) / len(needs)
    return (share + sum(worth.values()) / max(told, 1)) / 2, found


def _scored_by_values(contract: Contract, profiles: Sequence[Profile], matches: Matches) -> tuple[float, float]:
    """The same without names: of the required columns that values can tell, all and as many as possible."""
    needs = _needs(contract)
    telling = [names for names in needs if any(is_telling(contract.columns[name]) for name in names)]
    found = [names for names in telling if any(name in matches for name in names)]
    enough = len(profiles) >= len(needs)
    share = len(found) / max(len(telling), 1)
    return enough * len(found) * share**2 / TELLING, share
