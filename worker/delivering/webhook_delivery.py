"""Sends what waits for webhooks: at least once, in order for each account, and whatever one
receiver does, the others and Slack do not wait for it.

A webhook is leased, its next messages are sent side by side, outside any transaction, and what came
of them is recorded, over and over. A process that dies leaves messages that count as not sent: they
are sent again, with the same id.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import httpx2
import structlog
from sqlalchemy import Connection, Engine

from worker.core.webhooks import Webhook, Webhooks
from worker.delivering.delivery import Delivered
from worker.settings import SettingsError
from worker.store import receivers
from worker.store import webhooks as store
from worker.store.database import reading, writing
from worker.store.webhooks import Row
from worker.webhooks.posting import TIMEOUT_SECONDS, Answer, BadSecret, Verdict, client, post

AT_ONCE = 8
"""Messages on their way to one webhook, each of another account."""

LEASE = timedelta(seconds=60)
"""Longer than a pass and its last answers can take, or two would send to the same webhook."""

LONGEST_PASS = LEASE - timedelta(seconds=2 * TIMEOUT_SECONDS)

FIRST_BACKOFF = timedelta(seconds=30)
LONGEST_BACKOFF = timedelta(hours=1)

MAX_ATTEMPTS = 80
"""With this backoff, about three days of trying."""

KEPT = timedelta(days=7)
"""For how long it can be looked up what was sent."""

GIVEN_UP_KEPT = timedelta(days=30)
"""For how long what was given up can be sent again."""

Secrets = Callable[[str], str | None]
"""The secret of a webhook, by its name; None if it has none."""

log = structlog.get_logger("tiewatch.webhooks")


def deliver(
    engine: Engine,
    webhooks: Webhooks,
    secrets: Secrets,
    now: Callable[[], datetime],
    within: timedelta = LONGEST_PASS,
) -> Delivered:
    """Send what is due, for as long as `within` at most. Never sleeps: what is not due yet is left
    to a later pass. Any number of these may run at once."""
    with writing(engine) as db:
        store.drop_others(db, [one.name for one in webhooks], now())
        store.forget(db, now() - KEPT, now() - GIVEN_UP_KEPT)
    sent, failed = asyncio.run(_to_all(engine, webhooks, secrets, now, now() + within))
    with reading(engine) as db:
        return Delivered(sent, failed, store.waiting(db))


async def _to_all(
    engine: Engine,
    webhooks: Webhooks,
    secrets: Secrets,
    now: Callable[[], datetime],
    end: datetime,
) -> tuple[int, int]:
    """(sent, given up), of all webhooks that can be signed for."""
    able = []
    for webhook in webhooks:
        try:
            secret = secrets(webhook.name)
        except SettingsError as error:  # the others can go on
            log.error("secret of a webhook not read", webhook=webhook.name, error=str(error))
            continue
        if secret is None:
            log.warning("webhook without a secret", webhook=webhook.name)
        else:
            able.append(_Sending(engine, webhook, secret, now, end))
    async with client() as http:
        done = await asyncio.gather(*(one.run(http) for one in able))
    return sum(one.sent for one in done), sum(one.failed for one in done)


class _Sending:
    """A pass for one webhook."""

    def __init__(
        self,
        engine: Engine,
        webhook: Webhook,
        secret: str,
        now: Callable[[], datetime],
        end: datetime,
    ) -> None:
        self.engine, self.webhook, self.secret = engine, webhook, secret
        self.now, self.end = now, end
        self.sent = self.failed = 0

    async def run(self, http: httpx2.AsyncClient) -> "_Sending":
        """Send until nothing is due, the time is up, or the receiver wants no more."""
        until = self.now() + LEASE
        if not await asyncio.to_thread(self._lease, until):
            return self
        try:
            while rows := await asyncio.to_thread(self._next_up):
                answers = await asyncio.gather(*(self._post(http, row) for row in rows))
                if not await asyncio.to_thread(self._record, rows, answers):
                    break
        except BadSecret as error:
            log.warning("webhook with a bad secret", webhook=self.webhook.name, error=str(error))
        except Exception as error:  # whatever it is, the other webhooks go on
            told = type(error).__name__
            log.error("webhook failed", webhook=self.webhook.name, error=told)
            await asyncio.to_thread(self._pause, f"it could not be sent to: {told}")
        finally:
            await asyncio.to_thread(self._release, until)
        return self

    async def _post(self, http: httpx2.AsyncClient, row: Row) -> Answer:
        return await post(http, self.webhook.url, row.key, row.body, self.secret, self.now())

    def _lease(self, until: datetime) -> bool:
        with writing(self.engine) as db:
            return receivers.lease(db, self.webhook.name, self.now(), until)

    def _release(self, until: datetime) -> None:
        with writing(self.engine) as db:
            receivers.release(db, self.webhook.name, until)

    def _pause(self, why: str) -> None:
        with writing(self.engine) as db:
            receivers.pause(db, self.webhook.name, self.now() + FIRST_BACKOFF, why, counted=True)

    def _next_up(self) -> list[Row]:
        if self.now() >= self.end:
            return []
        with reading(self.engine) as db:
            return store.next_up(db, self.webhook.name, self.now(), AT_ONCE)

    def _record(self, rows: Sequence[Row], answers: Sequence[Answer]) -> bool:
        """Record what came of these; whether to go on."""
        now, name = self.now(), self.webhook.name
        with writing(self.engine) as db:
            taken = [row for row, one in _with(rows, answers, Verdict.TAKEN)]
            store.ended(db, taken, store.SENT, now)
            self.sent += len(taken)
            for row, answer in _with(rows, answers, Verdict.REFUSED):
                self._give_up(db, row, answer.said)
            for row, answer in _with(rows, answers, Verdict.AGAIN):
                if row.attempts + 1 >= MAX_ATTEMPTS:
                    self._give_up(db, row, f"{MAX_ATTEMPTS} attempts, the last one: {answer.said}")
                else:
                    store.put_back(db, row, now + _backoff(row.attempts), answer.said)
            return _stands(db, name, answers, now)

    def _give_up(self, db: Connection, row: Row, why: str) -> None:
        store.ended(db, [row], store.FAILED, self.now(), why)
        self.failed += 1


def _with(
    rows: Sequence[Row], answers: Sequence[Answer], verdict: Verdict
) -> list[tuple[Row, Answer]]:
    return [(row, one) for row, one in zip(rows, answers, strict=True) if one.verdict is verdict]


def _stands(db: Connection, webhook: str, answers: Sequence[Answer], now: datetime) -> bool:
    """Record what these answers, all of a moment, say of the receiver; whether it wants more."""
    verdicts = {one.verdict for one in answers}
    if Verdict.GONE in verdicts:
        receivers.stop(db, webhook, now, "410 Gone")
        return False
    if Verdict.WAIT in verdicts:
        longest = max(answers, key=lambda one: one.wait)
        receivers.pause(
            db, webhook, now + timedelta(seconds=longest.wait), longest.said, counted=False
        )
        return False
    if verdicts == {Verdict.AGAIN}:
        pause = _backoff(receivers.failures(db, webhook))
        receivers.pause(db, webhook, now + pause, answers[-1].said, counted=True)
        return False
    receivers.is_well(db, webhook)
    return True


def _backoff(before: int) -> timedelta:
    """How long to wait after one more failure, with so many before."""
    return min(FIRST_BACKOFF * 2.0 ** min(before, 20), LONGEST_BACKOFF)
