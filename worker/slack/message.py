"""What tiewatch says in Slack: from an alert's structs to Block Kit, and nothing else.

A conversation begins with a card, which is edited as its flags move, and goes on in short replies.
Lists (digest, week, `/tiewatch mine`) and an account's card are in modules of their own.
"""

from collections.abc import Iterator, Sequence

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

MOST_BRIEF = 15
MOST_DONE = 5
MOST_REPLIES = 10

# Characters of each part of a flag, by how many are told whole: all together stay in MAX_ALL.
_ROOM = {1: 1_500, 2: 900, 3: 600}

_QUIET = (State.SNOOZED, State.DISMISSED)


def card(card: Card) -> Message:
    """The first message of a conversation: its flags as they stand now, worst first.

    What is resolved stays, in green, with what cleared it. There is at least one flag.
    """
    told = [_with_state(each) for each in card.told]
    done = [each for each in told if each.state is State.RESOLVED]
    live = [each for each in told if each.state is not State.RESOLVED]
    return Message(
        text=_text(live, done),
        blocks=[
            header(_headline(live, done)),
            *_account(live or done),
            *_live(live),
            *_done(live, done),
        ],
    )


def reply(told: Sequence[Told]) -> Message:
    """What happened since, in a line each: the answer in a conversation's thread."""
    moves = [
        f"{mark(each.alert.severity, each.state)} {happened(each)}"
        for each in map(_with_state, told[:MOST_REPLIES])
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
            *(section(part, limit=_ROOM[1]) for part in parts if part),
            *_to_do(said, _ROOM[1]),
        ],
    )


def hello() -> Message:
    """A first word in a channel, to see that it arrives."""
    said = "👋 tiewatch can post here. Alerts of accounts without an owner in Slack come here too."
    return Message(text=said, blocks=[section(said)])


def _with_state(told: Told) -> Told:
    """The state of a flag is that of its alert where it is not known otherwise."""
    if told.state is None and told.alert.reason is AlertReason.RESOLVED:
        return Told(alert=told.alert, flag=told.flag, state=State.RESOLVED)
    return told


def _headline(live: Sequence[Told], done: Sequence[Told]) -> str:
    first = (live or done)[0]
    sign = mark(first.alert.severity, first.state)
    name = named(first.alert.account_name, first.alert.account)
    if len(live) > 1:
        return f"{sign} {name}: {counted(len(live), 'open flag')}"
    if not live and len(done) > 1:
        return f"{sign} {name}: all {len(done)} flags resolved"
    return f"{sign} {headline(first.alert)}"


def _text(live: Sequence[Told], done: Sequence[Told]) -> str:
    told = (live or done)[:MOST_WHOLE]
    if len(told) == 1:
        said, sign = words(told[0].alert), mark(told[0].alert.severity, told[0].state)
        return _linked(f"{sign} {said.whole(standing(told[0]))}", said.playbook)
    # After the account, which all have in common.
    parts = [words(each.alert).brief.partition(": ")[2] for each in told]
    return fitted(" ".join(map(sentence, (_headline(live, done), *parts))), MAX_TEXT)


def _linked(text: str, playbook: str | None) -> str:
    return fitted(text, MAX_TEXT) + (f" Playbook: {escaped(playbook)}" if playbook else "")


def _account(told: Sequence[Told]) -> Iterator[Block]:
    """The account as of the latest alert, and the severity if there is one flag."""
    latest = words(max((each.alert for each in told), key=lambda alert: alert.on))
    severity = latest.severity if len(told) == 1 else None
    yield context(latest.account, label=f"*{severity}* · " if severity else "")


def _live(live: Sequence[Told]) -> Iterator[Block]:
    whole = [each for each in live if each.state not in _QUIET or len(live) == 1][:MOST_WHOLE]
    others = [each for each in live if each not in whole]
    said_before: set[str] = set()
    for each in whole:
        if len(live) > 1:
            yield DividerBlock()
            yield _titled(each)
        yield from _whole(each, _ROOM[len(whole)], said_before)
    if whole and others:
        yield DividerBlock()
    for each in others[:MOST_BRIEF]:
        stands = standing(each)
        yield _titled(each, stands and line(stands, MAX_TITLE), menu_too=True)
    if len(others) > MOST_BRIEF:
        yield context(f"and {counted(len(others) - MOST_BRIEF, 'more open flag')}")


def _titled(told: Told, under: str | None = None, *, menu_too: bool = False) -> SectionBlock:
    alert = told.alert
    severity = f" ({alert.severity})" if alert.severity else ""
    said = f"{mark(alert.severity, told.state)} {bold(titled(alert.title), 400)}{severity}"
    if under:
        said += f"\n{fitted(under, MAX_TITLE)}"
    beside = _rest(told) if menu_too and told.flag is not None else None
    return markup(said, menu(told.flag or 0, beside) if beside else None)


def _whole(told: Told, room: int, said_before: set[str]) -> Iterator[Block]:
    """Everything about a flag, but what its card has said of the people before."""
    said = words(told.alert)
    stands = standing(told)
    if stands:
        yield section(stands, label="👤 ", limit=room)
    if said.open_flags is not None:
        flags = bullets(said.open_flags) or "Nothing is open."
        yield section(flags, label="*Open*\n", limit=room)
    if said.why:
        yield section(bullets(said.why), label="*Why*\n", limit=room)
    who = [each for each in said.who if each not in said_before]
    said_before.update(who)
    if who:
        yield section(bullets(who), label="*Who*\n", limit=room)
    yield from _to_do(said, room)
    if said.footer:
        yield context(said.footer, limit=room)
    if told.flag is not None:
        yield row(list(_buttons(told, told.flag)))


def _to_do(said: Words, room: int) -> Iterator[Block]:
    """The advice, shortened if need be, and a link to the playbook, which is never cut."""
    link = f"<{escaped(said.playbook)}|Playbook>" if said.playbook else ""
    label = "*Do*\n" if said.advice else ""
    if not said.advice and not link:
        return
    space = "  " if label and link else ""
    left = MAX_SECTION - size(label + space + link)
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


def _done(live: Sequence[Told], done: Sequence[Told]) -> Iterator[Block]:
    """What is resolved, and what cleared it; whole if it is all there is."""
    if not live and len(done) == 1:
        said = words(done[0].alert)
        if said.why:
            yield section(bullets(said.why), label="*What cleared it*\n", limit=_ROOM[1])
        if said.who:
            yield section(bullets(said.who), label="*Who*\n", limit=_ROOM[1])
        if said.footer:
            yield context(said.footer)
        return
    if live and done:
        yield DividerBlock()
    for each in done[:MOST_DONE]:
        alert = each.alert
        cleared = f"\nCleared by: {'; '.join(words(alert).why)}" if alert.why else ""
        text = joined(f"Resolved {day(alert.on)}", titled(alert.title, MAX_TITLE)) + cleared
        yield section(text, label="✅ ", limit=500)
    if len(done) > MOST_DONE:
        yield context(f"and {counted(len(done) - MOST_DONE, 'more resolved flag')}")
