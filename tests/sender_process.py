"""A pass of delivery, to Slack or to webhooks, in a process of its own, for tests to kill."""

import multiprocessing
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from worker.core.webhooks import Webhooks
from worker.delivering import webhook_delivery
from worker.delivering.delivery import deliver
from worker.delivering.posting import to_slack
from worker.slack.sender import SlackConfig
from worker.store.database import engine_for

# Forked from a process that has everything loaded already, and no threads: in a few milliseconds.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])


def _pass(url: str, config: SlackConfig, now: datetime, senders: int) -> None:
    engine = engine_for(url)
    deliver(engine, to_slack(config), lambda: now, senders=senders, within=timedelta(hours=1))
    engine.dispose()


def run_pass(
    url: str,
    config: SlackConfig,
    now: datetime,
    senders: int,
    killed_by: Callable[[Callable[[], None]], None] | None,
) -> None:
    """Run it to its end; `killed_by` is given what ends it as `kill -9` does. Without it, there is
    no need for another process, and that is faster."""
    _run(_pass, (url, config, now, senders), killed_by)


def _to_webhooks(url: str, told: Webhooks, secret: str, now: datetime) -> None:
    engine = engine_for(url)
    webhook_delivery.deliver(engine, told, lambda _name: secret, lambda: now)
    engine.dispose()


def run_webhooks(
    url: str,
    told: Webhooks,
    secret: str,
    now: datetime,
    killed_by: Callable[[Callable[[], None]], None] | None,
) -> None:
    """The same, to webhooks that all have this secret."""
    _run(_to_webhooks, (url, told, secret, now), killed_by)


def _run(
    work: Callable[..., None],
    given: tuple[Any, ...],
    killed_by: Callable[[Callable[[], None]], None] | None,
) -> None:
    if killed_by is None:
        work(*given)
        return
    process = _CONTEXT.Process(target=work, args=given, daemon=True)
    process.start()
    killed_by(process.kill)
    process.join(60)
    assert process.exitcode in (0, -9), f"the sender ended with {process.exitcode}"
