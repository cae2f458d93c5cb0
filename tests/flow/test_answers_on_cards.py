"""What people see in Slack of an answer: on the card, for everyone who has it."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.deliveries import Clock, run
from tests.pipeline import at, event, meeting, rows, rulebook, sweep, take_in
from tests.slack_limits import texts_of
from tests.slack_server import SlackServer
from worker.core.answers import Acknowledge, Answer, Assign, Dismiss, NotARisk, Snooze, SnoozeFor
from worker.delivering import planning
from worker.rulebooks.rulebook import Rulebook
from worker.slack_actions.answering import answer
from worker.slack_actions.authority import Clicked
from worker.store import tables

D = date(2026, 2, 18)

SILENCE = """
rules:
  - id: silence
    title: "No contact for {days_since_contact}"
    severity: high
    when: {days_since_contact: over 5 days}
"""


@pytest.fixture
def book(tmp_path: Path) -> Rulebook:
    return rulebook(tmp_path, SILENCE)


@pytest.fixture
def clock() -> Clock:
    return Clock(at(D, 13))


def told(engine: Engine, slack: SlackServer, clock: Clock) -> None:
    """All that is to be told by now has been."""
    planning.plan(engine, clock())
    done = run(engine, slack, clock)
    assert (done.failed, done.waiting) == (0, 0)


def raised(engine: Engine, slack: SlackServer, clock: Clock, book: Rulebook) -> int:
    """Sam has a card about acme, which has been silent for six days."""
    take_in(
        engine,
        book,
        D,
        event("rep", D, account=None, rep="sam", name="Sam Ito", slack_user="USAM"),
        event("rep", D, account=None, rep="lee", name="Lee Fox", slack_user="ULEE"),
        event("account", D, name="Acme", owner="sam", mrr=900),
        meeting(D - timedelta(6)),
    )
    told(engine, slack, clock)
    (flag,) = rows(engine, tables.flags)
    return int(flag["id"])


def give(engine: Engine, book: Rulebook, clock: Clock, flag: int, given: Answer) -> None:
    clicked = Clicked(f"{clock()}/{given}", flag, "USAM")
    assert answer(engine, book, clicked, given, clock(), "as agreed").changed


def card(slack: SlackServer, channel: str) -> str:
    """All that the one card in a channel says now."""
    (message,) = slack.messages(channel)
    return "\n".join(texts_of(message["blocks"]))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (Acknowledge(), ("Acknowledged", "Sam Ito", "as agreed")),
        (Snooze(SnoozeFor.WEEK), ("Snoozed", "25 Feb 2026", "Sam Ito")),
        (Dismiss(NotARisk.KNOWN), ("Not a risk", "known and handled", "Sam Ito")),
        (Assign("lee"), ("Lee Fox",)),
    ],
)
def test_an_answer_is_shown_on_the_card_and_says_whose_it_is(
    engine, slack, clock, book, given, says
):
    flag = raised(engine, slack, clock, book)
    (channel,) = [name for name in slack.channels if slack.messages(name)]
    before = card(slack, channel)
    clock.passes(minutes=5)
    give(engine, book, clock, flag, given)
    told(engine, slack, clock)
    after = card(slack, channel)
    assert after != before
    for part in says:
        assert part.lower() in after.lower()


def test_who_gets_a_flag_gets_a_card_of_their_own(engine, slack, clock, book):
    flag = raised(engine, slack, clock, book)
    give(engine, book, clock, flag, Assign("lee"))
    told(engine, slack, clock)
    assert len([name for name in slack.channels if slack.messages(name)]) == 2
    assert "ULEE" in {request.body.get("channel") for request in slack.posted}


def test_a_snoozed_flag_is_quiet_and_comes_back_in_the_same_conversation(
    engine, slack, clock, book
):
    flag = raised(engine, slack, clock, book)
    (channel,) = [name for name in slack.channels if slack.messages(name)]
    (root,) = slack.messages(channel)
    give(engine, book, clock, flag, Snooze(SnoozeFor.WEEK))
    told(engine, slack, clock)
    for day in range(1, 7):
        clock.passes(days=1)
        sweep(engine, book, D + timedelta(day))
        told(engine, slack, clock)
    assert slack.messages(channel, root["ts"]) == []
    clock.passes(days=1)
    sweep(engine, book, D + timedelta(7))
    clock.passes(hours=12)
    told(engine, slack, clock)
    (reply,) = slack.messages(channel, root["ts"])
    assert "Acme" in reply["text"] or "No contact" in reply["text"]
    assert "No contact for 13 days" in card(slack, channel)


def test_a_dismissed_flag_that_ends_turns_its_card_green_without_a_word(engine, slack, clock, book):
    flag = raised(engine, slack, clock, book)
    (channel,) = [name for name in slack.channels if slack.messages(name)]
    (root,) = slack.messages(channel)
    give(engine, book, clock, flag, Dismiss(NotARisk.WRONG_DATA))
    told(engine, slack, clock)
    clock.passes(hours=2)
    take_in(engine, book, D, meeting(D))
    told(engine, slack, clock)
    assert [row["state"] for row in rows(engine, tables.flags)] == ["resolved"]
    assert slack.messages(channel, root["ts"]) == []
    assert "last contact: today" in card(slack, channel)
