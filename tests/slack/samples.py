"""One of every kind of message and view, as a rep would get it: for snapshots, and for pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from slack_sdk.models.views import View

from tests.alerts import alert
from worker.core import rules
from worker.core.accounts import Account
from worker.core.alerts import AlertReason, OpenFlag
from worker.core.cards import (
    AccountCard,
    AccountLine,
    Card,
    Change,
    Choice,
    ContactChoice,
    Digest,
    DigestLine,
    Home,
    TieLine,
    Told,
    Weekly,
    Why,
)
from worker.core.conditions import Comparison
from worker.core.explanation import Group, Kind, Limit, Line
from worker.core.flags import State
from worker.core.rules import Severity
from worker.core.ties import Tier
from worker.core.titles import Level
from worker.slack import forms, message, views
from worker.slack.blocks import Message

TODAY = date(2026, 2, 18)

QUIET_EXECS = alert(
    owner_name="Sam Lee",
    title="Renews in 41 days, last exec contact: 22 days ago",
    why=(
        "time to renewal: 41 days (between 0 days and renewal window, 90 days for enterprise)",
        "last contact with an executive: 22 days ago (over 15 days)",
    ),
    who=(
        "Last executive contact: Dana Ruiz, CIO, 27 Jan 2026, 22 days ago, with Sam Lee; weak tie.",
        "No strong tie to any executive; nearest: Lee Park, VP Operations, moderate tie, "
        "34 days ago, with Ana Roy.",
        "No tie with Ines Vega, CFO.",
    ),
    advice="Ask Dana for a short check-in now, so that the renewal talk is not the first.",
    playbook="https://wiki.example.com/playbooks/quiet-executives",
)
SINGLE_THREADED = alert(
    owner_name="Sam Lee",
    rule="single-threaded",
    severity=Severity.MEDIUM,
    title="Strong exec ties: 0 of the 2 we need",
    why=("executives with a strong tie: 0 (fewer than execs required, 2 for enterprise)",),
    who=QUIET_EXECS.who,
    advice="Ask your contact to introduce you to another executive.",
    since=date(2026, 2, 16),
    clears="the number of executives with a strong tie is at least 2",
)
RESOLVED = alert(
    owner_name="Sam Lee",
    reason=AlertReason.RESOLVED,
    title="Renews in 38 days, last exec contact: today",
    on=date(2026, 2, 21),
    why=("last contact with an executive: today (at most 15 days)",),
    who=("Last executive contact: Dana Ruiz, CIO, 21 Feb 2026, today, with Sam Lee; weak tie.",),
    advice=None,
    clears=None,
)
RENEWAL = alert(
    owner_name="Sam Lee",
    reason=AlertReason.RENEWAL,
    title="Renews in 30 days",
    rule=None,
    severity=None,
    why=("adoption is 80%",),
    who=(),
    advice=None,
    since=None,
    clears=None,
    open_flags=(OpenFlag("single-threaded", Severity.MEDIUM, SINGLE_THREADED.title),),
)
GROWTH = alert(
    owner_name="Sam Lee",
    rule="ready-to-grow",
    severity=Severity.LOW,
    kind=rules.Kind.GROWTH,
    title="93% of the licences used every day; strong exec ties: 2",
    why=(
        "licence utilisation: 93% (over 90%)",
        "executives with a strong tie: 2 (at least 1)",
    ),
    who=("Last executive contact: Dana Ruiz, CIO, 16 Feb 2026, 2 days ago, with Sam Lee.",),
    advice="Ask your executive contact what more of the team could use.",
    since=TODAY,
    clears="licence utilisation is at most 90%",
)
GROWN = alert(
    owner_name="Sam Lee",
    reason=AlertReason.RESOLVED,
    rule="ready-to-grow",
    kind=rules.Kind.GROWTH,
    title="71% of the licences used every day; strong exec ties: 2",
    on=date(2026, 2, 21),
    why=("licence utilisation: 71% (at most 90%)",),
    who=(),
    advice=None,
    clears=None,
)
RULES = alert(
    reason=AlertReason.RULES,
    account="",
    account_name=None,
    title="Rule files have 1 problem; the last good version stays in force",
    why=("relationship.yaml:14:7: unknown fact 'days_since_exec_contct'",),
    who=(),
    advice="Mend the files: they are read again by themselves.",
    rule=None,
    severity=None,
    since=None,
    clears=None,
)

CHANCE = Told(alert=GROWTH, flag=14, state=State.OPEN)
OPEN = Told(alert=QUIET_EXECS, flag=12, state=State.OPEN)
OTHER = Told(alert=SINGLE_THREADED, flag=13, state=State.OPEN)


def line(
    account: str,
    title: str,
    severity: Severity,
    flag: int,
    mrr: float,
    renewal_date: date | None = None,
    **more: Any,
) -> DigestLine:
    return DigestLine(
        account=Account(
            id=account.lower(), name=account, mrr=mrr, currency="EUR", renewal_date=renewal_date
        ),
        title=title, severity=severity, flag=flag, **more,
    )  # fmt: skip


LINES = (
    line(
        "Acme", QUIET_EXECS.title, Severity.HIGH, 12, 20_000.0, renewal_date=date(2026, 3, 31)
    ),
    line("Acme", SINGLE_THREADED.title, Severity.MEDIUM, 13, 20_000.0),
    line(
        "Globex", "82% of the licences in use, and a tie with none of the users", Severity.LOW, 21,
        9_500.0, renewal_date=date(2026, 11, 2),
    ),
    line(
        "Initech", "Usage −35% in 30 days, last contact with a user: 44 days ago",
        Severity.CRITICAL, 30, 4_000.0, state=State.ACKNOWLEDGED,
    ),
)  # fmt: skip

TIES = (
    TieLine(
        contact="lee", contact_name="Lee Park", title="VP Operations", rep="ana",
        rep_name="Ana Roy", tier=Tier.MODERATE, last=date(2026, 1, 15),
    ),
    TieLine(
        contact="dana", contact_name="Dana Ruiz", title="CIO", rep="sam", rep_name="Sam Lee",
        tier=Tier.WEAK, last=date(2026, 1, 27),
    ),
    TieLine(contact="kim@acme.example", rep="sam", tier=Tier.NONE, last=date(2025, 3, 2)),
)  # fmt: skip

ACME = Account(
    id="acme", name="Acme", segment="enterprise", mrr=20_000.0, currency="EUR",
    renewal_date=date(2026, 3, 31), owner="sam", owner_name="Sam Lee",
)  # fmt: skip

ACCOUNT = AccountCard(
    on=TODAY, account=ACME, who=QUIET_EXECS.who, ties=TIES, flags=LINES[:2],
)  # fmt: skip

WHY = Why(
    account="acme", account_name="Acme", on=TODAY, rule="renewal-without-exec-contact",
    title=QUIET_EXECS.title,
    conditions=Group(
        Kind.ALL, True,
        (
            Line("days_to_renewal", 41, Comparison.BETWEEN, (Limit(0), Limit(90)), True,
                 QUIET_EXECS.why[0]),
            Line("days_since_exec_contact", 22, Comparison.OVER, (Limit(15),), True,
                 QUIET_EXECS.why[1]),
        ),
    ),
    except_when=Line(
        "lifecycle", "active", Comparison.IS, (Limit("trial"), Limit("churned")), False,
        "lifecycle: active (one of trial, churned)",
    ),
    standing="open since 12 Feb 2026", who=QUIET_EXECS.who, clears=QUIET_EXECS.clears,
    ahead="if nothing happens, from 1 Apr 2026 the rule does not hold",
)  # fmt: skip

HOME = Home(
    on=TODAY, since=date(2026, 2, 11), rep_name="Sam Lee", flags=LINES,
    accounts=(
        AccountLine(
            account=ACME, worst=Severity.HIGH, open=2,
        ),
        AccountLine(account=Account(id="hooli", name="Hooli", segment="smb")),
    ),
    changes=(
        Change(on=TODAY, account="acme", account_name="Acme", title=SINGLE_THREADED.title,
               state=State.OPEN, severity=Severity.MEDIUM),
        Change(on=date(2026, 2, 13), account="hooli", account_name="Hooli",
               title="Last contact: 3 days ago", state=State.RESOLVED, severity=Severity.LOW),
    ),
)  # fmt: skip


def told(state: State, **more: Any) -> Card:
    """The card of one flag in this state."""
    return Card(told=(Told(alert=QUIET_EXECS, flag=12, state=state, **more),))


def messages() -> Mapping[str, Message]:
    """One message of every kind."""
    return {
        "card": message.card(Card(told=(OPEN,))),
        "card of two flags": message.card(Card(told=(OPEN, OTHER))),
        "card acknowledged": message.card(told(State.ACKNOWLEDGED, by="Sam Lee")),
        "card snoozed": message.card(
            told(State.SNOOZED, by="Sam Lee", until=date(2026, 2, 25))
        ),
        "card dismissed": message.card(
            told(State.DISMISSED, by="Sam Lee", note="known_and_handled", until=date(2026, 5, 19))
        ),
        "card assigned": message.card(told(State.OPEN, by="Sam Lee", assignee="Ana Roy")),
        "card partly resolved": message.card(
            Card(told=(OTHER, Told(alert=RESOLVED, flag=12, state=State.RESOLVED)))
        ),
        "card resolved": message.card(
            Card(told=(Told(alert=RESOLVED, flag=12, state=State.RESOLVED),))
        ),
        "card of growth": message.card(Card(told=(CHANCE,))),
        "card of growth, passed": message.card(
            Card(told=(Told(alert=GROWN, flag=14, state=State.RESOLVED),))
        ),
        "card of a risk and growth": message.card(Card(told=(OPEN, CHANCE))),
        "renewal check": message.card(Card(told=(Told(alert=RENEWAL),))),
        "reply": message.reply(
            (
                OTHER,
                Told(alert=alert(reason=AlertReason.WORSE, severity=Severity.CRITICAL), flag=12),
                Told(alert=RESOLVED, flag=12, state=State.RESOLVED),
            )
        ),
        "digest": message.digest(
            Digest(on=TODAY, why="low severity, once a day", lines=LINES)
        ),
        "weekly": message.weekly(
            Weekly(
                first=date(2026, 2, 11), last=date(2026, 2, 17), new=5, resolved=3, chances=1,
                unacknowledged=LINES[:2], at_risk={"EUR": 24_000.0, "USD": 3_000.0},
                unowned=("hooli", "umbrella"),
            )
        ),
        "note": message.note(RULES),
        "account": message.account(ACCOUNT),
        "mine": message.mine(LINES, TODAY),
        "mine, nothing": message.mine((), TODAY),
    }  # fmt: skip


@dataclass(frozen=True)
class People:
    reps = (
        Choice(id="ana", name="Ana Roy", more="ana@example.com"),
        Choice(id="sam", name="Sam Lee"),
    )
    contacts = (
        ContactChoice(id="dana", name="Dana Ruiz", title="CIO", level=Level.C_LEVEL),
        ContactChoice(id="kim@acme.example"),
    )


def windows() -> Mapping[str, View]:
    """One view of every kind."""
    return {
        "snooze": forms.snooze(OPEN, "{}", TODAY),
        "not a risk": forms.dismiss(OPEN, "{}"),
        "no opportunity": forms.dismiss(CHANCE, "{}"),
        "assign": forms.assign(OPEN, "{}", People.reps),
        "fix contact": forms.fix_contact(OPEN, "{}", People.contacts),
        "why": views.why(WHY),
        "account window": views.account(ACCOUNT),
        "said": views.said("Not yours", "Only the owner and their manager can snooze this flag."),
        "home": views.home(HOME),
    }
