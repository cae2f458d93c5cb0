"""Clicks are kept before Slack is answered: what dies with a process is done by another one."""

from concurrent.futures import Executor, Future, ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests.capture.conftest import NOW, Office
from tests.capture.workspace import SECRET, chosen, served
from tests.pipeline import rows
from worker.capture import clicks
from worker.capture.app import gateway
from worker.capture.asking import Desk
from worker.capture.slack import handed_to, listener, router
from worker.slack.sender import SlackConfig, client
from worker.slack_actions import answering
from worker.store import flags, tables
from worker.store.database import writing


class Dies(Executor):
    """Takes work and never does it, as if its process were killed."""

    def submit(self, *_args, **_kwargs):
        return Future()


@pytest.fixture
def dying(office):
    """The same office, whose gateway dies after each answer."""
    desk = Desk(office.engine, lambda work: work(office.book), lambda: NOW, lambda: None)
    app = listener(desk, client(SlackConfig(token="xoxb-1", base_url=office.slack.url)), Dies())
    with served(gateway([router(app, SECRET, desk)])) as port:
        yield Office(office.engine, office.book, office.slack, port)


def taken_over(office: Office, **later: float) -> None:
    """Another process looks, so much later."""
    now = NOW + timedelta(**later)
    desk = Desk(office.engine, lambda work: work(office.book), lambda: now, lambda: None)
    slack = client(SlackConfig(token="xoxb-1", base_url=office.slack.url))
    with ThreadPoolExecutor(4) as executor:
        clicks.take_over(desk, slack, handed_to(executor))


def test_a_click_whose_process_died_is_done_by_another_one_and_said_once(office, dying):
    assert dying.person("USAM").press(f"acknowledge/{dying.flag}").status == 200
    assert office.state == "open"
    taken_over(office, seconds=19)
    assert office.state == "open"
    taken_over(office, seconds=21)
    assert office.state == "acknowledged"
    assert rows(office.engine, tables.slack_clicks) == []
    taken_over(office, seconds=60)
    assert len(office.slack.made("respond")) == 1
    assert len(office.answers) == 1


def test_a_window_whose_process_died_is_done_with_all_that_was_put_in(office, dying):
    office.person("USAM").press(f"snooze/{office.flag}")
    window = office.slack.made("views.open")[-1]
    answer = dying.person("USAM").submit(
        window, snooze_for=chosen("1_week"), note={"value": "on holiday 🏝️ <!channel>"}
    )
    assert (answer.status, answer.body) == (200, b"")
    taken_over(office, minutes=1)
    assert office.state == "snoozed"
    (kept,) = office.answers
    assert (kept["reason"], kept["note"]) == ("1_week", "on holiday 🏝️ <!channel>")


def test_a_click_that_slack_repeats_is_kept_once_and_counts_once(office, dying):
    sam = dying.person("USAM")
    for _ in range(3):
        assert sam.press(f"acknowledge/{dying.flag}", at="7.7").status == 200
    assert len(rows(office.engine, tables.slack_clicks)) == 1
    taken_over(office, minutes=1)
    assert len(office.answers) == 1


def test_of_a_click_only_what_it_is_worked_on_by_is_kept(office, dying):
    more = {"token": "secret", "message": {"text": "private"}}
    dying.person("USAM").press(f"acknowledge/{dying.flag}", **more)
    (kept,) = rows(office.engine, tables.slack_clicks)
    assert "secret" not in kept["body"]
    assert "private" not in kept["body"]


def test_a_click_that_kills_whoever_works_on_it_is_given_up(office, dying):
    dying.person("USAM").press(f"acknowledge/{dying.flag}")
    desk = Desk(office.engine, lambda work: work(office.book), lambda: NOW, lambda: None)
    for n in range(1, 9):
        later = Desk(desk.engine, desk.with_rules, lambda n=n: NOW + timedelta(minutes=n), str)
        clicks.take_over(later, client(SlackConfig(token="x", base_url="x")), lambda *_: None)
    assert rows(office.engine, tables.slack_clicks) == []
    assert office.state == "open"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_click_on_an_account_in_others_hands_is_told_so_once_and_counts_later(
    office, monkeypatch
):
    monkeypatch.setattr(answering, "PATIENCE", 0.2)
    with writing(office.engine) as other:
        flags.lock(other, ["acme"])
        office.person("USAM").press(f"acknowledge/{office.flag}")
        office.slack.made("respond")
        for looks in range(1, 7):
            taken_over(office, seconds=21 * looks)
        assert office.state == "open"
        assert len(office.slack.made("respond")) == 1
    taken_over(office, seconds=21 * 7)
    assert office.state == "acknowledged"
    assert len(office.slack.made("respond", 2)) == 2
    assert rows(office.engine, tables.slack_clicks) == []


@pytest.mark.parametrize("action", ["why", "snooze"])
def test_what_changes_nothing_is_not_kept(dying, action):
    dying.person("USAM").press(f"{action}/{dying.flag}")
    assert rows(dying.engine, tables.slack_clicks) == []
