"""Times and dates as others write them; what can be read in two ways is asked about."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Any

from worker.core.problems import quoted

_MILLISECONDS = 10**11
"""From here on a number that stands for a time counts milliseconds: seconds reach it in 5138."""

_EARLIEST = 10**8
"""Seconds, in 1973: a lower number was no clock's."""

_SPREADSHEETS_DAYS = range(20_000, 80_000)
"""Days as spreadsheets count them, from 1954 on; on some the count begins four years later."""

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
_COMPACT_DATE = re.compile(r"(?:19|20)\d{6}")
_CLOCK = r"(?:,?[ T]+(\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d+)?)?\s*([AP])?\.?M?\.?)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})[-/.](\d{{1,2}})[-/.](\d{{1,2}}){_CLOCK}", re.I)
_YEAR_LAST = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}){_CLOCK}", re.I)


class Unclear(ValueError):
    """What is written can be read in more than one way; the message says what would decide."""

    def __init__(self, value: str, why: str) -> None:
        super().__init__(f"{quoted(value)} {why}")
        self.value = value


@dataclass(frozen=True, slots=True)
class Writing:
    """How times are written where a message comes from.

    `zone` is that of times which name none; where it is None, such a time is unclear. `day_first`
    says whether 05/01/2026 is in January; where it is None, such a date is unclear.
    """

    zone: tzinfo | None = UTC
    day_first: bool | None = None

    def as_time(self, value: Any) -> Any:
        """A time as RFC 3339; a day alone is its beginning in UTC, whatever the zone.

        What is no time stays as it is. Raises Unclear.
        """
        moment = self._moment(value)
        if isinstance(moment, datetime):
            return moment.isoformat() if moment.tzinfo else self._placed(moment, value)
        return value if moment is None else f"{moment.isoformat()}T00:00:00+00:00"

    def as_date(self, value: Any) -> Any:
        """The day that is written, whatever the zone; that of seconds since 1970 in UTC.

        What is no date stays as it is. Raises Unclear.
        """
        moment = self._moment(value)
        if moment is None:
            return value
        return moment.date().isoformat() if isinstance(moment, datetime) else moment.isoformat()

    def _placed(self, moment: datetime, value: Any) -> str:
        if self.zone is None:
            raise Unclear(str(value), "is in no time zone: say in which with --timezone")
        return moment.replace(tzinfo=self.zone).isoformat()

    def _moment(self, value: Any) -> datetime | date | None:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return None
        text = str(value).strip()
        if not 5 <= len(text) <= 40:
            return None
        if _NUMBER.fullmatch(text) and not _COMPACT_DATE.fullmatch(text):
            return _of_number(float(text), text)
        for suffix in (" UTC", " GMT"):
            if text.endswith(suffix):
                text = f"{text.removesuffix(suffix)}+00:00"
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return self._local(text)

    def _local(self, text: str) -> datetime | date | None:
        """A time as a country writes it, or one that ISO 8601 would not let pass."""
        if found := _YEAR_FIRST.fullmatch(text):
            year, month, day, *clock = found.groups()
        elif found := _YEAR_LAST.fullmatch(text):
            one, mark, other, year, *clock = found.groups()
            day, month = (
                (one, other) if self._is_day_first(text, one, mark, other) else (other, one)
            )
        else:
            return None
        try:
            on = date(int(year), int(month), int(day))
            return on if clock[0] is None else datetime.combine(on, _clock(*clock).time())
        except ValueError:
            return None

    def _is_day_first(self, text: str, one: str, mark: str, other: str) -> bool:
        if mark == "." or int(one) > 12:
            return True
        if int(other) > 12:
            return False
        if self.day_first is None:
            raise Unclear(
                text,
                "begins with a day or with a month: say which with --day-first or --month-first",
            )
        return self.day_first


def as_time(value: Any) -> Any:
    """A time as RFC 3339, from such a text, one without an offset (UTC), or seconds since 1970."""
    try:
        return Writing().as_time(value)
    except Unclear:
        return value


def as_date(value: Any) -> Any:
    """A date as RFC 3339 has it; what is none, or could be two, stays as it is."""
    try:
        return Writing().as_date(value)
    except Unclear:
        return value


def _of_number(value: float, text: str) -> datetime | None:
    if int(value) in _SPREADSHEETS_DAYS:
        raise Unclear(
            text,
            "is a spreadsheet's own number for a day: give its column the format of a date there, "
            "like 2026-03-31, and save it as CSV again",
        )
    if value < _EARLIEST:
        return None
    seconds = value / 1000 if value >= _MILLISECONDS else value
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _clock(hour: str, minute: str, second: str | None, half: str | None) -> datetime:
    hours = int(hour)
    if half is not None:
        if not 1 <= hours <= 12:
            raise ValueError(hour)
        hours = hours % 12 + (12 if half.upper() == "P" else 0)
    return datetime(1970, 1, 1, hours, int(minute), int(second or 0))
