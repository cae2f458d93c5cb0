"""`tiewatch sources`: which sources of events have gone silent, and how long they normally are."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import typer
from rich.text import Text

from worker.cli.access import database, today
from worker.cli.terminal import AsJson, json_text, out, print_json, say, table
from worker.core.freshness import FEWEST_DAYS, Source, usual_gap
from worker.core.units import Unit, shown
from worker.running import runtime
from worker.store import sources
from worker.store.database import reading

app = typer.Typer(help="Sources of events, and whether they still deliver.")


@app.callback(invoke_without_command=True)
def run(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the sources of events: when each last delivered, and whether that is too long ago."""
    if context.invoked_subcommand is not None:
        return
    listed, on = runtime.rulebook().sources, today()
    with reading(database()) as db:
        names = sorted({*listed, *sources.names(db)})
        last = sources.last_days(db, names)
    rows = [_row(name, listed.get(name), last.get(name, {}), on) for name in names]
    if as_json:
        print_json(rows)
        return
    shape = table("source", "state", "last event", "longest gap", "delivers")
    for row in rows:
        gap = "" if row["gap_days"] is None else shown(row["gap_days"], Unit.DAYS)
        cells = (row["source"], row["state"], row["last_event_on"] or "never", gap)
        shape.add_row(*map(Text, cells), ", ".join(row["events"]))
    out.print(shape)
    if not listed:
        say("None is listed in sources.yaml: 'tiewatch sources suggest' proposes what to list.")


def _row(name: str, source: Source | None, last: Mapping[str, int], on: date) -> dict[str, Any]:
    judged = {k: day for k, day in last.items() if not source or k in (source.events or last)}
    day = max(judged.values(), default=None)
    since = None if day is None else max(0, on.toordinal() - day)
    return {
        "source": name,
        "state": _state(source, since),
        "last_event_on": None if day is None else date.fromordinal(day).isoformat(),
        "days_since": since,
        "gap_days": source.gap if source else None,
        "events": sorted((source.events if source else ()) or last),
    }


def _state(source: Source | None, since: int | None) -> str:
    if source is None:
        return "not listed"
    if since is None:
        return "never heard of"
    return "stale" if since > source.gap else "fresh"


@app.command("suggest")
def suggest(as_json: AsJson = False) -> None:
    """Propose a sources.yaml from what each source has delivered so far."""
    with reading(database()) as db:
        delivered = sources.all_days(db)
    rows = [
        {
            "source": name,
            "gap_days": usual_gap(list(days)),
            "days": len(days),
            "events": sorted(set().union(*days.values())),
        }
        for name, days in delivered.items()
    ]
    if as_json:
        print_json(rows)
        return
    print("# The longest normal gap of each source: a day more than 99% of its gaps so far.")
    print("sources:" if any(row["gap_days"] for row in rows) else "sources: {}")
    for row in rows:
        print(_line(row))


def _line(row: Mapping[str, Any]) -> str:
    name = _written(row["source"])
    if row["gap_days"] is None:
        return f"  # {name} has delivered on fewer than {FEWEST_DAYS} days: too few to tell"
    gap = shown(row["gap_days"], Unit.DAYS)
    return f"  {name}: {{gap: {gap}, events: [{', '.join(row['events'])}]}}"


def _written(name: str) -> str:
    """A source's name as a key of YAML: JSON's quotes are YAML's too."""
    return (
        name if name.isidentifier() and name.lower() not in _NOT_TEXT else json_text(name).strip()
    )


_NOT_TEXT = ("true", "false", "yes", "no", "on", "off", "null", "y", "n")
