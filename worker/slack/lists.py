"""Many flags in one message: a digest, a manager's week, what is mine."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from slack_sdk.models.blocks import Block, SectionBlock

from worker.core.cards import Digest, DigestLine, Weekly
from worker.core.flags import State
from worker.core.units import Unit, shown
from worker.slack.actions import Action
from worker.slack.blocks import (
    MAX_TEXT,
    Message,
    bold,
    context,
    first_that_fits,
    fitted,
    header,
    markup,
    menu,
    section,
)
from worker.slack.phrases import (
    MAX_NAME,
    MAX_TITLE,
    counted,
    day,
    joined,
    line,
    mark,
    named,
    renewal,
    revenue,
    titled,
)

MOST_LINES = (20, 10, 5, 3)
"""Lines of a list: more nobody reads on a phone; fewer where names are so long that Slack has no
room for more."""

MOST_NAMED = 20

_ACTIONS = (Action.ACKNOWLEDGE, Action.SNOOZE, Action.DISMISS, Action.ASSIGN, Action.WHY)

_ANSWERED = (State.ACKNOWLEDGED, State.SNOOZED, State.DISMISSED)


def digest(digest: Digest) -> Message:
    """Many flags in one message, in the order given."""
    accounts = len({line.account.id for line in digest.lines})
    title = f"{counted(len(digest.lines), 'flag')} on {counted(accounts, 'account')}"
    return Message(
        text=_text(title, digest.lines),
        blocks=first_that_fits(
            [
                header(f"📋 {title}"),
                context(joined(day(digest.on), line(digest.why))),
                *listed(digest.lines, digest.on, most),
            ]
            for most in MOST_LINES
        ),
    )


def weekly(weekly: Weekly) -> Message:
    """A manager's week: the figures, what nobody has taken up, and who has no owner."""
    title = f"Week of {day(weekly.first)} to {day(weekly.last)}"
    waiting, told_on = len(weekly.unacknowledged), weekly.last + timedelta(days=1)
    risk = ", ".join(
        revenue(amount, currency) or "" for currency, amount in sorted(weekly.at_risk.items())[:5]
    )
    figures = joined(
        f"{shown(weekly.new, Unit.COUNT)} new",
        f"{shown(weekly.resolved, Unit.COUNT)} resolved",
        f"{shown(waiting, Unit.COUNT)} not acknowledged",
        f"{counted(weekly.chances, 'new chance')} to grow" if weekly.chances else None,
    )
    at_risk = f"At risk: {risk or 'nothing'}"
    of_what = " (accounts with an open high or critical risk)" if risk else ""
    top: list[Block] = [
        header(f"📊 {title}"),
        section(f"{figures}\n{at_risk}{of_what}", limit=1_000),
    ]
    bottom: list[Block] = []
    if weekly.unacknowledged:
        top.append(markup("*Nobody has acknowledged these*"))
    if weekly.unowned:
        names = [line(name, MAX_NAME) for name in weekly.unowned[:MOST_NAMED]]
        more = len(weekly.unowned) - MOST_NAMED
        said = ", ".join(names) + (f" and {more:,} more" if more > 0 else "")
        bottom.append(section(said, label="*Accounts that nobody owns*\n", limit=1_000))
    return Message(
        text=fitted(f"{title}: {figures}. {at_risk}.", MAX_TEXT),
        blocks=first_that_fits(
            [*top, *listed(weekly.unacknowledged, told_on, most), *bottom] for most in MOST_LINES
        ),
    )


def mine(lines: Sequence[DigestLine], today: date) -> Message:
    """One's open flags, as `/tiewatch mine` answers."""
    title = f"{counted(len(lines), 'open flag')} of yours" if lines else "Nothing of yours is open"
    return Message(
        text=_text(title, lines),
        blocks=first_that_fits([header(title), *listed(lines, today, most)] for most in MOST_LINES),
    )


def listed(
    lines: Sequence[DigestLine], on: date, most: int, known: str | None = None
) -> Iterator[Block]:
    """The flags in the order given, each with a menu; an account is named once for all of its own.

    Of more than `most`, how many more there are. `known` is an account that has been named.
    """
    for each in lines[:most]:
        yield _line(each, on, named_before=each.account.id == known)
        known = each.account.id
    if len(lines) > most:
        yield context(f"and {len(lines) - most:,} more: /tiewatch mine lists yours")


def _line(of: DigestLine, on: date, *, named_before: bool) -> SectionBlock:
    said = f"{mark(of.severity, of.state, of.kind)} {fitted(titled(of.title, MAX_TITLE), 300)}"
    if not named_before:
        account = of.account
        worth = joined(revenue(account.mrr, account.currency), renewal(account.renewal_date, on))
        name = bold(named(account.name, account.id), 200)
        said = f"{joined(name, fitted(worth, 300))}\n{said}"
    if of.state in _ANSWERED:
        said += f" ({of.state})"
    if of.flag is None or of.state is State.RESOLVED:
        return markup(said)
    return markup(said, menu(of.flag, _for(of), of.kind))


def _for(of: DigestLine) -> Sequence[Action]:
    held = of.state is State.ACKNOWLEDGED
    return [action for action in _ACTIONS if not (held and action is Action.ACKNOWLEDGE)]


def _text(title: str, lines: Sequence[DigestLine]) -> str:
    told = "; ".join(
        f"{named(each.account.name, each.account.id)}: {titled(each.title, MAX_TITLE)}"
        for each in lines
    )
    return fitted(f"{title}. {told}" if told else f"{title}.", MAX_TEXT)
