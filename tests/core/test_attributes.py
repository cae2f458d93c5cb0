"""Attributes: per field the latest event wins, whatever the order of arrival."""

from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from worker.core.attributes import merge
from worker.core.events import Event, parse

RECEIVED = datetime(2026, 3, 10, tzinfo=UTC)


def account(time: str, id_: str = "1", source: str = "crm", **data: Any) -> Event:
    event = parse(
        {
            "id": id_,
            "source": source,
            "type": "account",
            "time": time,
            "subject": "acme",
            "data": data,
        },
        RECEIVED,
    )
    assert isinstance(event, Event), event
    return event


def merged(*events: Event) -> dict[str, Any]:
    values: dict[str, Any] = {}
    stamps: dict[str, list[str]] = {}
    for event in events:
        merge(values, stamps, event)
    return values


def same_in_any_order(*events: Event) -> dict[str, Any]:
    outcomes = [merged(*arrived) for arrived in permutations(events)]
    assert all(outcome == outcomes[0] for outcome in outcomes)
    return outcomes[0]


def test_each_field_has_its_own_latest_event() -> None:
    found = same_in_any_order(
        account("2026-01-01T00:00:00Z", segment="smb", owner="sam", seats=5),
        account("2026-01-03T00:00:00Z", segment="enterprise"),
        account("2026-01-02T00:00:00Z", segment="mid-market", owner="ana"),
    )
    assert found == {"segment": "enterprise", "owner": "ana", "seats": 5}


def test_times_are_compared_as_instants_not_as_text() -> None:
    found = same_in_any_order(
        account("2026-01-02T01:00:00+03:00", segment="earlier"),  # 22:00 the day before, in UTC
        account("2026-01-01T23:00:00Z", segment="later"),
        account("2026-01-01T10:00:00-12:00", segment="as early"),  # 22:00 too
    )
    assert found["segment"] == "later"


def test_a_fraction_of_a_second_later_is_later() -> None:
    found = same_in_any_order(
        account("2026-01-01T00:00:00Z", "z", segment="first"),
        account("2026-01-01T00:00:00.000001Z", "a", segment="second"),
    )
    assert found["segment"] == "second"


@pytest.mark.parametrize(
    ("lesser", "greater"), [("1", "2"), ("10", "9"), ("B", "a"), ("z", "é"), ("a", "aa")]
)
def test_at_equal_instants_the_greater_id_wins_as_text(lesser: str, greater: str) -> None:
    found = same_in_any_order(
        account("2026-01-01T12:00:00Z", lesser, segment="lesser"),
        account("2026-01-01T13:00:00+01:00", greater, segment="greater"),
    )
    assert found["segment"] == "greater"


def test_at_equal_instants_and_ids_the_outcome_still_does_not_depend_on_the_order() -> None:
    same_in_any_order(
        account("2026-01-01T12:00:00Z", source="crm", segment="one"),
        account("2026-01-01T12:00:00Z", source="mail", segment="other"),
    )


def test_null_clears_a_field_and_an_absent_field_says_nothing() -> None:
    found = same_in_any_order(
        account("2026-01-01T00:00:00Z", segment="smb", owner="sam"),
        account("2026-01-02T00:00:00Z", segment=None),
        account("2026-01-03T00:00:00Z", name="Acme"),
    )
    assert found == {"segment": None, "owner": "sam", "name": "Acme"}


def test_what_was_cleared_stays_cleared_when_something_older_arrives() -> None:
    cleared = account("2026-01-02T00:00:00Z", owner=None)
    older = account("2026-01-01T00:00:00Z", owner="sam")
    newer = account("2026-01-03T00:00:00Z", owner="ana")
    assert same_in_any_order(cleared, older) == {"owner": None}
    assert same_in_any_order(cleared, older, newer) == {"owner": "ana"}


def test_zero_false_and_empty_are_values_not_nothing() -> None:
    found = same_in_any_order(
        account("2026-01-01T00:00:00Z", seats=5, mrr=100, domains=["acme.example"]),
        account("2026-01-02T00:00:00Z", seats=0, mrr=0, domains=[]),
    )
    assert found == {"seats": 0, "mrr": 0, "domains": []}
