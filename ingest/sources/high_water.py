"""How far a source was read: the highest value of a column that rises, and where the next reading begins.

Times with and without a zone, dates, whole numbers and decimals, and text that sorts. A time ahead of the clock does
not count beyond it: what comes after it would never be read.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

HOUR = timedelta(hours=1)
NUMBERS = 1000
ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?")
SECONDS = len("2024-01-31 08:00:00")
STEP = timedelta(microseconds=1)

Mark = datetime | date | int | Decimal | str


def is_mark(value: object) -> bool:
    return isinstance(value, Mark) and not isinstance(value, bool) and str(value) != "NaN"


def written(value: Mark | None) -> str | int | None:
    """As JSON can hold it."""
    if isinstance(value, datetime) and value.tzinfo:
        value = value.astimezone(UTC)
    return value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, Decimal) else value


def read(text: object, like: Mark) -> Mark | None:
    """What was `written`, in the type of `like`; None where it is no value of that: the column's type has changed."""
    try:
        if isinstance(like, datetime):
            value = datetime.fromisoformat(text)
            return value if (value.tzinfo is None) == (like.tzinfo is None) else None
        return date.fromisoformat(text) if isinstance(like, date) else type(like)(text)
    except (TypeError, ValueError, InvalidOperation):
        return None


def ceiling(newest: Mark) -> Mark:
    """Up to where a reading goes that begins now: Python's times may have been cut off to microseconds."""
    return newest + STEP if isinstance(newest, datetime) and newest.year < 9999 else newest


def beginning(
    newest: Mark, loaded: Iterable[tuple[object, datetime]], overlap: int | timedelta | None, zone: str
) -> Mark | None:
    """Where to read from; None: from the beginning.

    newest: what is highest now, for its type. loaded: what was highest, as `written`, and when that load began (UTC).
    zone: of times without one. Raises ValueError when `overlap` is not reckoned in the column's type.
    """
    marks = [_by_the_clock(mark, at, zone) for text, at in loaded if (mark := read(text, newest)) is not None]
    if not marks:
        return None
    # A database may sort text in another order than Python does: the last load's is the mark
    mark = marks[-1] if isinstance(newest, str) else max(marks)
    try:
        return _less(mark, overlap)
    except OverflowError:
        return None


def _by_the_clock(mark: Mark, at: datetime, zone: str) -> Mark:
    local = at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    if isinstance(mark, datetime):
        return min(mark, at.replace(tzinfo=UTC) if mark.tzinfo else local)
    if isinstance(mark, date):
        return min(mark, local.date())
    if moment := _moment(mark):
        now = at.replace(tzinfo=UTC).astimezone(moment.tzinfo) if moment.tzinfo else local
        return mark if moment <= now else _like(now, mark)
    return mark


def _less(mark: Mark, overlap: int | timedelta | None) -> Mark:
    moment = mark if isinstance(mark, datetime) else _moment(mark)
    if isinstance(mark, int | Decimal):
        if isinstance(overlap, timedelta):
            raise ValueError("overlap is a time, but high_water a number: say how many, such as overlap: 1000")
        return mark - (NUMBERS if overlap is None else overlap)
    if isinstance(mark, str) and not moment:
        if overlap is not None:
            raise ValueError("overlap can't be reckoned in text that is no ISO 8601 time: leave it out")
        return mark
    if isinstance(overlap, int) and overlap:
        raise ValueError("overlap is a number, but high_water a time: say a time, such as overlap: 2 hours")
    window = HOUR if overlap is None else timedelta(0) if overlap == 0 else overlap
    if isinstance(mark, datetime):
        return mark - window
    if isinstance(mark, date):
        return (datetime.combine(mark, datetime.min.time()) - window).date()
    return min(mark, _like(moment - window, mark))


def _moment(mark: Mark) -> datetime | None:
    """A time that is written as text."""
    try:
        return datetime.fromisoformat(mark) if isinstance(mark, str) and ISO.fullmatch(mark) else None
    except ValueError:
        return None


def _like(moment: datetime, text: str) -> str:
    """As text that sorts among such as `text`, without fraction and zone."""
    return moment.isoformat(text[10:11] or " ")[: min(SECONDS, len(text))]
