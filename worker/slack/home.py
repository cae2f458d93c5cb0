"""A rep's App Home: what is open, which accounts are at risk, and what changed this week."""

from collections.abc import Iterator, Sequence

from slack_sdk.models.blocks import Block, DividerBlock, SectionBlock

from worker.core.cards import AccountLine, Change, Home
from worker.core.flags import State
from worker.slack.actions import Action
from worker.slack.blocks import bold, button, context, fitted, header, markup, section
from worker.slack.lists import listed
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

MOST_FLAGS = 15
MOST_ACCOUNTS = 30
MOST_CHANGES = 15

_CHANGES = {
    State.OPEN: "opened",
    State.ACKNOWLEDGED: "acknowledged",
    State.SNOOZED: "snoozed",
    State.DISMISSED: "dismissed",
    State.RESOLVED: "resolved",
}


def home_blocks(home: Home) -> Iterator[Block]:
    """The tab from the top: what to do first comes first."""
    yield header(f"Open flags: {len(home.flags):,}" if home.flags else "Nothing is open")
    owner = line(home.rep_name or "", MAX_NAME)
    yield context(joined(f"Accounts of {owner}" if owner else "Your accounts", day(home.on)))
    yield from listed(home.flags, home.on, MOST_FLAGS)
    yield DividerBlock()
    yield header("My accounts, by risk")
    if not home.accounts:
        yield section("No account has you as its owner. Whoever sends account events can say so.")
    for each in home.accounts[:MOST_ACCOUNTS]:
        yield _account(each, home)
    if len(home.accounts) > MOST_ACCOUNTS:
        yield context(f"and {counted(len(home.accounts) - MOST_ACCOUNTS, 'more account')}")
    yield DividerBlock()
    yield header(f"What changed since {day(home.since)}")
    yield section(_changes(home.changes), limit=2_900)


def _account(of: AccountLine, home: Home) -> SectionBlock:
    account = of.account
    sign = mark(of.worst) if of.worst else "🟢"
    what = joined(
        counted(of.open, "open flag") if of.open else "all is well",
        line(account.segment or "", MAX_NAME),
        revenue(account.mrr, account.currency),
        renewal(account.renewal_date, home.on),
    )
    name = bold(named(account.name, account.id), 200)
    return markup(f"{sign} {name}\n{fitted(what, 400)}", button(Action.ACCOUNT, account.id))


def _changes(changes: Sequence[Change]) -> str:
    if not changes:
        return "Nothing."
    told = [
        f"{mark(each.severity, each.state, each.kind)} {day(each.on)}, "
        f"{named(each.account_name, each.account)}, {_CHANGES.get(each.state, each.state)}: "
        f"{titled(each.title, MAX_TITLE)}"
        for each in changes[:MOST_CHANGES]
    ]
    if len(changes) > MOST_CHANGES:
        told.append(f"and {len(changes) - MOST_CHANGES} more")
    return "\n".join(told)
