"""What Slack would show of an account or a rule, without sending it: for admins, and for pictures.

Of a rule with no open flag, the story of one of its tests is told instead.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from worker.core.alerts import AlertReason
from worker.core.cards import Card, Told, Why
from worker.core.explanation import explained
from worker.core.flags import HEARD_OF, Flag
from worker.core.rules import Rule
from worker.core.stats import AccountStats
from worker.core.urgency import Order, worst_first
from worker.evaluating.alerting import alert_of, words
from worker.evaluating.scene import Scene
from worker.evaluating.standings import Standing
from worker.explaining import words as outlook
from worker.rulebooks import ruletests
from worker.rulebooks.rulebook import Rulebook
from worker.rulebooks.ruletests import Day
from worker.rulefiles.timelines import Timeline
from worker.slack import forms, message, phrases, views
from worker.slack.actions import Action
from worker.slack.blocks import caption
from worker.slack.page import Shown
from worker.slack_actions import reading
from worker.store import desks
from worker.store.database import reading as reads
from worker.store.flag_moves import Move


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be shown, and a line about where it comes from."""

    about: str
    shown: list[Shown]


CARD = "The message. It is edited as the flags move, and turns green once they are resolved."
WHY = "The window behind 'Why?'"
SNOOZE = "The window behind 'Snooze'"
DISMISS = "The window behind '{button}'"
COMMAND = "The answer to /tiewatch {account}"


def of_account(engine: Engine, account: str, book: Rulebook, now: datetime) -> Preview:
    """An account's message, if anything of it is open, and its card.

    Raises:
        Refused: there is no such account.
    """
    card = reading.account_card(engine, account, book, now)
    account = card.account.id
    told = _told(engine, account, book, now)
    shown = [Shown(CARD, message.card(Card(told=tuple(told))))] if told else []
    shown.append(Shown(COMMAND.format(account=account), message.account(card)))
    return Preview(f"The account {account}, as of {card.on}.", shown)


def of_rule(
    engine: Engine, rule: Rule, book: Rulebook, tests: Sequence[Timeline], now: datetime
) -> Preview | None:
    """A rule's message and windows: of an open flag, else of a test's story, if there is either."""
    with reads(engine) as db:
        live = desks.of_rule(db, rule.id)
    if not live:
        return of_story(rule, book, tests)
    flag = live[0].id
    told = reading.told(engine, flag, book, now)
    why = reading.why(engine, flag, book, now)
    about = f"The rule {rule.id} on the account {told.alert.account}, as of {why.on}."
    return Preview(about, _shown(told, why))


def of_story(rule: Rule, book: Rulebook, tests: Iterable[Timeline]) -> Preview | None:
    """A rule's message and windows as of the day on which its flag opens in a test, if one does: in
    one that expects it, rather than in one in which it comes up as well."""
    for test in sorted(tests, key=lambda test: not test.expects(rule.id)):
        for day in ruletests.days_of(test, book):
            flag = day.live.get(rule.id)
            if flag is not None and flag.state in HEARD_OF and day.stats is not None:
                about = f"The rule {rule.id} on the story of its test '{test.name}', on {day.on}."
                return Preview(about, _of_day(rule, flag, day, day.stats, book))
    return None


def _of_day(rule: Rule, flag: Flag, day: Day, stats: AccountStats, book: Rulebook) -> list[Shown]:
    thresholds = book.rules.thresholds
    title, reasons = words(rule, day.facts, thresholds)
    move = Move(stats.account, rule.id, None, flag, title, reasons)
    opened = AlertReason.OPENED
    scene = Scene(Standing(stats, day.facts), day.workspace, book, day.on, _NO_NAMES)
    alert = alert_of(opened, _NO_FLAG, move, flag, scene)
    unless = rule.except_when
    why = Why(
        account=stats.account,
        on=day.on,
        rule=rule.id,
        title=title,
        kind=rule.kind,
        conditions=explained(rule.when, day.facts, thresholds),
        account_name=alert.account_name,
        except_when=explained(unless, day.facts, thresholds) if unless else None,
        standing=outlook.standing(flag, phrases.day),
        who=alert.who,
        clears=alert.clears,
    )
    return _shown(Told(alert=alert, flag=_NO_FLAG, state=flag.state), why)


_NO_FLAG = 0
"""The id of a flag in a story: its buttons would do nothing."""

_NO_NAMES: Mapping[str, str] = {}
"""Reps in stories have ids alone."""


def _told(engine: Engine, account: str, book: Rulebook, now: datetime) -> list[Told]:
    with reads(engine) as db:
        found = desks.of_accounts(db, [account])
    told = [reading.told(engine, each.id, book, now) for each in found]
    return sorted(told, key=_urgency)


def _urgency(told: Told) -> Order:
    alert = told.alert
    return worst_first(alert.kind, alert.severity, alert.mrr, alert.renewal_date)


def _shown(told: Told, why: Why) -> list[Shown]:
    return [
        Shown(CARD, message.card(Card(told=(told,)))),
        Shown(WHY, views.why(why)),
        Shown(SNOOZE, forms.snooze(told, "", why.on)),
        Shown(
            DISMISS.format(button=caption(Action.DISMISS, told.alert.kind)),
            forms.dismiss(told, ""),
        ),
    ]
