"""Conversations: what one recipient is told of one account, as a card and the replies below it.

A conversation is live while a flag of it is, and for seven days more: what comes up meanwhile is
told in it. Then a new one begins.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from msgspec.structs import replace

from worker.core.alerts import REOPEN_WINDOW, Alert, AlertReason
from worker.core.cards import Card, Told
from worker.core.flags import State
from worker.core.urgency import Order, worst_first


class Standing(NamedTuple):
    """A flag as it is now, and what people last made of it: as in `Told`."""

    flag: int
    state: State
    resolved_on: date | None = None
    by: str | None = None
    note: str | None = None
    until: date | None = None
    assignee: str | None = None


_OVER = (State.RESOLVED, State.DISMISSED)


def goes_on(ended_on: date | None, on: date) -> bool:
    """Whether a conversation whose last flag ended then, if it has, goes on with news of `on`."""
    return ended_on is None or on - ended_on <= REOPEN_WINDOW


def latest(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """Of alerts in order, the last one of each rule, and the last renewal check; worst first, and
    risks before growth.

    A rule's flag that has ended stays, behind those that have not.
    """
    last: dict[str | None, Alert] = {}
    for alert in alerts:
        last.pop(alert.rule, None)
        last[alert.rule] = alert
    return tuple(sorted(last.values(), key=_urgency))


def _urgency(alert: Alert) -> tuple[bool, Order]:
    order = worst_first(alert.kind, alert.severity, alert.mrr, alert.renewal_date)
    return alert.reason is AlertReason.RESOLVED, order


def told(alerts: Iterable[Alert], standings: Mapping[str, Standing]) -> tuple[Told, ...]:
    """Alerts with what has become of their flags; `standings` are by rule."""
    return tuple(
        _told(_without_what_is_over(alert, standings), standings.get(alert.rule or ""))
        for alert in alerts
    )


def _without_what_is_over(alert: Alert, standings: Mapping[str, Standing]) -> Alert:
    """A renewal check with the flags that are up still: it may have waited for a morning."""
    up = tuple(
        each
        for each in alert.open_flags
        if each.rule not in standings or standings[each.rule].state not in _OVER
    )
    return alert if up == alert.open_flags else replace(alert, open_flags=up)


def _told(alert: Alert, now: Standing | None) -> Told:
    if alert.rule is None or now is None:
        return Told(alert=alert)
    ended = alert.reason is AlertReason.RESOLVED
    state = State.RESOLVED if ended else now.state
    if state is State.RESOLVED and not ended:
        alert = replace(alert, why=())  # it ended unsaid: what it was raised for has not cleared it
    return Told(
        alert=alert,
        flag=now.flag,
        state=state,
        by=now.by,
        note=now.note,
        until=now.until if state in (State.SNOOZED, State.DISMISSED) else None,
        assignee=now.assignee,
    )


def card(alerts: Iterable[Alert], standings: Mapping[str, Standing]) -> Card:
    """The card of a conversation in which these were told, in order, with its flags as of now."""
    return Card(told=told(latest(alerts), standings))


def ended_on(card: Card, standings: Mapping[str, Standing]) -> date | None:
    """When the last flag of a conversation ended; None while one is live.

    What is of no flag, such as a renewal check, ends on the day on which it was told.
    """
    ends: list[date] = []
    for each in card.told:
        if each.alert.rule is not None and each.state not in (None, State.RESOLVED):
            return None
        if each.alert.rule is not None and each.alert.reason is not AlertReason.RESOLVED:
            standing = standings.get(each.alert.rule)
            if standing is None or standing.resolved_on is None:
                return None
            ends.append(standing.resolved_on)
        else:
            ends.append(each.alert.on)
    return max(ends, default=None)


def worth_beginning(alerts: Sequence[Alert]) -> bool:
    """Whether alerts are worth a new card: that flags have ended is not."""
    return any(alert.reason is not AlertReason.RESOLVED for alert in alerts)
