"""A pass of delivery in a process of its own, for tests to kill."""

import multiprocessing
from collections.abc import Callable
from datetime import datetime, timedelta

from worker.delivery import deliver
from worker.posting import to_slack
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
    if killed_by is None:
        _pass(url, config, now, senders)
        return
    process = _CONTEXT.Process(target=_pass, args=(url, config, now, senders), daemon=True)
    process.start()
    killed_by(process.kill)
    process.join(60)
    assert process.exitcode in (0, -9), f"the sender ended with {process.exitcode}"
