"""`tiewatch db` and `doctor`: for whoever keeps tiewatch running."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Annotated

import typer
from rich.text import Text
from sqlalchemy import Connection, Engine

from worker.cli import webhook_findings
from worker.cli.access import database, queue, upgrade_database
from worker.cli.terminal import NOT_HELD, AsJson, Refused, out, print_json
from worker.core.findings import Finding
from worker.core.webhooks import Webhooks
from worker.evaluating import sweeps
from worker.rulebooks.rulebook import read_rulebook
from worker.rulefiles import RuleFilesRefused
from worker.running import runtime
from worker.slack.phrases import counted
from worker.store import (
    backlog,
    batches,
    behind,
    event_log,
    holds,
    outbox,
    pacing,
    spool,
    waiting,
    waiting_members,
)
from worker.store import sweeps as sweeps_store
from worker.store.database import reading
from worker.store.outbox import Aside

HELD_SHOWN = 5
"""Accounts on hold that are named one by one."""

DIVERTED_FOR = timedelta(days=1)
"""For how long alerts that went elsewhere than planned are trouble: by then it may be mended."""

db = typer.Typer(no_args_is_help=True, help="The database.")


@db.command("upgrade")
def upgrade() -> None:
    """Create the tables, or bring them up to date after an update of tiewatch."""
    upgrade_database()
    print("The database is up to date.")


def doctor(
    connections: Annotated[
        bool, typer.Option("--connections", help="Only whether the database and the broker answer.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check that all is well: connections, rules, and whatever waits for somebody to act."""
    report(_connections() if connections else _everything(), as_json)


def report(found: Iterable[Finding], as_json: bool) -> None:
    """Print what was found as it is found, and end with status 1 if any of it is trouble."""
    findings = []
    for finding in found:
        findings.append(finding)
        if not as_json:
            mark = Text("ok  ", "green") if finding.trouble is None else Text("BAD ", "bold red")
            said = Text(f"{finding.subject}: {finding.trouble or finding.detail}")
            out.print(mark, said, sep="", soft_wrap=True)
    if as_json:
        print_json(
            [
                {"subject": f.subject, "ok": f.trouble is None, "detail": f.trouble or f.detail}
                for f in findings
            ]
        )
    if any(finding.trouble for finding in findings):
        raise typer.Exit(NOT_HELD)


def _connections() -> Iterator[Finding]:
    try:
        engine = database()
        yield Finding("database", None, engine.dialect.name)
    except Refused as error:
        yield Finding("database", str(error))
    try:
        with queue() as app:
            yield Finding("broker", None, app.connection_for_read().as_uri())
    except Refused as error:
        yield Finding("broker", str(error))


def _everything() -> Iterator[Finding]:
    yield from _connections()
    yield _rules()
    try:
        yield from _contents(database())
    except Refused:
        return  # said above


def _rules() -> Finding:
    try:
        book = read_rulebook(runtime.rules_path())
    except RuleFilesRefused as error:
        return Finding("rules", f"{error.problems[0]} ('tiewatch rules check' shows all problems)")
    number = len(book.rules.rules)
    rules = "1 rule" if number == 1 else f"{number} rules"
    return Finding("rules", None, f"{rules} in {runtime.rules_path()}")


def _slack(db_: Connection, now: datetime) -> Iterator[Finding]:
    pause = pacing.paused_until(db_)
    if pause is not None and pause > now:
        yield Finding("Slack", None, f"wants a pause until {pause:%H:%M:%S} UTC")
    for why, number in backlog.diverted(db_, now - DIVERTED_FOR).items():
        yield Finding("Slack", f"{number:,} alerts went to the default channel {why}")


def _told() -> Webhooks:
    try:
        return runtime.rulebook().webhooks
    except RuleFilesRefused:
        return ()  # said before


def _in_part(number: int) -> str:
    if number == 1:
        return "1 of them counts already for those of its people who are known"
    return f"{number:,} of them count already for those of their people who are known"


def _aside(alert: Aside) -> str:
    return (
        f"{alert.key} of {alert.account or 'no account'} is put aside, since it cannot be planned: "
        f"{alert.error} (tried {_times(alert.tries)}, again {alert.until:%Y-%m-%d %H:%M} UTC; "
        "'tiewatch deliver --failed' tries it at once)"
    )


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


def _held(on_hold: list[tuple[str, date]]) -> str:
    named = [f"{account} up to {until}" for account, until in on_hold[:HELD_SHOWN]]
    if more := len(on_hold) - len(named):
        named.append(f"and {more:,} more ('tiewatch hold' lists them)")
    return f"nothing is told of {', '.join(named)}"


def _behind(accounts: list[str]) -> str:
    of = counted(len(accounts), "large account")
    named = ", ".join([*accounts[:HELD_SHOWN], *(["..."] if accounts[HELD_SHOWN:] else [])])
    return f"of {of}, {named}, earlier events are to be read anew: a worker does so by itself"


def _contents(engine: Engine) -> Iterator[Finding]:
    with reading(engine) as db_:
        swept = sweeps_store.last_sweep_on(db_)
        ahead = None
        if swept is not None and swept > runtime.clock().date():
            ahead = (
                f"was of {swept}, which is ahead (tiewatch sweep --on): flags and rules are as of "
                "that date until it is past"
            )
        yield Finding("last sweep", ahead, str(swept or "none yet"))
        for on, shard, error in sweeps_store.failed(db_, sweeps.MAX_STARTS):
            yield Finding(
                "sweep",
                f"shard {shard} of the sweep of {on} was given up: {error or 'its workers died'}",
            )
        number = outbox.number_aside(db_)
        planned_later = {"to plan": outbox.to_plan(db_) - number, "put aside": number}
        counts = backlog.counts(db_) | planned_later
        said = ", ".join(f"{count:,} {state}" for state, count in counts.items())
        yield Finding("alerts", None, said)
        for failure in backlog.failures(db_, limit=5):
            yield Finding("alert", f"of {failure.account} was not delivered: {failure.error}")
        for aside in outbox.aside(db_, limit=5):
            yield Finding("alert", _aside(aside))
        yield from _slack(db_, runtime.clock())
        yield from webhook_findings.standing(db_, _told(), runtime.clock())
        if on_hold := holds.listed(db_, runtime.clock().date()):
            yield Finding("on hold", None, _held(on_hold))
        for id_, error in batches.parked(db_):
            yield Finding(
                "parked batch",
                f"{id_}: {error}. 'tiewatch ingest --parked' takes it in again, whole; with "
                "--direct it may take as long as it needs.",
            )
        for problem, number in event_log.quarantined(db_, limit=10):
            yield Finding("quarantine", None, f"{number:,} events: {problem}")
        if held := spool.held(db_).batches:
            yield Finding("spool", None, f"{held:,} batches wait for the broker")
        if late := behind.listed(db_):
            yield Finding("behind", None, _behind([account for account, _ in late]))
        if number := waiting_members.number(db_):
            told = f"{number:,} events wait until somebody says whose their users are"
            yield Finding("waiting events", None, told)
        mails, most = waiting.counted(db_, limit=5)
        if mails:
            keys = ", ".join(f"{key} ({number:,})" for key, number in most)
            told = f"{mails:,} events wait until an account has the domains of their people: {keys}"
            if in_part := waiting.applied_in_part(db_):
                told += f". {_in_part(in_part)}"
            yield Finding("waiting mails", None, told)
        if waiting.next_step(db_) is not None:
            told = "it is known by now whose some of them are: workers take those in step by step"
            yield Finding("waiting events known by now", None, told)
