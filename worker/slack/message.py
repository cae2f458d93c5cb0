"""What tiewatch says in Slack: from an alert's structs to Block Kit, and nothing else.

A conversation begins with a card, which is edited as its flags move, and goes on in short replies.
Lists (digest, week, `/tiewatch mine`) and an account's card are in modules of their own.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec.structs import replace
from slack_sdk.models.blocks import Block, DividerBlock, InteractiveElement, SectionBlock

from worker.core.alerts import Alert, AlertReason
from worker.core.cards import Card, Told
from worker.core.flags import State
from worker.slack.account import account
from worker.slack.actions import Action
from worker.slack.blocks import (
    MAX_SECTION,
    MAX_TEXT,
    Message,
    bold,
    bullets,
    button,
    context,
    escaped,
    first_that_fits,
    fitted,
    header,
    markup,
    menu,
    row,
    section,
    size,
)
from worker.slack.lists import digest, mine, weekly
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
from worker.slack.wording import Words, happened, headline, standing, words

__all__ = ["Message", "account", "card", "digest", "hello", "mine", "note", "reply", "weekly"]

MOST_WHOLE = 3
"""Flags of a card that are told whole; of those after them, a line each."""

MOST_DONE = 5
MOST_REPLIES = 10


class _Room(NamedTuple):
    """Characters for each part of a flag that is told whole, and lines for those that are not."""

    part: int
    brief: int


_ROOMY = _Room(1_500, 15)
_ROOMS = (_ROOMY, _Room(900, 15), _Room(600, 10), _Room(400, 5), _Room(250, 3))

_QUIET = (State.SNOOZED, State.DISMISSED)


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

    What is resolved stays, in green, with what cleared it. There is at least one flag or check.
    """
    told = [_as_it_stands(each) for each in card.told]
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


def reply(told: Sequence[Told]) -> Message:
    """What happened since, in a line each: the answer in a conversation's thread."""
    moves = [
        f"{mark(each.alert.severity, each.state)} {happened(each)}"
        for each in map(_as_it_stands, told[:MOST_REPLIES])
    ]
    if len(told) > MOST_REPLIES:
        moves.append(f"and {len(told) - MOST_REPLIES} more")
    said = "\n".join(moves)
    return Message(text=fitted(said, MAX_TEXT), blocks=[section(said)])


def note(alert: Alert) -> Message:
    """A word to those who run tiewatch or edit its rules: there is nothing to press."""
    said = words(alert)
    parts = (bullets(said.why), bullets(said.who))
    return Message(
        text=_linked(said.whole(), said.playbook),
        blocks=[
            header(f"🛠️ {said.headline}"),
            context(said.account),
            *(section(part, limit=_ROOMY.part) for part in parts if part),
            *_to_do(said, MAX_SECTION),
        ],
    )


def hello() -> Message:
    """A first word in a channel, to see that it arrives."""
    said = "👋 tiewatch can post here. Alerts of accounts without an owner in Slack come here too."
    return Message(text=said, blocks=[section(said)])


def _as_it_stands(told: Told) -> Told:
    """A flag whose end was not told has ended all the same: what it was raised for is past."""
    ended = told.alert.reason is AlertReason.RESOLVED
    if told.state is None and ended:
        return replace(told, state=State.RESOLVED)
    if told.state is State.RESOLVED and not ended:
        past = {"why": (), "who": (), "advice": None, "playbook": None, "clears": None}
        return replace(told, alert=replace(told.alert, reason=AlertReason.RESOLVED, **past))
    return told


def _is_check(told: Told) -> bool:
    return told.alert.reason is AlertReason.RENEWAL


def _headline(parts: _Parts) -> str:
    first = parts.first
    sign = mark(first.alert.severity, first.state)
    name = named(first.alert.account_name, first.alert.account)
    if len(parts.live) > 1:
        return f"{sign} {name}: {counted(len(parts.live), 'open flag')}"
    if not parts.live and len(parts.done) > 1:
        return f"{sign} {name}: all {len(parts.done)} flags resolved"
    return f"{sign} {headline(first.alert)}"


def _text(parts: _Parts) -> str:
    told = (parts.live or parts.done or parts.checks)[:MOST_WHOLE]
    if len(told) == 1:
        said, sign = words(told[0].alert), mark(told[0].alert.severity, told[0].state)
        return _linked(f"{sign} {said.whole(standing(told[0]))}", said.playbook)
    # After the account, which all have in common.
    each_alone = [words(each.alert).brief.partition(": ")[2] for each in told]
    return fitted(" ".join(map(sentence, (_headline(parts), *each_alone))), MAX_TEXT)


def _linked(text: str, playbook: str | None) -> str:
    return fitted(text, MAX_TEXT) + (f" Playbook: {escaped(playbook)}" if playbook else "")


