"""`tiewatch quarantine`: what could not be applied, why, and how it gets in after all."""

import time
from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import typer
from sqlalchemy import Engine

from worker.capture.mappings import with_imports
from worker.capture.retrying import Retried, retry
from worker.cli.access import database
from worker.cli.batching import release_the_rest
from worker.cli.terminal import NOT_HELD, AsJson, Refused, out, print_json, progress, say, table
from worker.intake.arrivals import Batch, BatchResult
from worker.intake.ingest import TryAgain, ingest
from worker.rulebooks.rulebook import OtherRules, Rulebook
from worker.running import runtime
from worker.store import quarantine as store
from worker.store.database import reading, writing
from worker.store.quarantine import Kept

app = typer.Typer(no_args_is_help=True, help="Events that could not be applied.")

SHORT = 12
"""Characters of an entry's id that are shown; any beginning that is unique will do."""

Ids = Annotated[
    list[str] | None, typer.Argument(help="Entries by id, as 'list' and 'show' tell them.")
]
Reason = Annotated[str | None, typer.Option(help="Those whose reason contains this.")]
Source = Annotated[str | None, typer.Option(help="Those from this source.")]
All = Annotated[bool, typer.Option("--all", help="Everything in quarantine.")]


@app.command("list")
def list_reasons(source: Source = None, as_json: AsJson = False) -> None:
    """Show what is in quarantine by reason, the most frequent first."""
    with reading(database()) as db:
        groups = store.groups(db, source)
    if as_json:
        print_json(
            [
                {
                    "reason": group.reason,
                    "events": group.events,
                    "sources": sorted(group.sources),
                    "first": group.first.isoformat(),
                    "last": group.last.isoformat(),
                    "example": group.example[:SHORT],
                }
                for group in groups
            ]
        )
        return
    if not groups:
        print("Nothing is in quarantine.")
        return
    shown = table("events", "sources", "last", "example", "reason")
    for group in groups:
        last = f"{group.last:%Y-%m-%d %H:%M}"
        sources = ", ".join(sorted(group.sources))
        shown.add_row(f"{group.events:,}", sources, last, group.example[:SHORT], group.reason)
    out.print(shown)


@app.command("show")
def show(
    ids: Ids = None,
    reason: Reason = None,
    source: Source = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show entries whole: what came in, and every problem it has."""
    found = []
    for one in _chosen(database(), ids, reason, source):
        found.append(one)
        if len(found) >= limit:
            break
    if as_json:
        print_json([_document(one) for one in found])
        return
    for one in found:
        print(f"{one.id[:SHORT]}  {one.source or '?'}/{one.event_id or '?'}  {one.way}")
        for problem in one.problems:
            print(f"  {problem}")
        print(f"  {one.body}")


@app.command("retry")
def run_retry(
    ids: Ids = None,
    reason: Reason = None,
    source: Source = None,
    everything: All = False,
    as_json: AsJson = False,
) -> None:
    """Take entries in again, mapped as capture.yaml says now. What is there already is no harm.

    Exit status 1 if some still have problems: they stay in quarantine.
    """
    _must_choose(ids, reason, source, everything, "retry")
    engine = database()
    capture = with_imports(runtime.rules_path())
    entries = list(_chosen(engine, ids, reason, source))
    total = Retried()
    with progress("Taking in again", len(entries)) as bar:
        steps = retry(engine, entries, capture, runtime.clock(), partial(_ingest, engine))
        for part in steps:
            total = total + part
            bar.advance(part.taken_in + part.remain)
    released_badly = release_the_rest(engine)
    if as_json:
        print_json({"taken_in": total.taken_in, "remain": total.remain})
    else:
        print(f"{total.taken_in:,} taken in again, {total.remain:,} still have problems.")
    if total.remain or released_badly:
        raise typer.Exit(NOT_HELD)


@app.command("drop")
def drop(
    ids: Ids = None,
    reason: Reason = None,
    source: Source = None,
    everything: All = False,
    as_json: AsJson = False,
) -> None:
    """Delete entries from quarantine, for good."""
    _must_choose(ids, reason, source, everything, "drop")
    engine = database()
    entries = [one.id for one in _chosen(engine, ids, reason, source)]
    with writing(engine) as db:
        number = store.remove(db, entries)
    if as_json:
        print_json({"dropped": number})
    else:
        print(f"{number:,} dropped.")


def _must_choose(
    ids: list[str] | None, reason: str | None, source: str | None, everything: bool, verb: str
) -> None:
    if not (ids or reason or source or everything):
        raise Refused(f"Say what to {verb}: ids, --reason, --source or --all.")


def _chosen(
    engine: Engine, ids: list[str] | None, reason: str | None, source: str | None
) -> Iterator[Kept]:
    """The entries that were asked for. Raises `Refused` for an id that there is not, or is two."""
    with reading(engine) as db:
        if not ids:
            yield from (
                one
                for one in store.kept(db, source)
                if reason is None or reason in one.reason or reason in "; ".join(one.problems)
            )
            return
        found: dict[str, list[Kept]] = {id_: [] for id_ in ids}
        for one in store.kept(db, source):
            for id_ in ids:
                if one.id.startswith(id_):
                    found[id_].append(one)
    for id_, ones in found.items():
        if len(ones) != 1:
            told = "no entry" if not ones else f"{len(ones)} entries"
            raise Refused(f"There is {told} in quarantine whose id begins with {id_!r}.")
        yield ones[0]


def _document(one: Kept) -> dict[str, Any]:
    return {
        "id": one.id[:SHORT],
        "source": one.source,
        "event": one.event_id,
        "way": one.way,
        "received_at": one.received_at.isoformat(),
        "problems": list(one.problems),
        "body": one.body,
    }


def _ingest(engine: Engine, batch: str, events: list[Any]) -> BatchResult:
    again = False

    def apply(book: Rulebook) -> BatchResult:
        return ingest(engine, Batch(batch, events), book, runtime.clock(), again=again)

    while True:
        try:
            return runtime.with_rules_in_force(apply)
        except (OtherRules, TryAgain) as error:
            say(f"A batch is tried again: {error}")
            time.sleep(1)
            again = True
