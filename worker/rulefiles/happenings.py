"""What happens in a rule test: its items become the events that senders would have sent."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from worker.core.contents import FIELDS
from worker.core.events import Event, parse
from worker.core.units import YEARS
from worker.rulefiles import shapes
from worker.rulefiles.nodes import List, Node, Table, Text
from worker.rulefiles.problems import Findings, Place, quoted
from worker.rulefiles.values import days_within

MOST_EVENTS = 10_000
LONGEST_DAYS = 3_660
LONGEST_WORD = 400

MAIN_FIELDS = {
    "interaction": "channel",
    "usage": "feature",
    "subscription": "status",
    "survey": "kind",
    "ticket": "status",
    "outcome": "goal",
    "contact": "contact",
    "rep": "rep",
    "account": "id",
}
"""The types of events by the field that stands beside the type in a test."""

_NAMED_BY_ID = ("subscription", "ticket")
_CLOSE = 0.75
_NUMBER = re.compile(r"[-+]?[0-9]{1,15}(\.[0-9]{1,6})?")
_RANGE = re.compile(r"(\S+?) ?\.\. ?(\S+)")

Happening = tuple[date, Place, str, dict[str, Any]]
"""(day, where it stands, type, data) of an event to be."""


def introductions(
    values: Mapping[str, Node], about: dict[str, Any], first: date, findings: Findings
) -> Iterator[Happening]:
    """Who is who before anything happens."""
    if about:
        yield first, values["account"].at, "account", about
    for section, type_ in (("reps", "rep"), ("contacts", "contact")):
        for item in items_of(values.get(section), quoted(section), findings):
            what = f"an item of {section!r}"
            yield first, item.at, type_, plain_fields(item, what, type_, findings)


def happenings(node: Node, account: str, findings: Findings) -> Iterator[Happening]:
    """The events that one item says, as often as it says."""
    pairs = list(shapes.table(node, "an event", findings))
    rest = [(key, value) for key, value in pairs if key.text not in ("day", "every")]
    when = {key.text: value for key, value in pairs if key.text in ("day", "every")}
    if "day" not in when:
        if isinstance(node, Table):
            findings.add(node.at, "the event has no 'day'")
        return
    days = days_of(when["day"], when.get("every"), findings)
    if not rest:
        findings.add(node.at, f"the event has no type, such as {', '.join(MAIN_FIELDS)}")
        return
    (type_, main), *more = rest
    field = MAIN_FIELDS.get(type_.text)
    if field is None:
        known = f"; after 'day' and 'every' comes one of {', '.join(MAIN_FIELDS)}"
        findings.unknown(type_.at, "event type", type_.text, list(MAIN_FIELDS), known)
        return
    _note_misspelt(more, type_.text, findings)
    data = {key.text: _plain(value) for key, value in more}
    if type_.text in _NAMED_BY_ID:
        data[type_.text] = str(data.pop("id", 1))
    value = _plain(main)
    if type_.text == "account":
        if value not in (None, account):
            findings.add(main.at, f"the account of this test is {quoted(account)}")
    elif value is not None:
        data[field] = str(value) if field in ("contact", "rep", "goal") else value
    for day in days:
        yield day, node.at, type_.text, dict(data)


def days_of(node: Node, every: Node | None, findings: Findings) -> list[date]:
    """The days of an event: one, or all of `A..B`, both ends in, `every` so many days."""
    text = shapes.text(node, "'day'", LONGEST_WORD, findings)
    step = _step(every, findings)
    if text is None:
        return []
    ends = _RANGE.fullmatch(text)
    if ends is None:
        if every is not None:
            findings.add(every.at, "'every' goes with a 'day' such as 2026-01-05..2026-02-16")
        day = date_of(text, node.at, findings)
        return [] if day is None else [day]
    first, last = (date_of(end, node.at, findings) for end in ends.groups())
    if first is None or last is None:
        return []
    if last < first:
        findings.add(node.at, f"this range is reversed: it goes from {first} to {last}")
    number = (last - first).days // step + 1
    if number > MOST_EVENTS:
        findings.add(node.at, f"more than {MOST_EVENTS:,} days")
        return []
    return [first + timedelta(days=step * n) for n in range(number)]


def _step(node: Node | None, findings: Findings) -> int:
    if node is None:
        return 1
    return days_within(node, "'every'", 1, LONGEST_DAYS, LONGEST_WORD, findings) or 1


def date_of(text: str, at: Place, findings: Findings) -> date | None:
    """The date that a text is, if it is one, and not too far away."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        findings.add(at, f"{quoted(text)} is not a date: write it like 2026-03-31")
        return None
    if day.year not in YEARS:
        findings.add(at, f"{text} is too far away")
        return None
    return day


def events_of(
    known: Sequence[Happening], dated: Sequence[Happening], account: str, findings: Findings
) -> Iterator[Event]:
    """The events, numbered in the order of the file: who is who at 00:00, the others at noon."""
    for number, (day, at, type_, data) in enumerate([*known, *dated]):
        hour = 0 if number < len(known) else 12
        raw = {
            "id": f"{number:06}",
            "source": "rule-test",
            "type": type_,
            "subject": account,
            "time": datetime.combine(day, time(hour), UTC).isoformat(),
            "data": data,
        }
        event = parse(raw, datetime.combine(day, time(23), UTC))
        if isinstance(event, Event):
            yield event
        else:
            findings.add(at, f"this is no {type_} event: {'; '.join(event.problems)}")


def items_of(node: Node | None, what: str, findings: Findings) -> tuple[Node, ...]:
    """The items of a list that may be missing or blank."""
    if node is None or shapes.is_blank(node):
        return ()
    return shapes.items(node, what, findings)


def plain_fields(node: Node | None, what: str, type_: str, findings: Findings) -> dict[str, Any]:
    """The fields of somebody who is introduced as an event of this type would."""
    if node is None:
        return {}
    pairs = list(shapes.table(node, what, findings))
    _note_misspelt(pairs, type_, findings)
    return {key.text: _plain(value) for key, value in pairs}


def _note_misspelt(pairs: Sequence[tuple[Text, Node]], type_: str, findings: Findings) -> None:
    """Note keys that look like one that an event of the type has: as unknown ones, which an event
    may have, they would do nothing."""
    known = FIELDS[type_] | {"id"}
    for key, _ in pairs:
        if key.text not in known and (meant := findings.nearest(key.text, sorted(known), _CLOSE)):
            findings.add(key.at, f"unknown key {quoted(key.text)}; did you mean {quoted(meant)}?")


def _plain(node: Node) -> Any:
    """What YAML takes a value for, but a date, which stays a text."""
    match node:
        case List(items=items):
            return [_plain(item) for item in items]
        case Table(pairs=pairs):
            return {key.text: _plain(value) for key, value in pairs if isinstance(key, Text)}
        case Text(text=text, quoted=False, folded=False):
            if text in ("", "~", "null"):
                return None
            if text in ("true", "false"):
                return text == "true"
            if _NUMBER.fullmatch(text):
                return float(text) if "." in text else int(text)
            return text
        case Text(text=text):
            return text
        case _:
            return None
