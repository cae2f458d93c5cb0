"""The main job, whole: real workers take events from a real queue, and a rep reads it in Slack."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection, Producer
from sqlalchemy import Engine

from tests.crash.processes import publish, until, workers
from tests.pipeline import Raw, event, meeting, rows
from tests.slack_server import SlackServer, slack_server
from tests.today import TODAY, todays_date
from worker.celery_app import INGEST
from worker.shipped import rules_dir
from worker.store import tables
from worker.store.database import engine_for


@dataclass
class Work:
    """Workers that run, and what they work with."""

    slack: SlackServer
    engine: Engine
    broker_url: str
    log: Path

    def send(self, batch: str, *events: object) -> None:
        """Publish a batch as docs/events.md says."""
        publish(self.broker_url, {batch: list(events)})

    def send_raw(self, batch: str, body: str) -> None:
        """Publish a message with this JSON in it, as a program in another language may."""
        headers = {"task": INGEST, "id": batch, "lang": "go"}
        with Connection(self.broker_url) as connection, connection.channel() as channel:
            Producer(channel, routing_key=INGEST).publish(
                body,
                headers=headers,
                content_type="application/json",
                content_encoding="utf-8",
                correlation_id=batch,
            )

    def wait_for(self, *batches: str) -> None:
        """Until the batches are applied or parked."""

        def done() -> bool:
            ended = {row["id"] for row in self.batches() if row["state"] != "started"}
            return ended >= set(batches)

        until(done, self.log.read_text, seconds=30)

    def batches(self) -> list[dict[str, Any]]:
        return rows(self.engine, tables.batches)

    def states(self) -> list[str]:
        """Of the messages: one is sent a moment after Slack has it."""
        return [row["state"] for row in rows(self.engine, tables.messages)]

    def counts(self, batch: str) -> tuple[int, int, int]:
        """(applied, duplicates, quarantined) of a batch that has been applied."""
        (row,) = [row for row in self.batches() if row["id"] == batch]
        assert row["state"] == "applied", row["error"]
        return row["applied"], row["duplicates"], row["quarantined"]


def at_work(folder: Path, database_url: str, broker_url: str) -> Iterator[Work]:
    engine = engine_for(database_url)
    with slack_server() as slack:
        settings = {
            "TIEWATCH_SLACK_BOT_TOKEN": "xoxb-1",
            "TIEWATCH_SLACK_BASE_URL": slack.url,
            "TIEWATCH_SLACK_CHANNEL": "C-default",
            "TIEWATCH_SLACK_ADMIN_CHANNEL": "C-admin",
            "TIEWATCH_RULES_DIR": str(rules_dir()),
        }
        with workers(folder, database_url, broker_url, **settings) as running:
            worker = running.start()
            yield Work(slack, engine, broker_url, worker.log)
    engine.dispose()


@pytest.fixture
def work(tmp_path: Path, database_url: str, broker_url: str) -> Iterator[Work]:
    yield from at_work(tmp_path, database_url, broker_url)


@pytest.fixture
def sqlite_work(tmp_path: Path, sqlite_url: str, broker_url: str) -> Iterator[Work]:
    yield from at_work(tmp_path, sqlite_url, broker_url)


def customer(today: date) -> list[Raw]:
    """Renews in 41 days, and its CIO was last met 22 days ago."""
    start = today - timedelta(200)
    renewal = str(today + timedelta(41))
    known = {"name": "Acme", "segment": "enterprise", "owner": "sam", "renewal_date": renewal}
    return [
        event("account", start, **known),
        event("rep", start, account=None, rep="sam", name="Sam Lee", slack_user="U-sam"),
        event("contact", start, contact="dana", name="Dana Ruiz", title="CIO"),
        *(meeting(today - timedelta(days)) for days in (22, 30, 40)),
    ]


def texts(slack: SlackServer) -> list[str]:
    return [request.body["text"] for request in slack.posted]


def test_an_event_goes_in_and_its_owner_reads_an_alert_once(work):
    given = customer(todays_date())
    work.send("first", *given)
    until(lambda: bool(work.slack.posted), work.log.read_text, seconds=30)
    (request,) = work.slack.posted
    assert request.body["channel"] == "U-sam"
    assert "Acme: Renews in 41 days, last exec contact: 22 days ago" in request.body["text"]
    said = json.dumps(request.body["blocks"])
    for words in ("Dana Ruiz, CIO", "with Sam Lee", "renewal-without-exec-contact", "check-in"):
        assert words in said

    # The same message once more, the same events in another one, and an event that ends it all.
    work.send("first", *given)
    work.send("again", *given)
    work.send("met", meeting(TODAY))
    until(lambda: len(work.slack.posted) > 1, work.log.read_text, seconds=30)
    work.wait_for("first", "again", "met")
    assert work.counts("first") == (6, 0, 0)
    assert work.counts("again") == (0, 6, 0)
    assert [("esolved" in text) for text in texts(work.slack)] == [False, True]
    (card,) = work.slack.messages("D-sam")
    assert "✅" in json.dumps(card["blocks"], ensure_ascii=False)
    assert len(work.slack.messages("D-sam", card["ts"])) == 1

    # An owner whom Slack does not know is told in the default channel, and the admins of that.
    work.send("other", *(one | {"id": f"o{one['id']}", "subject": "birch"} for one in given[2:]))
    known = given[0]["data"] | {"name": "Birch", "owner": "kim"}
    owner = event("account", TODAY, account="birch", **known)
    work.send("owner", event("rep", TODAY, account=None, rep="kim", name="Kim"), owner)
    until(lambda: len(work.slack.posted) > 3, work.log.read_text, seconds=30)
    channels = [request.body["channel"] for request in work.slack.posted[2:]]
    assert sorted(channels) == ["C-admin", "C-default"]
    until(lambda: work.states() == ["sent"] * 4, work.log.read_text, seconds=30)


ODD: Sequence[Any] = [
    {"__type__": "datetime", "__value__": "2026-01-01T00:00:00"},
    {"__type__": "nonsense", "__value__": None},
    [{"__type__": "uuid", "__value__": {"hex": "no"}}],
    {"__class__": "x", "bytes": "é\u2028😀"},
    10**30,
    1e-300,
]


def test_whatever_an_event_holds_arrives_as_it_was_sent_and_what_is_none_is_quarantined(
    sqlite_work,
):
    given = [event("usage", TODAY, count=1, more=odd) for odd in ODD]
    sqlite_work.send("odd", *given)
    good = json.dumps(event("usage", TODAY))
    half = json.dumps(event("usage", TODAY, feature="\ud83d"))
    far = event("usage", TODAY) | {"time": "3000-01-01T00:00:00Z"}
    sqlite_work.send_raw("half", f"[[[{half}, {good}]], {{}}, {{}}]")
    sqlite_work.send_raw("nan", f'[[[{{"id": NaN, "x": Infinity}}, {good}]], {{}}, {{}}]')
    sqlite_work.send("far", far, None, "text", 5, event("usage", TODAY))
    sqlite_work.wait_for("odd", "half", "nan", "far")
    stored = {row["id"]: json.loads(row["body"]) for row in rows(sqlite_work.engine, tables.events)}
    assert {one["id"]: stored[one["id"]] for one in given} == {one["id"]: one for one in given}
    # The good event is one and the same in both messages, and a duplicate in one of them.
    assert sqlite_work.counts("half")[2] == sqlite_work.counts("nan")[2] == 1
    assert sqlite_work.counts("far") == (1, 0, 4)


def nested(depth: int, opening: str = "[", closing: str = "]") -> str:
    """An event with lists that deep, as JSON: Python itself could not write the deepest."""
    body = json.dumps(event("usage", TODAY, more="HERE"))
    return body.replace('"HERE"', opening * depth + "1" + closing * depth)


def test_an_event_nested_too_deeply_ends_no_worker_and_keeps_no_other_event_out(sqlite_work):
    deep = {
        "somewhat": nested(90),
        "deeper": nested(900),
        "deepest": nested(20_000),
        "a tree": nested(900, '{"leaf": [], "more": ', "}"),
        "a list of lists": nested(900, "[[], ", "]"),
    }
    for batch, body in deep.items():
        good = json.dumps(event("usage", TODAY))
        sqlite_work.send_raw(batch, f"[[[{body}, {good}]], {{}}, {{}}]")
    sqlite_work.send("next", event("usage", TODAY))
    sqlite_work.wait_for("next", *deep)
    assert sqlite_work.counts("somewhat") == (2, 0, 0)
    for batch in deep:
        applied, _, bad = sqlite_work.counts(batch)
        assert applied + bad == 2, batch
        assert applied >= 1, batch
    assert sqlite_work.counts("next") == (1, 0, 0)


def test_an_event_sent_without_a_list_around_it_is_not_lost(sqlite_work):
    lone = event("usage", TODAY)
    sqlite_work.send_raw("lone", json.dumps([[lone], {}, {}]))
    sqlite_work.send_raw("text", json.dumps([["not an event"], {}, {}]))
    sqlite_work.send_raw("none", json.dumps([[None], {}, {}]))
    sqlite_work.wait_for("lone")
    kept = [row["body"] for row in rows(sqlite_work.engine, tables.events)]
    kept += [row["body"] for row in rows(sqlite_work.engine, tables.quarantine)]
    assert any(lone["id"] in body for body in kept)
    sqlite_work.wait_for("text", "none")
    kept = [row["body"] for row in rows(sqlite_work.engine, tables.quarantine)]
    assert "not an event" in kept
