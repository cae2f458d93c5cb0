"""One flag in a message: all that is to be said of it, what can be done, and its line in a list."""

from collections.abc import Iterator, Sequence

from slack_sdk.models.blocks import Block, InteractiveElement, SectionBlock

from worker.core.cards import Told
from worker.core.flags import QUIET, State
from worker.slack.actions import Action
from worker.slack.blocks import (
    MAX_SECTION,
    bold,
    bullets,
    button,
    context,
    escaped,
    fitted,
    markup,
    menu,
    row,
    section,
    size,
)
from worker.slack.phrases import MAX_TITLE, line, mark, titled
from worker.slack.wording import Words, graded, standing, words

ROOMY = 1_500
"""Characters for each part of a flag where it has a message to itself."""


def whole(told: Told, room: int, said_before: set[str]) -> Iterator[Block]:
    """Everything about a flag, in `room` characters for each part, and its buttons.

    What its card has `said_before` of people is not said again, and is added to.
    """
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
    yield from to_do(said, room)
    if said.footer:
        yield context(said.footer, limit=300 if room < ROOMY else 600)
    if told.flag is not None:
        yield row(list(_buttons(told, told.flag)))


def heading(told: Told) -> SectionBlock:
    """Which flag it is that follows."""
    return markup(_title(told))


def brief(told: Told) -> SectionBlock:
    """A flag in a line, with what somebody has done about it and a menu."""
    stands = standing(told)
    under = f"\n{fitted(line(stands, MAX_TITLE), MAX_TITLE)}" if stands else ""
    return markup(
        _title(told) + under,
        None if told.flag is None else menu(told.flag, _rest(told), told.alert.kind),
    )


def _title(told: Told) -> str:
    alert = told.alert
    severity = f" ({graded(alert.severity, alert.kind)})" if alert.severity else ""
    sign = mark(alert.severity, told.state, alert.kind)
    return f"{sign} {bold(titled(alert.title), 250)}{severity}"


def to_do(said: Words, room: int) -> Iterator[Block]:
    """The advice, shortened if need be, and a link to the playbook: whole, or none at all."""
    most = MAX_SECTION if room >= ROOMY else room
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
    if told.state in QUIET:
        return _QUIET_ACTIONS
    held = told.state is State.ACKNOWLEDGED
    return [action for action in _ALL_ACTIONS if not (held and action is Action.ACKNOWLEDGE)]


def _buttons(told: Told, flag: int) -> Iterator[InteractiveElement]:
    quiet = told.state in QUIET
    if told.state is not State.ACKNOWLEDGED:
        yield button(Action.ACKNOWLEDGE, flag, primary=not quiet)
    if not quiet:
        yield button(Action.SNOOZE, flag)
        yield button(Action.DISMISS, flag, kind=told.alert.kind)
    yield button(Action.WHY, flag)
    yield menu(flag, (Action.ASSIGN, Action.FIX_CONTACT))
