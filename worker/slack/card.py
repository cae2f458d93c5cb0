"""The card of a conversation: an account's flags as they stand now, in one message.

It is edited as they move. What is resolved stays on it, in green, with what cleared it.
"""

from collections.abc import Iterator
from typing import NamedTuple

from msgspec.structs import replace
from slack_sdk.models.blocks import Block, DividerBlock

from worker.core.alerts import AlertReason
from worker.core.cards import Card, Told
from worker.core.flags import QUIET, State
from worker.core.rules import Kind
from worker.slack.blocks import (
    MAX_TEXT,
    Message,
    bold,
    bullets,
    context,
    first_that_fits,
    fitted,
    header,
    markup,
    section,
    with_link,
)
from worker.slack.flag import ROOMY, brief, heading, whole
from worker.slack.phrases import (
    MAX_TITLE,
    counted,
    day,
    joined,
    line,
    mark,
    named,
    sentence,
    titled,
)
from worker.slack.wording import ended, headline, standing, words

MOST_WHOLE = 3
"""Flags of a card that are told whole; of those after them, a line each."""

MOST_DONE = 5


class _Room(NamedTuple):
    """Characters for each part of a flag that is told whole, and lines for those that are not."""

    part: int
    brief: int


_ROOMS = (_Room(ROOMY, 15), _Room(900, 15), _Room(600, 10), _Room(400, 5), _Room(250, 3))


class _Parts(NamedTuple):
    """What a card holds: flags that are live, the latest renewal check, flags that are resolved."""

    live: list[Told]
    checks: list[Told]
    done: list[Told]

    @property
    def first(self) -> Told:
        """What the headline is about if it is about one thing."""
        return (self.live or self.done or self.checks)[0]


def card(card: Card) -> Message:
    """The first message of a conversation: its flags as they stand now, worst first.

    There is at least one flag or renewal check.
    """
    told = [as_it_stands(each) for each in card.told]
    parts = _Parts(
        [each for each in told if each.state is not State.RESOLVED and not _is_check(each)],
        [each for each in told if _is_check(each)][-1:],
        [each for each in told if each.state is State.RESOLVED],
    )
    return Message(
        text=_text(parts), blocks=first_that_fits(list(_card(parts, room)) for room in _ROOMS)
    )


def _card(parts: _Parts, room: _Room) -> Iterator[Block]:
    yield header(_headline(parts))
    yield _account(parts)
    yield from _live(parts, room)
    yield from _checked(parts, room)
    yield from _done(parts, room)


def as_it_stands(told: Told) -> Told:
    """A flag with what it was last told for taken back where things have gone on since.

    One whose end was not told has ended all the same, and what it was raised for is past. One that
    somebody has answered is not still open, or not acknowledged.
    """
    ended = told.alert.reason is AlertReason.RESOLVED
    if told.state is None and ended:
        return replace(told, state=State.RESOLVED)
    if told.state is State.RESOLVED and not ended:
        past = {"why": (), "who": (), "advice": None, "playbook": None, "clears": None}
        return replace(told, alert=replace(told.alert, reason=AlertReason.RESOLVED, **past))
    if told.state in _ANSWERED and told.alert.reason in _ASKING:
        return replace(told, alert=replace(told.alert, reason=AlertReason.OPENED))
    return told


_ANSWERED = (State.ACKNOWLEDGED, *QUIET)
_ASKING = (
    AlertReason.REMINDER,
    AlertReason.ESCALATED,
    AlertReason.AWAKE,
    AlertReason.BACK,
    AlertReason.ASSIGNED,
)


def _is_check(told: Told) -> bool:
    return told.alert.reason is AlertReason.RENEWAL


def _headline(parts: _Parts) -> str:
    first = parts.first
    sign = mark(first.alert.severity, first.state, first.alert.kind)
    name = named(first.alert.account_name, first.alert.account)
    if len(parts.live) > 1:
        return f"{sign} {name}: {counted(len(parts.live), 'open flag')}"
    if not parts.live and len(parts.done) > 1:
        return f"{sign} {name}: all {len(parts.done)} flags resolved"
    return f"{sign} {headline(first.alert)}"


