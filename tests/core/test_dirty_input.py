"""What is wrong with surveys, contracts, goals, tickets and features is told, never counted.

What is let in and handled by a rule is shown with the facts, in test_further_facts.py.
"""

from datetime import UTC, datetime
from typing import Any

import pytest

from worker.core.events import Event, Quarantined, parse

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def sent(type_: str, **data: Any) -> Event | Quarantined:
    return parse(
        {
            "id": "1",
            "source": "crm",
            "type": type_,
            "time": "2026-03-10T09:00:00Z",
            "subject": "acme",
            "data": data,
        },
        NOW,
    )


def subscribed(**data: Any) -> Event | Quarantined:
    return sent("subscription", subscription="s", status="started", **data)


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (sent("survey", kind="nps", score=11), "from 0 to 10 for nps, not 11"),
        (sent("survey", kind="nps", score=-1), "from 0 to 10 for nps"),
        (sent("survey", kind="csat", score=0), "from 1 to 5 for csat"),
        (sent("survey", kind="perception", score="good"), "positive, neutral or negative"),
        (subscribed(mrr=-5), "'mrr' must be a number, 0 or more, not -5"),
        (
            subscribed(mrr=1e308),
            "'mrr' must be a number, 0 or more up to 1,000,000,000,000,000, not",
        ),
        (
            sent("usage", count=10**18),
            "must be a positive whole number up to 1,000,000,000,000, not",
        ),
        (sent("account", mrr=-0.01), "'mrr' must be a number, 0 or more"),
        (
            subscribed(term_start="2026-03-02", term_end="2026-03-01"),
            "'term_end' 2026-03-01 is before 'term_start' 2026-03-02",
        ),
        (subscribed(currency="E" * 21), "'currency' must be text of 1 to 20 characters"),
        (sent("outcome", goal="g", progress=100.5), "'progress' must be a number from 0 to 100"),
        (sent("outcome", goal="g", cost=-1), "'cost' must be a number, 0 or more"),
        (sent("outcome", goal="g", due="soon"), "'due' must be a date"),
        (sent("usage", feature="x" * 10_000), "'feature' must be text of up to 200 characters"),
    ],
)
def test_it_is_quarantined_with_the_reason(one: Event | Quarantined, said: str) -> None:
    assert isinstance(one, Quarantined)
    assert any(said in problem for problem in one.problems), one.problems


@pytest.mark.parametrize(
    "one",
    [
        subscribed(mrr=0, term_start="2026-03-01", term_end="2026-03-01"),
        subscribed(term_start="2026-03-01", term_end=None, currency=None),
        sent("survey", kind="nps", score=6.5),
        sent("outcome", goal="g", progress=100, cost=0, benefit=-3, due="2026-01-01"),
        sent("usage", feature="x" * 200),
        sent("usage", feature=""),
    ],
)
def test_what_lies_at_the_edge_is_taken(one: Event | Quarantined) -> None:
    assert isinstance(one, Event), one
