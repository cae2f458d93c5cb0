"""What there is to tell of webhooks: what a test message came to, and how each stands."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import Connection

from worker.core.findings import Finding
from worker.core.webhooks import Webhook, Webhooks
from worker.running import runtime
from worker.settings import SettingsError, webhook_secret, webhook_variable
from worker.store import receivers
from worker.store.receivers import Standing
from worker.webhooks import payload
from worker.webhooks.posting import Answer, BadSecret, Verdict, client, post, signers

LATE = timedelta(minutes=10)
"""For how long a message may wait before that is trouble."""

ADVICE = {
    Verdict.AGAIN: "check its 'url', and whether the receiver runs",
    Verdict.WAIT: "it wants fewer messages just now",
    Verdict.REFUSED: "check its 'url' and the secret, and what the receiver's log says",
    Verdict.GONE: "the receiver wants nothing more: make a new address there",
}


def tried(webhook: Webhook) -> Finding:
    """What came of a test message that was sent to a webhook just now."""
    trouble = _secret_trouble(webhook.name)
    if trouble is not None:
        return Finding(_subject(webhook), trouble)
    answer = asyncio.run(_test(webhook))
    if answer.verdict is Verdict.TAKEN:
        return Finding(_subject(webhook), None, f"took the test message ({answer.said})")
    return Finding(_subject(webhook), f"{answer.said}: {ADVICE[answer.verdict]}")


async def _test(webhook: Webhook) -> Answer:
    now, secret = runtime.clock(), webhook_secret(webhook.name) or ""
    body = payload.text(payload.TEST, now, {"webhook": webhook.name})
    async with client() as http:
        return await post(http, webhook.url, f"msg_test_{uuid4().hex}", body, secret, now)


def standing(db: Connection, webhooks: Webhooks, now: datetime) -> Iterator[Finding]:
    """How each webhook stands: what waits, what was given up, and what to do about it."""
    found = receivers.standings(db)
    for webhook in webhooks:
        at = found.get(webhook.name, Standing(webhook.name))
        yield _waiting(webhook, at, now)
        if at.failed:
            number = "1 message was" if at.failed == 1 else f"{at.failed:,} messages were"
            check = f"'tiewatch webhooks check {webhook.name}' tries it"
            told = f"{number} given up: {at.refused}. {check}, {_resume(webhook)} sends them again"
            yield Finding(_subject(webhook), told)


def _waiting(webhook: Webhook, at: Standing, now: datetime) -> Finding:
    waits = "1 message waits" if at.waiting == 1 else f"{at.waiting:,} messages wait"
    trouble = _secret_trouble(webhook.name)
    if trouble is not None:
        return Finding(_subject(webhook), f"{trouble}; {waits}")
    if at.stopped_at is not None:
        told = f"stopped on {at.stopped_at:%d %b %Y}: its receiver said {at.error}; {waits}"
        return Finding(
            _subject(webhook), f"{told}. When that is mended, {_resume(webhook)} goes on"
        )
    if at.oldest is not None and now - at.oldest > LATE:
        since = f"the oldest since {at.oldest:%d %b %H:%M} UTC"
        return Finding(
            _subject(webhook), f"{waits}, {since}: {at.error or 'no worker has sent it yet'}"
        )
    return Finding(_subject(webhook), None, waits)


def _secret_trouble(name: str) -> str | None:
    """What is wrong with a webhook's secret, without showing it."""
    variable = webhook_variable(name)
    try:
        secret = webhook_secret(name)
        if secret is None:
            return f"{variable} is not set: what is sent must be signed"
        signers(secret)
    except BadSecret as error:
        return f"{variable} cannot be used: {error}"
    except SettingsError as error:
        return str(error)
    return None


def _subject(webhook: Webhook) -> str:
    return f"webhook {webhook.name}"


def _resume(webhook: Webhook) -> str:
    return f"'tiewatch webhooks resume {webhook.name}'"
