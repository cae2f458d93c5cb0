"""Who takes part, from addresses alone."""

from typing import Any

import pytest

from worker.core.addresses import People
from worker.core.sorting import (
    NONE_OF_OURS,
    ONLY_OURS,
    Ignored,
    Sides,
    sides_of_mail,
    sides_of_meeting,
    sort_people,
)

OURS = People(internal=frozenset({"us.example"}), shared_domains=frozenset({"agency.example"}))
SAM, ANA, DESK = "sam@us.example", "ana@us.example", "support@us.example"
DANA, LEE, INFO = "dana@acme.example", "lee@acme.example", "info@acme.example"


@pytest.mark.parametrize(
    ("sender", "to", "cc", "sides"),
    [
        (SAM, [DANA], [LEE], Sides("outbound", [SAM], [DANA], [LEE])),
        (SAM, [DANA, ANA], [DANA], Sides("outbound", [SAM, ANA], [DANA], [])),
        (SAM, [ANA], [DANA], Sides("outbound", [SAM, ANA], [], [DANA])),
        (DANA, [SAM], [ANA], Sides("inbound", [SAM], [DANA], [])),
        (DANA, [SAM, LEE], [], Sides("inbound", [SAM], [DANA], [LEE])),
        (DANA, [DESK], [SAM], Sides("inbound", [SAM], [DANA], [])),
        (INFO, [SAM], [DANA], Sides("inbound", [SAM], [], [DANA])),
        (DESK, [DANA], [SAM], Sides("outbound", [SAM], [DANA], [])),
        (DANA, [DESK], [], Ignored(NONE_OF_OURS)),
        (DANA, [LEE], [], Ignored(NONE_OF_OURS)),
        (SAM, [ANA, DESK], [], Ignored(ONLY_OURS)),
        (SAM, [INFO], [], Ignored(ONLY_OURS)),
    ],
)
def test_who_takes_part_in_a_mail_and_which_way_it_went(sender, to, cc, sides):
    assert sides_of_mail(sender, to, cc, OURS) == sides


def test_who_takes_part_in_a_meeting():
    assert sides_of_meeting([DESK, SAM, DANA, DANA], OURS) == Sides("mutual", [SAM], [DANA], [])
    assert sides_of_meeting([DANA, LEE], OURS) == Ignored(NONE_OF_OURS)
    assert sides_of_meeting([SAM, DESK], OURS) == Ignored(ONLY_OURS)


def sorted_event(type_: str, subject: str | None = None, **content: Any) -> Any:
    event = {"type": type_, "tiewatchpeople": "email", "data": content}
    found = sort_people(event | ({"subject": subject} if subject else {}), OURS)
    return found if isinstance(found, Ignored) else {**found["data"]}


def test_everybody_is_put_on_their_side():
    found = sorted_event(
        "interaction",
        reps=["Sam <SAM@us.example>", DESK],
        contacts=[DANA, ANA, INFO],
        cc=[LEE, DESK],
    )
    assert found == {"reps": [SAM, ANA], "contacts": [DANA], "cc": [LEE]}


def test_of_nobody_but_ours_an_event_is_of_no_use():
    assert sorted_event("interaction", reps=[SAM], contacts=[ANA, INFO]) == Ignored(ONLY_OURS)
    assert sorted_event("interaction", reps=[DESK], contacts=[DANA]) == Ignored(NONE_OF_OURS)
    assert sorted_event("usage", user=SAM) == Ignored(ONLY_OURS)
    assert sorted_event("contact", contact=INFO) == Ignored(ONLY_OURS)


def test_usage_of_a_shared_mailbox_is_still_the_accounts():
    assert sorted_event("usage", "acme", user=INFO, feature="x") == {"feature": "x"}
    assert sorted_event("usage", user=INFO) == Ignored(ONLY_OURS)


def test_ids_and_what_cannot_be_read_stay_as_they_are():
    assert sorted_event("interaction", reps=["sam"], contacts=["dana"]) == {
        "reps": ["sam"],
        "contacts": ["dana"],
    }
    for content in ({"reps": "sam", "contacts": [DANA]}, {"reps": [7], "contacts": [{}]}):
        assert sorted_event("interaction", **content) == content


def test_a_shared_domain_is_noted_with_the_event():
    event = {"type": "usage", "tiewatchpeople": "email", "data": {"user": "x@eu.agency.example"}}
    found = sort_people(event, OURS)
    assert not isinstance(found, Ignored)
    assert found["tiewatchshared"] == "agency.example"
