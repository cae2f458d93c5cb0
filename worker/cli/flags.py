"""`tiewatch flags`: the flags that are up, or were."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import typer
from rich.text import Text
from sqlalchemy import Connection

from worker.cli.access import database
from worker.cli.terminal import AsJson, Refused, out, print_json, say, table
from worker.core.flags import State, evaluation_date
from worker.evaluating.alerting import words_now
from worker.running import runtime
from worker.store import flag_lists, stats, sweeps
from worker.store.database import reading


def run(
    account: Annotated[str | None, typer.Option(help="Only this account's.")] = None,
    state: Annotated[
        str | None,
        typer.Option(help="Only those in this state, such as open or resolved; or all."),
    ] = None,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="Those of rules in shadow, which nobody is told of.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the flags that are up: pending, open, acknowledged, snoozed or dismissed."""
    known = [str(one) for one in State]
    if state not in (None, "all", *known):
        raise Refused(f"There is no state {state!r}: choose one of {', '.join(known)}, or all.")
    states = flag_lists.LIVE if state is None else known if state == "all" else [state]
    with reading(database()) as db:
        rows = [dict(row) for row in flag_lists.listed(db, account, states, shadow)]
        if account is not None and not rows and not stats.is_known(db, account):
            say(f"There is no account {account!r}: 'tiewatch facts' lists all of them.")
        _say_as_of_now(db, rows)
    if as_json:
        print_json([_flag_json(row) for row in rows])
        return
    shape = table("account", "rule", "severity", "state", "opened", "title")
    for row in rows:
        opened = "" if row["opened_on"] is None else str(row["opened_on"])
        shape.add_row(
            *map(
                Text,
                (row["account"], row["rule"], row["severity"], row["state"], opened, row["title"]),
            )
        )
    out.print(shape)


def _say_as_of_now(db: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Give flags that are up the words of today: what they were stored with has gone on."""
    on = evaluation_date(sweeps.last_sweep_on(db), runtime.clock())
    up = {(row["account"], row["rule"]) for row in rows if row["state"] in flag_lists.LIVE}
    current = words_now(db, up, runtime.rulebook(), on)
    for row in rows:
        row["reasons"] = msgspec.json.decode(row["reasons"])
        if row["state"] in flag_lists.LIVE and (row["account"], row["rule"]) in current:
            row["title"], row["reasons"] = current[row["account"], row["rule"]]


def _flag_json(row: dict[str, Any]) -> dict[str, Any]:
    dates = ("first_true_on", "opened_on", "resolved_on")
    return {
        "account": row["account"],
        "rule": row["rule"],
        "severity": row["severity"],
        "state": row["state"],
        **{name: None if row[name] is None else row[name].isoformat() for name in dates},
        "assignee": row["assignee"],
        "quiet_until": None if row["quiet_until"] is None else row["quiet_until"].isoformat(),
        "title": row["title"],
        "reasons": list(row["reasons"]),
    }
