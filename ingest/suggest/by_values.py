"""Which received column is which required column by its values alone: where its name says nothing, or there is none."""

from collections.abc import Sequence

from ingest.contract import Column, Contract
from ingest.suggest.by_name import Choices, Match, Matches
from ingest.suggest.names import has_qualifier, likeness
from ingest.suggest.profile import ENOUGH, Profile
from ingest.suggest.values import fit

BY_VALUES = 0.55
"""Score of a column that only its values tell."""
SILENT = 0.3
"""Likeness below which a name says nothing."""


def matched_by_values(
    contract: Contract, profiles: Sequence[Profile], matches: Matches, choices: Choices, *, named: bool
) -> tuple[Matches, Choices]:
    """Further ones, of columns that are in neither `matches` nor `choices`."""
    wanted = {name: contract.columns[name] for name in _wanted(contract, {*matches, *choices})}
    used = [match.received for match in matches.values()] + [it for some in choices.values() for it in some]
    taken = {part.place for it in used for part in (it, *it.parts)}
    free = [it for it in profiles if not taken & {it.place, *(part.place for part in it.parts)}]
    silent = [it for it in free if not named or _says_nothing(it, contract)]
    candidates = {name: _candidates(name, column, silent, named) for name, column in wanted.items()}
    found: Matches = {}
    for name in sorted(wanted, key=lambda name: not wanted[name].values):
        some = _without(candidates[name], found)
        shared = any(some == other for it, other in candidates.items() if it != name)
        if len(some) == 1 and not shared and _is_told(wanted[name], some[0], profiles, named):
            what = fit(some[0], name, wanted[name])[1]
            found[name] = Match(some[0], BY_VALUES, f"by its values alone: {what}")
    left = {name: rest for name in wanted if name not in found and (rest := _without(candidates[name], found))}
    if not named and len(wanted) - len(found) == len(left) == 1 and len(_without(free, found)) == 1:
        ((name, rest),) = left.items()
        return found | {name: Match(rest[0], BY_VALUES, "the only one that is left")}, {}
    return found, left


def _wanted(contract: Contract, have: set[str]) -> list[str]:
    """What a record has to have and has not; of columns of which one is enough, that with a type of its own."""
    names = [name for name in contract.required if name not in have]
    kinds = [contract.columns[name].type for name in contract.any_of]
    if have.isdisjoint(contract.any_of):
        of_own = zip(contract.any_of, kinds, strict=True)
        names += [name for name, kind in of_own if kind != "string" and kinds.count(kind) == 1]
    return names


def _without(profiles: list[Profile], found: Matches) -> list[Profile]:
    taken = {match.received.place for match in found.values()}
    return [it for it in profiles if it.place not in taken]


def _says_nothing(profile: Profile, contract: Contract) -> bool:
    best = max(likeness(profile.name, name, contract.table) for name in contract.columns)
    return best < SILENT and not has_qualifier(profile.name)


def is_telling(column: Column) -> bool:
    """Whether values alone can tell a column: text could be anything."""
    return column.type != "string" or column.values is not None


def _candidates(name: str, column: Column, free: list[Profile], named: bool) -> list[Profile]:
    if named and not is_telling(column):
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
        is_telling(column)
        and (not named or column.values is not None)
        and (column.type != "double" or only.decimal is None or any("." in it or "," in it for it in only.distinct))
    )
