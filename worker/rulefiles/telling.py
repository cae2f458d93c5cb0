"""`slack.yaml`: whom alerts reach, when, and how much of them at once."""

import re
from collections.abc import Callable, Collection
from datetime import time
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from worker.core.quiet import QuietTimes
from worker.core.rules import Recipient, Severity
from worker.core.telling import Route, Telling
from worker.rulefiles import shapes
from worker.rulefiles.files import SLACK, read
from worker.rulefiles.nodes import List, Node
from worker.rulefiles.problems import Findings, quoted
from worker.rulefiles.quantities import quantity
from worker.rulefiles.recipients import recipients_in
from worker.rulefiles.values import days_within, tags_in

KEYS = (
    "timezone",
    "quiet_hours",
    "quiet_days",
    "let_through",
    "digest",
    "budget",
    "escalate_after",
    "weekly",
    "admins",
    "routes",
)
DIGEST_KEYS = ("at", "up_to", "many")
ROUTE_KEYS = ("segment", "tag", "notify")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NONE = "none"
NEVER = "never"
LONGEST_ESCALATION = 90
MOST_MESSAGES = 1_000
MOST_ROUTES = 100

_LONGEST_WORD = 80
_MOST_NAMES = 100
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_HOURS = re.compile(r"(\S+) to (\S+)")

Value = TypeVar("Value")


def load_telling(root: Path) -> Telling:
    """The settings of a rules directory, the defaults for whatever it does not set.

    Raises RuleFilesRefused, with every problem, if its slack.yaml is wrong.
    """
    findings = Findings()
    settings = read_telling(root / SLACK, findings)
    findings.require_none()
    return settings


def read_telling(file: Path, findings: Findings) -> Telling:
    """The settings of one file, the defaults where it is missing or wrong."""
    tree = read(file, findings) if file.is_file() else None
    if tree is None:
        return Telling()
    given = _Given(shapes.fields(tree, "slack.yaml", KEYS, findings), findings)
    digest = given.part("digest", DIGEST_KEYS)
    ours = Telling()
    quiet = QuietTimes(
        given.value("quiet_hours", _hours, ours.quiet.hours),
        given.value("quiet_days", _days, ours.quiet.days),
    )
    digest_at = digest.value("at", _clock, ours.digest_at)
    if quiet.hours and _within(digest_at, quiet.hours):
        node = (digest if digest.has("at") else given).node("at", "quiet_hours")
        told = f"the digest would leave at {digest_at:%H:%M}, in the quiet hours: choose another"
        findings.add(node.at, f"{told} 'at' under 'digest'")
    return Telling(
        timezone=given.value("timezone", _timezone, ours.timezone),
        quiet=quiet,
        let_through=given.value("let_through", _severity, ours.let_through),
        digest_at=digest_at,
        digest_up_to=digest.value("up_to", _severity, ours.digest_up_to),
        many=digest.value("many", _number, ours.many),
        budget=given.value("budget", _number, ours.budget),
        escalate_after=given.value("escalate_after", _escalation, ours.escalate_after),
        weekly_on=given.value("weekly", _weekday, ours.weekly_on),
        admins=given.value("admins", _names, ours.admins),
        routes=given.value("routes", _routes, ours.routes),
    )


class _Given:
    """The values of a table, each read by a function of (what it is called, node, findings)."""

    def __init__(self, fields: shapes.Fields, findings: Findings) -> None:
        self._fields, self._findings = fields, findings

    def has(self, key: str) -> bool:
        return key in self._fields

    def node(self, *keys: str) -> Node:
        """The value of the first key that is here."""
        return next(self._fields[key][1] for key in keys if key in self._fields)

    def value(self, key: str, read_: Callable[[str, Node, Findings], Any], ours: Value) -> Value:
        """What is given, `ours` if it is blank, missing or wrong. None may be given."""
        if key not in self._fields or shapes.is_blank(self._fields[key][1]):
            return ours
        before = len(self._findings)
        found: Value = read_(quoted(key), self._fields[key][1], self._findings)
        return ours if len(self._findings) > before else found

    def part(self, key: str, known: Collection[str]) -> "_Given":
        """A table within."""
        if key not in self._fields or shapes.is_blank(self._fields[key][1]):
            return _Given({}, self._findings)
        fields = shapes.fields(self._fields[key][1], quoted(key), known, self._findings)
        return _Given(fields, self._findings)


def _within(at: time, hours: tuple[time, time]) -> bool:
    start, end = hours
    return start <= at < end if start < end else at >= start or at < end


def _word(what: str, node: Node, findings: Findings) -> str | None:
    return shapes.text(node, what, _LONGEST_WORD, findings)