def _account(parts: _Parts) -> Block:
    """The account as of the latest alert, and the severity if there is one flag."""
    every = (*parts.live, *parts.checks, *parts.done)
    latest = words(max((each.alert for each in every), key=lambda alert: alert.on))
    severity = words(parts.live[0].alert).severity if len(parts.live) == 1 else None
    return context(latest.account, label=f"*{severity}* · " if severity else "")


def _live(parts: _Parts, room: _Room) -> Iterator[Block]:
    live = parts.live
    whole = [each for each in live if each.state not in _QUIET or len(live) == 1][:MOST_WHOLE]
    others = [each for each in live if each not in whole]
    said_before: set[str] = set()
    for each in whole:
        if len(live) > 1:
            yield DividerBlock()
            yield _titled(each)
        yield from _whole(each, room.part, said_before)
    if whole and others:
        yield DividerBlock()
    for each in others[: room.brief]:
        stands = standing(each)
        yield _titled(each, stands and line(stands, MAX_TITLE), menu_too=True)
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


def _titled(told: Told, under: str | None = None, *, menu_too: bool = False) -> SectionBlock:
    alert = told.alert
    severity = f" ({alert.severity})" if alert.severity else ""
    said = f"{mark(alert.severity, told.state)} {bold(titled(alert.title), 250)}{severity}"
    if under:
        said += f"\n{fitted(under, MAX_TITLE)}"
    beside = _rest(told) if menu_too and told.flag is not None else None
    return markup(said, menu(told.flag or 0, beside) if beside else None)


def _whole(told: Told, room: int, said_before: set[str]) -> Iterator[Block]:
    """Everything about a flag, but what its card has said of the people before."""
    said = words(told.alert)
    stands = standing(told)
    if stands:
        yield section(stands, label="👤 ", limit=200)
    if said.why:
        yield section(bullets(said.why), label="*Why*\n", limit=room)
    who = [each for each in said.who if each not in said_before]
    said_before.update(who)
    if who:
        yield section(bullets(who), label="*Who*\n", limit=room)
    yield from _to_do(said, room)
    if said.footer:
        yield context(said.footer, limit=300 if room < _ROOMY.part else 600)
    if told.flag is not None:
        yield row(list(_buttons(told, told.flag)))


def _to_do(said: Words, room: int) -> Iterator[Block]:
    """The advice, shortened if need be, and a link to the playbook: whole, or none at all."""
    most = MAX_SECTION if room >= _ROOMY.part else room
    link = f"<{escaped(said.playbook)}|Playbook>" if said.playbook else ""
    if size(link) > most - len("*Do*\n  "):
        link = ""
    label = "*Do*\n" if said.advice else ""
    if not said.advice and not link:
        return
    space = "  " if label and link else ""
    left = most - size(label + space + link)
    yield markup(f"{label}{fitted(said.advice or '', min(room, left))}{space}{link}")


_QUIET_ACTIONS = (Action.ACKNOWLEDGE, Action.WHY, Action.ASSIGN, Action.FIX_CONTACT)
_ALL_ACTIONS = (Action.ACKNOWLEDGE, Action.SNOOZE, Action.DISMISS, Action.ASSIGN, Action.WHY)


def _rest(told: Told) -> Sequence[Action]:
    """The menu of a flag that is told in a line."""
    if told.state in _QUIET:
        return _QUIET_ACTIONS
    held = told.state is State.ACKNOWLEDGED
    return [action for action in _ALL_ACTIONS if not (held and action is Action.ACKNOWLEDGE)]


def _buttons(told: Told, flag: int) -> Iterator[InteractiveElement]:
    quiet = told.state in _QUIET
    if told.state is not State.ACKNOWLEDGED:
        yield button(Action.ACKNOWLEDGE, flag, primary=not quiet)
    if not quiet:
        yield button(Action.SNOOZE, flag)
        yield button(Action.DISMISS, flag)
    yield button(Action.WHY, flag)
    yield menu(flag, (Action.ASSIGN, Action.FIX_CONTACT))


def _done(parts: _Parts, room: _Room) -> Iterator[Block]:
    """What is resolved, and what cleared it; whole if it is all there is."""
    done = parts.done
    if not parts.live and len(done) == 1:
        said = words(done[0].alert)
        if said.why:
            yield section(bullets(said.why), label="*What cleared it*\n", limit=room.part)
        if said.who:
            yield section(bullets(said.who), label="*Who*\n", limit=room.part)
        yield context(said.footer)
        return
    if parts.live and done:
        yield DividerBlock()
    for each in done[:MOST_DONE]:
        alert = each.alert
        cleared = f"\nCleared by: {'; '.join(words(alert).why)}" if alert.why else ""
        ended = f"Resolved {day(alert.on)}" if alert.why else "Resolved"
        text = joined(ended, titled(alert.title, MAX_TITLE)) + cleared
        yield section(text, label="✅ ", limit=250)
    if len(done) > MOST_DONE:
        yield context(f"and {counted(len(done) - MOST_DONE, 'more resolved flag')}")
