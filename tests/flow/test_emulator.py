"""Conversations against a Slack that others wrote."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, update

from tests.alerts import alert
from tests.deliveries import Clock, know, row, tell
from tests.emulator import TOKEN, call, emulator
from worker.core.alerts import AlertReason
from worker.delivering.delivery import LEASE, Delivered, deliver
from worker.delivering.posting import to_slack
from worker.slack.sender import SlackConfig
from worker.store import leases, messages, tables
from worker.store.database import writing

SAM = "rep:sam"

Run = Callable[[], Delivered]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with emulator(tmp_path_factory.mktemp("emulator")) as url:
        yield url


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime.now(UTC))


@pytest.fixture
def engine(sqlite_engine: Engine) -> Engine:
    know(sqlite_engine, sam=None)
    with writing(sqlite_engine) as db:
        db.execute(update(tables.reps).values(email="sam@vendor.example"))
    return sqlite_engine


@pytest.fixture
def run(engine: Engine, url: str, clock: Clock) -> Run:
    config = SlackConfig(token=TOKEN, base_url=url, channel="cs-team", apart=0)
    return lambda: deliver(engine, to_slack(config), clock)


def told(engine: Engine, clock: Clock, *reasons: AlertReason, to: str = SAM) -> list[int]:
    return tell(engine, *(alert(reason=reason) for reason in reasons), to=to, at=clock())


def history(url: str, channel: str) -> list[dict[str, Any]]:
    found: Any = call(url, "conversations.history", channel=channel, include_all_metadata=True)
    return [one for one in found["messages"] if "metadata" in one]


def thread(url: str, channel: str, ts: str) -> list[dict[str, Any]]:
    found: Any = call(
        url, "conversations.replies", channel=channel, ts=ts, include_all_metadata=True
    )
    return list(found["messages"][1:])


def ids(message: dict[str, Any]) -> list[int]:
    told: list[int] = message["metadata"]["event_payload"]["alert_ids"]
    return told


def test_a_flag_is_told_from_its_beginning_to_its_end_in_one_thread(engine, url, clock, run):
    """The owner is found by e-mail, and told in direct messages."""
    told(engine, clock, AlertReason.OPENED)
    assert run() == Delivered(1, 0, 0)
    first = row(engine, 1)
    (card,) = [one for one in history(url, first.channel) if one["ts"] == first.message_ts]
    assert "Acme: Renews in 41 days" in card["text"]
    told(engine, clock, AlertReason.RESOLVED)
    assert run() == Delivered(1, 0, 0)
    (card,) = [one for one in history(url, first.channel) if one["ts"] == first.message_ts]
    assert "✅" in str(card["blocks"])
    (reply,) = thread(url, first.channel, first.message_ts)
    assert ids(reply) == [2]


def test_what_was_posted_by_one_who_died_is_found(engine, url, clock, run, monkeypatch):
    """In a channel by its name, in direct messages and in a thread."""

    def die_and_go_on(deaths: int) -> None:
        with monkeypatch.context() as dying:
            dying.setattr(leases, "sent", die)
            for _ in range(deaths):
                with pytest.raises(SystemExit):
                    run()
        clock.passes(seconds=LEASE.total_seconds())
        assert run() == Delivered(deaths, 0, 0)

    both = told(engine, clock, AlertReason.OPENED, to=messages.DEFAULT)
    both += told(engine, clock, AlertReason.OPENED)
    die_and_go_on(2)
    told(engine, clock, AlertReason.WORSE)
    die_and_go_on(1)
    for id_ in both:
        found = row(engine, id_)
        cards = [one for one in history(url, found.channel) if ids(one) == [id_]]
        assert [card["ts"] for card in cards] == [found.message_ts]
    card = row(engine, both[1])
    assert [ids(one) for one in thread(url, card.channel, card.message_ts)] == [[3]]


def die(*_args: object) -> None:
    raise SystemExit


def test_a_deleted_card_is_let_go(engine, url, clock, run):
    told(engine, clock, AlertReason.OPENED)
    run()
    card = row(engine, 1)
    call(url, "chat.delete", channel=card.channel, ts=card.message_ts)
    told(engine, clock, AlertReason.RESOLVED)
    assert run() == Delivered(0, 0, 0)
    told(engine, clock, AlertReason.REOPENED)
    assert run() == Delivered(1, 0, 0)
    assert row(engine, 3).message_ts != card.message_ts


def test_a_channel_that_is_not_there_is_left_for_the_default_channel(engine, url, clock, run):
    told(engine, clock, AlertReason.OPENED, to="channel:C0NOWHERE")
    assert run() == Delivered(1, 0, 0)
    assert row(engine, 1).recipient == messages.DEFAULT
    assert "channel_not_found" in row(engine, 1).why
