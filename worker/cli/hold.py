"""`tiewatch hold`: silence about an account, for a while."""

from typing import Annotated

import typer

from worker.cli.access import a_date, database, today
from worker.cli.terminal import AsJson, Refused, print_json, table
from worker.cli.terminal import out as terminal
from worker.core.muting import Mute
from worker.running import runtime
from worker.store import holds, told
from worker.store.database import reading, writing


def run(
    account: Annotated[
        str | None, typer.Argument(help="The account's id; none named lists those on hold.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="The last day of the hold, such as 2026-03-31.")
    ] = None,
    lift: Annotated[bool, typer.Option("--lift", help="End the account's hold now.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let nobody be told anything of an account up to a date, say while a contract is settled.

    Its rules are evaluated all the same. What is still open after the hold is told then, with the
    next daily sweep.
    """
    if account is None:
        if until or lift:
            raise Refused("Which account? Write: tiewatch hold ACCOUNT --until 2026-03-31")
        _list(as_json)
        return
    if (until is None) == (not lift):
        raise Refused("Say until when, as in --until 2026-03-31, or --lift to end the hold.")
    last_day = None if until is None else a_date(until)
    if last_day is not None and last_day < today():
        raise Refused(f"{last_day} is past: --lift ends a hold.")
    engine = database()
    with writing(engine) as db:
        if last_day is None:
            if not holds.lift(db, account):
                raise Refused(f"{account!r} is not on hold. 'tiewatch hold' lists what is.")
        elif holds.put(db, account, last_day, now := runtime.clock()):
            told.silence(db, [account], Mute.ON_HOLD, now)
        else:
            raise Refused(f"There is no account {account!r}. 'tiewatch facts' lists them.")
    if as_json:
        print_json({"account": account, "until": str(last_day) if last_day else None})
    elif last_day is None:
        print(f"{account} is not on hold: what is open is told with the next daily sweep.")
    else:
        print(f"Nothing is told of {account} up to and on {last_day}.")


def _list(as_json: bool) -> None:
    with reading(database()) as db:
        found = holds.listed(db, today())
    if as_json:
        print_json([{"account": account, "until": str(until)} for account, until in found])
        return
    shape = table("account", "until")
    for account, until in found:
        shape.add_row(account, str(until))
    terminal.print(shape)
