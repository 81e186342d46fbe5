"""How well a received column's values fit a column of the contract, and what they mean in it."""

import ast
import re
from functools import cache

from ingest.contract import VOCABULARIES, Column
from ingest.expressions import FALSE, TRUE
from ingest.spellings import Spellings
from ingest.suggest.names import folded, vocabulary
from ingest.suggest.profile import ENOUGH, Profile

LASTING = re.compile(r"\d{1,4}:[0-5]\d:[0-5]\d(?:\.\d+)?")
NEVER = 0.0
ENOUGH_RECORDS = 20
"""Records from which it says something that a column always holds the same."""
FEW = 12
"""Distinct values of a vocabulary, at most."""
BOOLEAN = {text: value for value, texts in (("true", TRUE), ("false", FALSE)) for text in ast.literal_eval(texts)}


def fit(profile: Profile, name: str, column: Column) -> tuple[float, str]:
    """How well values fit the contract's column `name`, 0 to 1, and what they are in a few words."""
    received = profile if column.type == "string" and not column.values else profile.told
    if not received.filled:
        return (NEVER if column.required else 0.6), "empty"
    if column.values:
        return _as_vocabulary(received, meanings(received, name, column), VOCABULARIES[column.values].unknown)
    return {
        "timestamp": _as_time,
        "date": _as_date,
        "boolean": _as_boolean,
        "double": _as_number,
        "bigint": _as_number,
        "string": _as_text,
    }[column.type](received, name, column)


def meanings(profile: Profile, name: str, column: Column) -> dict[str, str | None]:
    """What each distinct value means in the column's vocabulary, or as a boolean; None where nothing says it."""
    key, known = (column.values or "boolean"), _words_of_values(column.values or "boolean")
    if column.values:
        spelled, values = _spellings().values, VOCABULARIES[key].values
        found = {text: spelled.get((name, text.casefold()), text.casefold()) for text in profile.distinct}
        found = {text: value if value in values else None for text, value in found.items()}
    else:
        found = {text: BOOLEAN.get(text.casefold()) for text in profile.distinct}
    return {text: value or known.get(folded(text)) for text, value in found.items()}


def is_untold(name: str, column: Column, text: str) -> bool:
    """Whether the loader needs a value map to know what `text` means."""
    if column.values:
        value = _spellings().values.get((name, text.casefold()), text.casefold())
        return value not in VOCABULARIES[column.values].values
    return text.casefold() not in BOOLEAN


@cache
def _spellings() -> Spellings:
    return Spellings()


@cache
def _words_of_values(key: str) -> dict[str, str]:
    entries = vocabulary()["values"].get(key, {})
    return {folded(text): value for value, texts in entries.items() for text in texts}


def _as_vocabulary(profile: Profile, known: dict[str, str | None], unknown: str) -> tuple[float, str]:
    share = profile.share(lambda text: known[text] is not None)
    shown = ", ".join(profile.distinct[:4])
    if share >= ENOUGH:
        return 1.0, f"values {shown}"
    if len(profile.distinct) <= FEW and (share or unknown == "keep"):
        return 0.6 + 0.4 * share, f"values {shown}, not all known"
    return (0.3 if len(profile.distinct) <= FEW else NEVER), f"values {shown}, none known"


def _as_time(profile: Profile, *_) -> tuple[float, str]:
    if profile.times.share >= ENOUGH:
        return (0.9 if profile.times.days else 1.0), "days" if profile.times.days else "times"
    return (0.9, f"time since 1970 in {profile.epoch}") if profile.epoch else (NEVER, "no times")


def _as_date(profile: Profile, *_) -> tuple[float, str]:
    if profile.is_iso_date:
        return 1.0, "dates"
    if profile.times.share >= ENOUGH:
        return (1.0, "dates") if profile.times.days else (0.6, "times")
    return NEVER, "no dates"


def _as_boolean(profile: Profile, name: str, column: Column) -> tuple[float, str]:
    known = meanings(profile, name, column)
    share = profile.share(lambda text: known[text] is not None)
    shown = ", ".join(profile.distinct[:4])
    return (1.0, f"values {shown}") if share >= ENOUGH else (NEVER, f"values {shown}")


def _as_number(profile: Profile, name: str, column: Column) -> tuple[float, str]:
    if profile.decimal is None:
        lasting = column.type == "double" and profile.share(lambda text: bool(LASTING.fullmatch(text))) >= ENOUGH
        return (0.9, "hours:minutes:seconds") if lasting else (NEVER, "no numbers")
    numbers = [number for text in profile.distinct if (number := profile.number(text)) is not None]
    if column.type == "bigint" and not profile.is_dotted and any(number % 1 for number in numbers):
        return 0.2, "numbers that are not whole"
    out = [it for it in numbers if (column.min is not None and it < column.min) or (column.max or it) < it]
    return (0.3, "numbers out of range") if len(out) > len(numbers) / 10 else (1.0, "numbers")


def _as_text(profile: Profile, name: str, column: Column) -> tuple[float, str]:
    if profile.times.share >= ENOUGH and not profile.epoch and any(not it.isdecimal() for it in profile.distinct):
        return 0.1, "times"
    if any("." in text or "," in text for text in profile.distinct) and profile.decimal:
        return 0.4, "numbers with decimals"
    if len(profile.distinct) > 1 or profile.filled < ENOUGH_RECORDS:
        return 1.0, "text"
    only = profile.distinct[0]
    return (0.4 if only.isdecimal() and column.required else 0.9), f"always {only}"
