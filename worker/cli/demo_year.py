"""What the demo's year came to: alerts of flags that are still open, and the year in figures."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.rule import Rule as Line
from rich.text import Text
from sqlalchemy import Connection

from worker.cli.terminal import out, table
from worker.core.alerts import Alert, AlertReason
from worker.core.urgency import Order, worst_first
from worker.slack.console import show
from worker.store import flag_lists, outbox, people


@dataclass(frozen=True, slots=True)
class Year:
    """How many alerts there were; the last one of each flag that is open still, by rep; and what
    became of each rule's flags."""

    alerts: int
    still_open: Mapping[str, Sequence[Alert]]
    rules: Mapping[str, Mapping[str, int]]
    rep_names: Mapping[str, str]


def year_of(db: Connection) -> Year:
    """What has come of all events."""
    alerts = outbox.alerts(db)
    still_open = {(row["account"], row["rule"]) for row in flag_lists.listed(db, states=["open"])}
    latest: dict[tuple[str, str], Alert] = {}
    for alert in alerts:
        if alert.rule is not None and (alert.account, alert.rule) in still_open:
            latest[alert.account, alert.rule] = alert
    by_rep: dict[str, list[Alert]] = defaultdict(list)
    for alert in latest.values():
        by_rep[alert.owner or ""].append(alert)
    return Year(len(alerts), by_rep, _of_rules(alerts, still_open), people.rep_names(db))


def document(year: Year) -> dict[str, Any]:
    """The year as JSON."""
    return {
        "rules": year.rules,
        "open": [
            {
                "rep": rep,
                "account": one.account,
                "rule": one.rule,
                "title": one.title,
                "why": list(one.why),
                "who": list(one.who),
                "advice": one.advice,
            }
            for rep, alerts in sorted(year.still_open.items())
            for one in alerts
        ],
    }


def show_year(year: Year) -> None:
    """Show the year on the terminal: each rep's alerts, the most urgent first, then figures."""
    names = year.rep_names
    for rep in sorted(year.still_open, key=lambda rep: names.get(rep, rep)):
        mine = sorted(year.still_open[rep], key=_urgency)
        out.print(Line(Text(f"{names.get(rep, rep) or 'Nobody'}: {len(mine)} open", "bold")))
        for alert in mine:
            show(out, alert)
    shape = table("rule", "opened in the year", "resolved", "open now")
    for rule, counts in year.rules.items():
        shape.add_row(rule, *(str(counts[name]) for name in ("opened", "resolved", "open")))
    out.print(Line(Text("The year in figures", "bold")))
    out.print(shape)


def _urgency(alert: Alert) -> Order:
    return worst_first(alert.kind, alert.severity, alert.mrr, alert.renewal_date)


def _of_rules(
    alerts: Sequence[Alert], still_open: set[tuple[str, str]]
) -> dict[str, dict[str, int]]:
    opened = (AlertReason.OPENED, AlertReason.REOPENED)
    rules = sorted({alert.rule for alert in alerts if alert.rule is not None})
    return {
        rule: {
            "opened": sum(a.rule == rule and a.reason in opened for a in alerts),
            "resolved": sum(a.rule == rule and a.reason is AlertReason.RESOLVED for a in alerts),
            "open": sum(name == rule for _, name in still_open),
        }
        for rule in rules
    }
