"""Who hears of an alert."""

# ruff: noqa: E501 - one case a line, so that they read as a table

import pytest

from tests.alerts import alert
from worker.core.alerts import AlertReason
from worker.core.routing import Rep, managers, rep_of, route
from worker.core.rules import Recipient, RecipientKind
from worker.core.telling import Route

REPS = {"sam": Rep(manager="ada"), "kim": Rep(manager="gone"), "ada": Rep()}
OWNER = Recipient(RecipientKind.OWNER)
MANAGER = Recipient(RecipientKind.OWNERS_MANAGER)
RISK = Recipient(RecipientKind.CHANNEL, "risk")
KIM = Recipient(RecipientKind.REP, "kim")
LEFT = Recipient(RecipientKind.REP, "gone")
ROUTES = [
    Route((RISK, OWNER), segments=("enterprise",), tags=("renewal",)),
    Route((KIM,), tags=("renewal", "adoption")),
    Route((RISK,), segments=("enterprise", "smb")),
]


def told(*, assignee=None, routes=(), **changes):
    return [tuple(one) for one in route(alert(**changes), assignee, routes, REPS)]


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        ({}, [("rep:sam", "the account is theirs")]),
        ({"owner": None}, [("default", "the account has no owner")]),
        ({"owner": "gone"}, [("default", "the owner has left, or is no rep that tiewatch knows")]),
        ({"assignee": "kim"}, [("rep:kim", "the account is theirs")]),
        ({"assignee": "gone"}, [("rep:sam", "the account is theirs")]),
        ({"notify": (MANAGER,)}, [("rep:ada", "the rule says so")]),
        ({"notify": (MANAGER,), "owner": "kim"}, [("default", "the owner has no manager")]),
        ({"notify": (MANAGER,), "owner": "ada"}, [("default", "the owner has no manager")]),
        ({"notify": (RISK, KIM, OWNER)}, [("channel:risk", "the rule says so"), ("rep:kim", "the rule says so"), ("rep:sam", "the rule says so")]),
        ({"notify": (LEFT,)}, [("default", "a rep who is to be told has left, or is none that tiewatch knows")]),
        ({"notify": (KIM, OWNER), "owner": "kim"}, [("rep:kim", "the rule says so")]),
        ({"reason": AlertReason.RULES, "owner": None}, [("admin", "it is for those who run tiewatch")]),
        ({"reason": AlertReason.ESCALATED, "notify": (KIM,)}, [("rep:ada", "nobody has acknowledged the flag")]),
    ],
)  # fmt: skip
def test_who_is_told_and_why(of, expected):
    assert told(**of) == expected


@pytest.mark.parametrize(
    ("of", "recipients"),
    [
        ({"tags": ("renewal",)}, ["channel:risk", "rep:sam"]),
        ({"tags": ("renewal",), "segment": "smb"}, ["rep:kim"]),
        ({"tags": ("adoption",)}, ["rep:kim"]),
        ({"segment": "smb"}, ["channel:risk"]),
        ({"segment": "startup"}, ["rep:sam"]),
        ({"segment": None}, ["rep:sam"]),
        ({"tags": ("renewal",), "notify": (MANAGER,)}, ["rep:ada"]),
    ],
)
def test_the_first_route_that_fits_counts_and_the_rule_goes_before_it(of, recipients):
    assert [recipient for recipient, _ in told(routes=ROUTES, **of)] == recipients


def test_a_route_is_named_as_the_reason():
    assert told(routes=ROUTES, tags=("renewal",))[0][1] == (
        "the route of segment enterprise and tag renewal"
    )


def test_managers_have_all_who_report_to_them_even_in_a_circle():
    reps = {
        "top": Rep(),
        "ada": Rep(manager="top"),
        "sam": Rep(manager="ada"),
        "self": Rep(manager="self"),
        "a": Rep(manager="b"),
        "b": Rep(manager="a"),
        "lost": Rep(manager="nobody"),
    }
    assert managers(reps) == {
        "a": {"b"},
        "ada": {"sam"},
        "b": {"a"},
        "top": {"ada", "sam"},
    }


def test_a_recipient_tells_whether_it_is_a_rep():
    assert rep_of("rep:sam") == "sam"
    assert rep_of("rep:a:b") == "a:b"
    assert rep_of("channel:sam") is None
    assert rep_of("default") is None
