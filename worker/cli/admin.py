"""`tiewatch db`, `doctor` and `rules`: for whoever keeps tiewatch running and its rules right."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text
from sqlalchemy import Engine

from worker import runtime, sweeps
from worker.cli.access import database, queue, upgrade_database
from worker.cli.terminal import AsJson, Refused, out, print_json
from worker.evaluation import read_rulebook
from worker.rulefiles import RuleFilesRefused, check
from worker.store import batches, event_log, outbox
from worker.store import sweeps as sweeps_store
from worker.store.database import reading

NOT_HELD = 1
"""Exit status when the thing checked does not hold."""

db = typer.Typer(no_args_is_help=True, help="The database.")
rules = typer.Typer(no_args_is_help=True, help="The rule files.")


@db.command("upgrade")
def upgrade() -> None:
    """Create the tables, or bring them up to date after an update of tiewatch."""
    upgrade_database()
    print("The database is up to date.")


@rules.command("check")
def rules_check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Rule files or folders; none named means the rules in force."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check rule files, and show every problem with its file, line and column."""
    for path in paths or ():
        if not path.exists():
            raise Refused(f"{path}: there is no such file or folder.")
    problems, found = check(paths or [runtime.rules_path()])
    if as_json:
        print_json(
            [
                {"file": str(p.file), "line": p.line, "column": p.column, "message": p.message}
                for p in problems
            ]
        )
    else:
        for problem in problems:
            print(problem)
        if not problems and found is not None:
            print(f"{len(found.rules)} rules, no problem.")
    if problems:
        raise typer.Exit(NOT_HELD)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that doctor looked at. `trouble` is what is wrong, with what to do."""

    subject: str
    trouble: str | None
    detail: str = ""


def doctor(
    connections: Annotated[
        bool, typer.Option("--connections", help="Only whether the database and the broker answer.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check that all is well: connections, rules, and whatever waits for somebody to act."""
    findings = list(_connections() if connections else _everything())
    if as_json:
        print_json(
            [
                {"subject": f.subject, "ok": f.trouble is None, "detail": f.trouble or f.detail}
                for f in findings
            ]
        )
    else:
        for finding in findings:
            mark = Text("ok  ", "green") if finding.trouble is None else Text("BAD ", "bold red")
            out.print(mark, Text(f"{finding.subject}: {finding.trouble or finding.detail}"), sep="")
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
    return Finding("rules", None, f"{len(book.rules.rules)} rules in {runtime.rules_path()}")


def _contents(engine: Engine) -> Iterator[Finding]:
    with reading(engine) as db_:
        swept = sweeps_store.last_sweep_on(db_)
        yield Finding("last sweep", None, str(swept or "none yet"))
        for on, shard, error in sweeps_store.failed(db_, sweeps.MAX_STARTS):
            yield Finding(
                "sweep",
                f"shard {shard} of the sweep of {on} was given up: {error or 'its workers died'}",
            )
        counts = outbox.counts(db_)
        said = ", ".join(f"{count:,} {state}" for state, count in counts.items())
        yield Finding("alerts", None, said)
        for failure in outbox.failures(db_, limit=5):
            yield Finding("alert", f"of {failure.account} was not delivered: {failure.error}")
        for id_, error in batches.parked(db_):
            yield Finding(
                "parked batch",
                f"{id_}: {error}. 'tiewatch ingest --parked' takes it in again, whole.",
            )
        for problem, number in event_log.quarantined(db_, limit=10):
            yield Finding("quarantine", None, f"{number:,} events: {problem}")
