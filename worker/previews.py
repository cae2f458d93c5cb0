"""What Slack would show of an account or a rule, without sending it: for admins, and for pictures.

Of a rule with no open flag, the story of one of its tests is told instead.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import Engine

from worker import ruletests
from worker.core.alerts import AlertReason
from worker.core.cards import Card, Told, Why
from worker.core.explanation import explained
from worker.core.flags import HEARD_OF
from worker.core.reasons import clears
from worker.core.rules import Rule
from worker.evaluation import Rulebook, Standing, alert_of, words
from worker.rulefiles.timelines import Timeline
from worker.slack import message, views
from worker.slack.page import Shown
from worker.slack_actions import reading
from worker.store import desks
from worker.store.database import reading as reads
from worker.store.flags import Move

CARD = "The message. It is edited as the flags move, and turns green once they are resolved."
WHY = "The window behind 'Why?'"
SNOOZE = "The window behind 'Snooze'"
DISMISS = "The window behind 'Not a risk'"
COMMAND = "The answer to /tiewatch {account}"


def of_account(engine: Engine, account: str, book: Rulebook, now: datetime) -> list[Shown]:
    """An account's message, if anything of it is open, and its card.

    Raises:
        Refused: there is no such account.
    """
    card = reading.account_card(engine, account, book, now)
    told = _told(engine, card.account, book, now)
    about = Shown(COMMAND.format(account=card.account), message.account(card))
    if not told:
        return [about]
    return [Shown(CARD, message.card(Card(told=tuple(told)))), about]


def of_rule(
    engine: Engine, rule: Rule, book: Rulebook, tests: Sequence[Timeline], now: datetime
) -> list[Shown]:
    """A rule's message and windows: of an open flag, else of a test's story; [] without either."""
    with reads(engine) as db:
        live = desks.of_rule(db, rule.id)
    if not live:
        return of_story(rule, book, tests)
    flag = live[0].id
    told = reading.told(engine, flag, book, now)
    return _shown(told, reading.why(engine, flag, book, now), now.date())


def of_story(rule: Rule, book: Rulebook, tests: Iterable[Timeline]) -> list[Shown]:
    """A rule's message and windows as of the day on which its flag opens in a test; [] if none."""
    for test in tests:
        for day in ruletests.days_of(test, book.rules, book.ties):
            flag = day.live.get(rule.id)
            if flag is None or flag.state not in HEARD_OF or day.stats is None:
                continue
            thresholds = book.rules.thresholds
            title, reasons = words(rule, day.facts, thresholds)
            alert = alert_of(
                AlertReason.OPENED,
                0,
                Move(test.account, rule.id, None, flag, title, reasons),
                flag,
                rule,
                Standing(day.stats, day.facts),
                day.workspace,
                book,
                {},
                day.on,
            )
            why = Why(
                account=test.account,
                on=day.on,
                rule=rule.id,
                title=title,
                conditions=explained(rule.when, day.facts, thresholds),
                account_name=alert.account_name,
                except_when=explained(rule.except_when, day.facts, thresholds)
                if rule.except_when
                else None,
                standing=f"open since {flag.opened_on}",
                who=alert.who,
                clears=clears(rule.when, day.facts, thresholds),
            )
            return _shown(Told(alert=alert, flag=0, state=flag.state), why, day.on)
    return []


def _told(engine: Engine, account: str, book: Rulebook, now: datetime) -> list[Told]:
    with reads(engine) as db:
        found = desks.of_accounts(db, [account])
    worst_first = sorted(found, key=lambda each: (-each.severity.rank, each.id))
    return [reading.told(engine, each.id, book, now) for each in worst_first]


def _shown(told: Told, why: Why, today: date) -> list[Shown]:
    return [
        Shown(CARD, message.card(Card(told=(told,)))),
        Shown(WHY, views.why(why)),
        Shown(SNOOZE, views.snooze(told, "", today)),
        Shown(DISMISS, views.dismiss(told, "")),
    ]