def _text(parts: _Parts) -> str:
    told = (parts.live or parts.done or parts.checks)[:MOST_WHOLE]
    if len(told) == 1:
        alert = told[0].alert
        said, sign = words(alert), mark(alert.severity, told[0].state, alert.kind)
        return with_link(f"{sign} {said.whole(standing(told[0]))}", said.playbook)
    all_of_them = [_headline(parts)]
    for each in told:
        advice = line(each.alert.advice or "")
        do = f"Do: {advice}" if advice else ""
        all_of_them += [titled(each.alert.title), standing(each) or "", do]
    return fitted(" ".join(sentence(part) for part in all_of_them if part), MAX_TEXT)


def _account(parts: _Parts) -> Block:
    """The account as of the latest alert, and the severity if there is one flag."""
    every = (*parts.live, *parts.checks, *parts.done)
    latest = words(max((each.alert for each in every), key=lambda alert: alert.on))
    severity = words(parts.live[0].alert).severity if len(parts.live) == 1 else None
    return context(latest.account, label=f"*{severity}* · " if severity else "")


def _live(parts: _Parts, room: _Room) -> Iterator[Block]:
    live = parts.live
    first = [each for each in live if each.state not in QUIET or len(live) == 1][:MOST_WHOLE]
    others = [each for each in live if each not in first]
    said_before: set[str] = set()
    for each in first:
        if len(live) > 1:
            yield DividerBlock()
            yield heading(each)
        yield from whole(each, room.part, said_before)
    if first and others:
        yield DividerBlock()
    yield from map(brief, others[: room.brief])
    if len(others) > room.brief:
        yield context(f"and {counted(len(others) - room.brief, 'more open flag')}")


def _checked(parts: _Parts, room: _Room) -> Iterator[Block]:
    """A renewal check: whole if it is all there is, else without the flags that the card shows."""
    shown = {each.alert.rule for each in (*parts.live, *parts.done)}
    for each in parts.checks:
        alert = each.alert
        if shown:
            yield DividerBlock()
            yield markup(f"📅 {bold(f'Renewal check: {titled(alert.title)}', 300)}")
            alert = replace(
                alert, open_flags=tuple(one for one in alert.open_flags if one.rule not in shown)
            )
        said = words(alert)
        if said.open_flags or not shown:
            flags = bullets(said.open_flags or ()) or "Nothing is open."
            yield section(flags, label="*Open*\n", limit=room.part)
        if said.why:
            yield section(bullets(said.why), label="*How it stands*\n", limit=room.part)


def _done(parts: _Parts, room: _Room) -> Iterator[Block]:
    """What is resolved, and what cleared it; whole if it is all there is."""
    done = parts.done
    if not parts.live and len(done) == 1:
        said = words(done[0].alert)
        if said.why:
            growth = done[0].alert.kind is Kind.GROWTH
            label = "*What has changed*\n" if growth else "*What cleared it*\n"
            yield section(bullets(said.why), label=label, limit=room.part)
        if said.who:
            yield section(bullets(said.who), label="*Who*\n", limit=room.part)
        yield context(said.footer)
        return
    if parts.live and done:
        yield DividerBlock()
    for each in done[:MOST_DONE]:
        alert = each.alert
        now = "Now" if alert.kind is Kind.GROWTH else "Cleared by"
        cleared = f"\n{now}: {'; '.join(words(alert).why)}" if alert.why else ""
        over = ended(alert.kind).capitalize()
        when = f"{over} {day(alert.on)}" if alert.why else over
        text = joined(when, titled(alert.title, MAX_TITLE)) + cleared
        sign = mark(alert.severity, State.RESOLVED, alert.kind)
        yield section(text, label=f"{sign} ", limit=250)
    if len(done) > MOST_DONE:
        yield context(f"and {counted(len(done) - MOST_DONE, 'more resolved flag')}")
