"""Which facts cannot be told while a source is silent, and which gap is a normal one."""

from datetime import date

import pytest

from worker.core.facts import FACTS
from worker.core.freshness import Silence, usual_gap, withheld

MAIL = Silence("mail", date(2026, 3, 1), 3, frozenset({"interaction"}))
APP = Silence("app", date(2026, 3, 2), 1, frozenset({"usage"}))


def test_facts_rest_on_the_sources_that_deliver_their_events():
    found = withheld([MAIL])
    assert found["days_since_contact"] == (
        "mail has delivered nothing since 01 Mar 2026; 3 days are normal"
    )
    assert set(found) == {name for name, fact in FACTS.items() if "interaction" in fact.events}
    assert not {"usage_30d", "segment", "owner", "mrr"} & found.keys()


def test_of_several_silent_sources_the_first_is_the_reason():
    found = withheld([APP, MAIL, Silence("calendar", MAIL.since, 7, MAIL.events)])
    assert found["usage_30d"] == "app has delivered nothing since 02 Mar 2026; 1 day is normal"
    assert found["days_since_contact"].startswith("mail ")
    assert list(found) == [name for name in FACTS if name in found]


def test_without_silence_nothing_is_withheld():
    assert withheld([]) == {}


@pytest.mark.parametrize(
    ("days", "gap"),
    [
        (range(10), 2),
        (range(9), None),
        (range(0, 70, 7), 8),
        ([*range(0, 5), *range(7, 12), *range(14, 19)], 4),  # weekends off
        ([*range(0, 200), *range(230, 400)], 2),  # one outage among hundreds is no normal gap
        ([], None),
    ],
)
def test_the_usual_gap_is_a_day_more_than_nearly_all_were(days, gap):
    assert usual_gap(list(days)) == gap
