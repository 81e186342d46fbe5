"""Headers and what they mean: how surely a received name is a column of the contract, by `synonyms.yml`."""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

from ingest.contract import CONTRACTS

BRACKETS = re.compile(r"[(\[{<（【]([^)\]}>）】]*)[)\]}>）】]")
CASES = re.compile(r"(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
SPOKEN = re.compile(r"[^\W_]+")
MORE, NEUTRAL, COMPOUND, ELSE = 0.8, 0.9, 0.7, 0.35
"""Factors on a synonym's weight: a name's last words; among words that add nothing; at the end of a compound such as
Prüfseriennummer; beside words that make it something else."""
LONGEST = 100
"""Characters of a header that are looked at."""
SHORTEST = 4
"""Letters that the end of a compound has more of."""


@cache
def vocabulary() -> dict:
    """`synonyms.yml`, all of it text."""
    text = Path(__file__).with_name("synonyms.yml").read_text(encoding="utf-8")
    return yaml.load(text, yaml.BaseLoader)  # keeps `no` and `on` from being booleans


def folded(text: str) -> str:
    """Without case, accents and the difference of ü and ue."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    return plain.replace("ae", "a").replace("oe", "o").replace("ue", "u")


@cache
def words(name: str) -> tuple[str, ...]:
    """Of a header: `SerialNum`, `serial_num` and `Serial Num. [text]` have the same."""
    plain = CASES.sub(" ", BRACKETS.sub(" ", unicodedata.normalize("NFKC", name)))
    return tuple(folded(word) for word in SPOKEN.findall(plain))


def unit_of(name: str) -> float | None:
    """Seconds of the unit of time that a header names in brackets or at its end; None where it names none."""
    said = [folded(inside.strip()) for inside in BRACKETS.findall(unicodedata.normalize("NFKC", name))]
    said += words(name)[-1:]
    return next((_units()[word] for word in said if word in _units()), None)


def unit_of_column(column: str) -> float | None:
    """Seconds of the unit of time of a contract column, the last word of its name; None where it has none."""
    return _units().get(column.rpartition("_")[2])


def says_utc(name: str) -> bool:
    return bool(_folded("utc") & {*words(name), *(folded(inside.strip()) for inside in BRACKETS.findall(name))})


def speaks_for(path: str, table: str) -> bool:
    """Whether the name of a file or its folder has a word of the table's."""
    said = "".join(words(path))
    known = [_joined(word) for word in [table, *vocabulary()["tables"].get(table, [])]]
    return any(word in words(path) or (len(word) > 5 or not word.isascii()) and word in said for word in known)


def promise(name: str) -> str | None:
    """`time` or `number` where the header's words promise such values."""
    said = words(name)
    for kind, promised in vocabulary()["promises"].items():
        if any(_joined(word) == "".join(said[-len(words(word)) :]) for word in promised):
            return kind
    return None


def has_qualifier(name: str) -> bool:
    return any(map(_qualifies, words(name)))


def is_name(text: str) -> bool:
    """Whether a cell may be the header of any table's column."""
    said = words(text[:LONGEST])[-6:]
    if any("".join(said[start:]) in _all_synonyms() for start in range(len(said))):
        return True
    return not text.isascii() and any(word.endswith(known) for word in said[-1:] for known in _all_synonyms())


@cache
def likeness(name: str, column: str, table: str) -> float:
    """How surely the header `name` alone means the table's column, 0 to 1."""
    said, known = words(name[:LONGEST]), _synonyms(column, table)
    if "".join(said) in known:
        return known["".join(said)]
    if unit_of_column(column) and len(said) > 1 and said[-1] in _units():
        said = said[:-1]  # a unit, where `min` would be a minimum elsewhere
    pieces = [(said[:start], "".join(said[start:end]), said[end:]) for start, end in _spans(len(said))]
    if not "".join(said).isascii():  # no blanks between words
        whole = "".join(said)
        pieces += [((whole[:start],), whole[start:end], (whole[end:],)) for start, end in _spans(len(whole))]
    found = [known[it] * _beside(before, after, known) for before, it, after in pieces if it in known]
    ends = [word[at:] for word in said for at in range(1, len(word) - SHORTEST)]
    found += [known[it] * COMPOUND for it in ends if it in known and it not in _folded("neutral")]
    return max(found, default=0.0)


def _spans(count: int) -> list[tuple[int, int]]:
    return [(start, end) for start in range(count) for end in range(start + 1, count + 1)]


def _beside(before: tuple[str, ...], after: tuple[str, ...], known: Mapping[str, float]) -> float:
    """The factor on a synonym between other words. What comes last says what a thing is: a test duration is no test."""
    if any(_qualifies(word) for word in before + after):
        return ELSE
    if not all(_adds_nothing(word) or word in known for word in after):
        return ELSE
    return NEUTRAL if all(_adds_nothing(word) or word in known for word in before) else MORE


def _adds_nothing(word: str) -> bool:
    return not word or word in _folded("neutral") or word in _units()


def _qualifies(word: str) -> bool:
    return word in _folded("qualifiers") or any(part in word for part in _folded("qualifiers") if not part.isascii())


@cache
def _synonyms(column: str, table: str) -> dict[str, float]:
    """Synonyms of a table's column as one folded word each, with their weights."""
    weights = {level: float(weight) for level, weight in vocabulary()["weights"].items()}
    found = {_joined(column): weights["sure"]}
    for ending in vocabulary()["endings"]:
        short = column.removesuffix("_" + ending.replace(" ", "_"))
        if short != column:
            found.setdefault(_joined(short), weights["likely"])
    for key in (column, f"{table}.{column}"):
        for level, synonyms in vocabulary()["columns"].get(key, {}).items():
            for synonym in synonyms:
                found[_joined(synonym)] = max(weights[level], found.get(_joined(synonym), 0.0))
    return found


@cache
def _all_synonyms() -> frozenset[str]:
    keys = [(column, table) for table, contract in CONTRACTS.items() for column in contract.columns]
    return frozenset(synonym for key in keys for synonym in _synonyms(*key)) - _folded("neutral")


def _joined(text: str) -> str:
    return "".join(words(text))


@cache
def _folded(section: str) -> frozenset[str]:
    return frozenset(word for entry in vocabulary()[section] for word in words(entry))


@cache
def _units() -> dict[str, float]:
    return {folded(word): float(seconds) for seconds, units in vocabulary()["units"].items() for word in units}