def _timezone(what: str, node: Node, findings: Findings) -> str | None:
    name = _word(what, node, findings)
    if name is None:
        return None
    try:
        return ZoneInfo(name).key
    except (LookupError, ValueError, OSError):  # no such file, no file name, or a folder
        wrong = f"{what} is one such as 'Europe/Berlin' or 'America/New_York', not {quoted(name)}"
        findings.add(node.at, wrong)
        return None


def _clock(what: str, node: Node, findings: Findings) -> time | None:
    text = _word(what, node, findings)
    if text is None:
        return None
    found = _CLOCK.fullmatch(text)
    if found is None:
        findings.add(node.at, f"{what} is a time of day such as '08:00', not {quoted(text)}")
        return None
    return time(int(found[1]), int(found[2]))


def _hours(what: str, node: Node, findings: Findings) -> tuple[time, time] | None:
    text = _word(what, node, findings)
    if text is None or text == NONE:
        return None
    found = _HOURS.fullmatch(text)
    clocks = [_CLOCK.fullmatch(part) for part in found.groups()] if found else []
    hours = [time(int(clock[1]), int(clock[2])) for clock in clocks if clock]
    if len(hours) != 2:
        findings.add(node.at, f"{what} are such as '18:00 to 08:00', or none, not {quoted(text)}")
        return None
    if hours[0] == hours[1]:
        findings.add(node.at, f"{what} of the whole day would leave no time to tell anyone")
        return None
    return hours[0], hours[1]


def _days(what: str, node: Node, findings: Findings) -> tuple[int, ...]:
    if not isinstance(node, List) and _word(what, node, findings) == NONE:
        return ()
    found = set()
    for item in shapes.one_or_more(node, what, len(WEEKDAYS), findings):
        day = _weekday(what, item, findings, nothing=False)
        if day is not None:
            found.add(day)
    if len(found) == len(WEEKDAYS):
        findings.add(node.at, f"{what} of the whole week would leave no time to tell anyone")
    return tuple(sorted(found))


def _weekday(what: str, node: Node, findings: Findings, *, nothing: bool = True) -> int | None:
    name = _word(what, node, findings)
    if name is None or (nothing and name == NONE):
        return None
    return _one_of(what, name, WEEKDAYS, node, findings)


def _severity(what: str, node: Node, findings: Findings) -> Severity | None:
    name = _word(what, node, findings)
    if name is None or name == NONE:
        return None
    place = _one_of(what, name, tuple(Severity), node, findings)
    return None if place is None else list(Severity)[place]


def _one_of(
    what: str, name: str, known: tuple[str, ...], node: Node, findings: Findings
) -> int | None:
    if name in known:
        return known.index(name)
    nearest = findings.nearest(name, known)
    hint = f"; did you mean {quoted(nearest)}?" if nearest else ""
    findings.add(node.at, f"{what} is {', '.join(known)} or {NONE}, not {quoted(name)}{hint}")
    return None


def _number(what: str, node: Node, findings: Findings) -> int | None:
    text = _word(what, node, findings)
    if text is None:
        return None
    number, _ = quantity(text) or (None, None)
    if not isinstance(number, int) or not 1 <= number <= MOST_MESSAGES:
        findings.add(node.at, f"{what} is a number from 1 to {MOST_MESSAGES:,}, not {quoted(text)}")
        return None
    return number


def _escalation(what: str, node: Node, findings: Findings) -> int | None:
    text = _word(what, node, findings)
    if text is None or text == NEVER:
        return None
    return days_within(node, what, 1, LONGEST_ESCALATION, _LONGEST_WORD, findings)


def _names(what: str, node: Node, findings: Findings) -> tuple[str, ...]:
    items = shapes.one_or_more(node, what, _MOST_NAMES, findings)
    return tuple(
        sorted({name for item in items if (name := shapes.text(item, what, 200, findings))})
    )


def _routes(what: str, node: Node, findings: Findings) -> tuple[Route, ...]:
    given = shapes.items(node, what, findings)
    if len(given) > MOST_ROUTES:
        findings.add(node.at, f"{what} has {len(given):,} of them; {MOST_ROUTES} are allowed")
        return ()
    return tuple(route for item in given if (route := _route(item, findings)))


def _route(node: Node, findings: Findings) -> Route | None:
    before = len(findings)
    found = shapes.fields(node, "a route", ROUTE_KEYS, findings)
    if len(findings) > before:
        return None
    if "notify" not in found:
        findings.add(node.at, "the route has no 'notify'")
    if "segment" not in found and "tag" not in found:
        findings.add(node.at, "the route has neither 'segment' nor 'tag': say whose flags it is of")
    notify: tuple[Recipient, ...] = ()
    segments: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    if "notify" in found:
        notify = recipients_in(found["notify"][1], findings)
    if "segment" in found:
        segments = _names("'segment'", found["segment"][1], findings)
    if "tag" in found:
        tags = tags_in(found["tag"][1], "'tag'", findings)
    return Route(notify, segments, tags) if len(findings) == before else None
