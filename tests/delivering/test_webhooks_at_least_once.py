"""Whatever becomes of receivers and senders: each message is told, an account's in order."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import count, groupby

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from tests.deliveries import Clock
from tests.receiver import SECRET, Receiver
from tests.sender_process import run_webhooks
from tests.slack_server import (
    DROP_AFTER,
    DROP_BEFORE,
    KILL_AFTER,
    KILL_BEFORE,
    OK,
    slow_down,
    status,
)
from worker.core.webhooks import Webhook
from worker.store import webhooks
from worker.store.database import reading, writing
from worker.store.tables import webhook_endpoints, webhook_messages
from worker.store.webhooks import New

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]

FAULTS = {
    "fine": OK,
    "429": slow_down("7"),
    "500": status(500),
    "taken, and 500": status(500, posts=True),
    "dropped": DROP_BEFORE,
    "taken, and dropped": DROP_AFTER,
    "killed": KILL_BEFORE,
    "taken, and killed": KILL_AFTER,
}
SAID = st.tuples(st.sampled_from("abc"), st.sampled_from(["crm", "erp"]))


def empty(engine: Engine) -> None:
    with writing(engine) as db:
        db.execute(webhook_messages.delete())
        db.execute(webhook_endpoints.delete())


def put(engine: Engine, said: list[tuple[str, str]], clock: Clock, number: Iterator[int]) -> None:
    with writing(engine) as db:
        for account, webhook in said:
            key = f"{webhook}/{account}/{next(number):03}"
            webhooks.put(db, [New(key, webhook, account, "test", '{"data":{}}')], clock())


def one_pass(url: str, receivers: dict[str, Receiver], clock: Clock) -> None:
    def killed_by(kill) -> None:
        for one in receivers.values():
            one.kill = kill

    told = tuple(Webhook(name, one.url()) for name, one in receivers.items())
    deadly = any(answer.kills for one in receivers.values() for answer in one.answers)
    run_webhooks(url, told, SECRET, clock(), killed_by if deadly else None)


def waiting(engine: Engine) -> int:
    with reading(engine) as db:
        return webhooks.waiting(db)


@given(
    batches=st.lists(st.lists(SAID, min_size=1, max_size=6), min_size=1, max_size=3),
    faults=st.lists(st.sampled_from([*FAULTS, "fine", "fine"]), max_size=12),
)
@example(
    batches=[[("a", "crm"), ("a", "crm"), ("b", "erp")]],
    faults=["taken, and killed", "taken, and dropped", "killed", "429", "fine", "500"],
)
@settings(max_examples=12, suppress_health_check=list(HealthCheck))
def test_each_is_told_with_one_id_and_an_accounts_in_order(engine, database_url, batches, faults):
    empty(engine)
    clock, number = Clock(), count(1)
    with Receiver().run() as crm, Receiver().run() as erp:
        receivers = {"crm": crm, "erp": erp}
        for one in receivers.values():
            one.next(*(FAULTS[fault] for fault in faults))
        for batch in batches:
            put(engine, batch, clock, number)
            one_pass(database_url, receivers, clock)
            clock.passes(seconds=5)
        for _ in range(100):
            if not waiting(engine):
                break
            clock.passes(minutes=61)  # longer than any pause and any lease
            one_pass(database_url, receivers, clock)
    with reading(engine) as db:
        assert set(db.scalars(select(webhook_messages.c.state))) == {"sent"}
        written = db.scalar(select(func.count()).select_from(webhook_messages))
    assert written == sum(map(len, batches))
    assert crm.unproven == erp.unproven == []
    told = defaultdict(list)
    for one in (*crm.heard, *erp.heard):
        told[one.id.rpartition("/")[0]].append(one.id)
    assert len({id_ for ids in told.values() for id_ in ids}) == written
    for ids in told.values():
        assert [id_ for id_, _ in groupby(ids)] == sorted(set(ids))
