"""Whatever becomes of Slack and of whoever sends: each alert is there once at the end, in order."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, insert, select

from tests import slack_server
from tests.alerts import alert
from tests.deliveries import Clock, config, slack_at
from tests.sender_process import run_pass
from tests.slack_server import (
    DROP_AFTER,
    DROP_BEFORE,
    KILL_AFTER,
    KILL_BEFORE,
    OK,
    Answer,
    SlackServer,
)
from worker.core.accounts import Account
from worker.core.alerts import AlertReason
from worker.core.bundles import Kind
from worker.core.cards import Digest, DigestLine
from worker.store import backlog, messages, tables
from worker.store.database import writing
from worker.store.messages import New

pytestmark = [pytest.mark.crash, pytest.mark.timeout(600)]

FAULTS = {
    "429": slack_server.slow_down("7"),
    "500": slack_server.status(500),
    "taken, and 500": slack_server.status(500, posts=True),
    "dropped": DROP_BEFORE,
    "taken, and dropped": DROP_AFTER,
    "killed": KILL_BEFORE,
    "taken, and killed": KILL_AFTER,
    "hangs": slack_server.hang(1.1, posts=False),
    "taken, and hangs": slack_server.hang(1.1),
}
"""What can become of a request, beside going well. Of those that hang, each costs a second."""

SOME = ["429", "500", "taken, and 500", "dropped", "taken, and dropped", "killed"]
SOME += ["taken, and killed", "fine", "fine"]
RECIPIENTS = ["rep:sam", "default", "channel:C7"]


@dataclass(frozen=True)
class Said:
    """Something to tell: of an account, to a recipient, in a conversation or in a digest."""

    account: str
    to: str
    kind: Kind = Kind.ALERT


SAID = st.builds(
    Said,
    st.sampled_from("ab"),
    st.sampled_from(RECIPIENTS),
    st.sampled_from([Kind.ALERT] * 4 + [Kind.DIGEST]),
)


@pytest.fixture
def engine(engine: Engine) -> Engine:
    with writing(engine) as db:
        db.execute(insert(tables.reps).values(rep="sam", slack_user="U1"))
    return engine


def empty(engine: Engine) -> None:
    with writing(engine) as db:
        for table in (tables.messages, tables.conversations, tables.slack_channels):
            db.execute(table.delete())
        db.execute(tables.workspace.update().values(slack_paused_until=None))


def put(engine: Engine, said: list[Said], clock: Clock, number: Iterator[int]) -> None:
    """Plan these, each an alert of its own rule or a line of the day's digest."""
    reasons = [AlertReason.OPENED, AlertReason.WORSE, AlertReason.RESOLVED]
    with writing(engine) as db:
        for one in said:
            n = next(number)
            line = DigestLine(account=Account(id=one.account), title=f"Number {n}")
            body: object = Digest(on=clock().date(), why="of low severity", lines=(line,))
            bundle = f"digest/{clock().date()}"
            if one.kind is Kind.ALERT:
                bundle = messages.account_bundle(one.account)
                body = alert(account=one.account, rule=f"rule-{n % 3}", reason=reasons[n % 3])
            text = msgspec.json.encode(body).decode()
            messages.put(
                db, [New(f"{n}", one.to, one.account, bundle, one.kind, text, clock())], clock()
            )


def deliver_all(engine: Engine, url: str, slack: SlackServer, clock: Clock, senders: int) -> None:
    """Pass after pass, each when the next message is due, until nothing waits."""
    for _ in range(300):
        with engine.connect() as db:
            due = backlog.next_due(db)
        if due is None:
            return
        clock.now = max(clock.now, due)
        one_pass(url, slack, clock, senders)
    raise AssertionError("it never ends")


def one_pass(url: str, slack: SlackServer, clock: Clock, senders: int) -> None:
    def killed_by(kill) -> None:
        slack.kill = kill

    deadly = any(answer.kills for answer in slack.answers)
    run_pass(url, config(slack), clock.now, senders, killed_by if deadly else None)


def assert_each_once_and_in_order(engine: Engine, slack: SlackServer) -> None:
    with engine.connect() as db:
        rows = {row.id: row for row in db.execute(select(tables.messages))}
    assert {row.state for row in rows.values()} <= {"sent"}
    shown = [one for channel in slack.channels.values() for one in channel]
    times = Counter(id_ for one in shown for id_ in one["metadata"]["event_payload"]["alert_ids"])
    assert times == dict.fromkeys(rows, 1)
    threads = defaultdict(list)
    for channel, posted in slack.channels.items():
        for one in posted:
            ids = one["metadata"]["event_payload"]["alert_ids"]
            threads[channel, one.get("thread_ts", one["ts"])] += ids
            assert {rows[id_].message_ts for id_ in ids} == {one["ts"]}
    for ids in threads.values():
        assert ids == sorted(ids)
    conversations = {(rows[ids[0]].recipient, rows[ids[0]].bundle) for ids in threads.values()}
    accounts = {key for key in conversations if key[1].startswith("account/")}
    assert len([1 for ids in threads.values() if rows[ids[0]].kind == "alert"]) == len(accounts)


@given(
    batches=st.lists(st.lists(SAID, min_size=1, max_size=6), min_size=1, max_size=4),
    faults=st.lists(st.sampled_from(SOME), max_size=14),
    senders=st.integers(1, 3),
)
@example(
    batches=[[Said("a", "rep:sam"), Said("b", "default")], [Said("a", "rep:sam")]],
    faults=["hangs", "taken, and hangs", "fine", "taken, and hangs", "killed", "429"],
    senders=2,
)
@example(
    batches=[[Said("a", "rep:sam")], [Said("a", "rep:sam")], [Said("a", "rep:sam")]],
    faults=["taken, and killed", "fine", "taken, and killed", "fine", "dropped"],
    senders=1,
)
@settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_every_alert_is_in_its_channel_exactly_once_and_in_order_in_its_thread(
    engine, database_url, batches, faults, senders
):
    empty(engine)
    clock, number = Clock(), count(1)
    with slack_at(clock) as slack:
        slack.next(*(answer(fault) for fault in faults))
        for batch in batches:
            put(engine, batch, clock, number)
            one_pass(database_url, slack, clock, senders)
            clock.passes(seconds=5)
        deliver_all(engine, database_url, slack, clock, senders)
        assert_each_once_and_in_order(engine, slack)


def answer(fault: str) -> Answer:
    return FAULTS.get(fault, OK)
