"""`tiewatch keys`: who may send events over HTTP, and as whom."""

import re
from typing import Annotated

import typer

from worker.cli.access import database
from worker.cli.terminal import AsJson, Refused, out, print_json, table
from worker.running.runtime import clock
from worker.store import api_keys
from worker.store.api_keys import Scope
from worker.store.database import reading, writing

app = typer.Typer(no_args_is_help=True, help="The keys with which others send events.")

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What it is called: who will use it.")],
    scopes: Annotated[
        list[Scope] | None,
        typer.Option("--scope", help="What it is for; repeat it. All of these if none is given."),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(help="The source of all events sent with it; the name if not given."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key, and show it this once: only a digest of it is stored.

    A name may have several keys, so that one can follow another without a gap.
    """
    for word in (name, source or name):
        if not _NAME.fullmatch(word):
            raise Refused(
                f"{word!r} cannot be a name: write up to 60 of a-z, 0-9, dot, _ and -, "
                "beginning with a letter or a digit."
            )
    with writing(database()) as db:
        key = api_keys.create(db, name, source or name, scopes or list(Scope), clock())
    if as_json:
        print_json({"name": name, "key": key})
    else:
        print(key)


@app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """Show which keys there are, what they are for and when they were used last."""
    with reading(database()) as db:
        found = api_keys.all_keys(db)
    if as_json:
        print_json(
            [
                {
                    "id": key.id,
                    "name": key.name,
                    "source": key.source,
                    "scopes": sorted(key.scopes),
                    "created_at": key.created_at.isoformat(),
                    "last_used_at": key.last_used_at.isoformat() if key.last_used_at else None,
                    "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
                }
                for key in found
            ]
        )
        return
    shown = table("name", "id", "source", "for", "last used", "")
    for key in found:
        used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never"
        state = "revoked" if key.revoked_at else ""
        shown.add_row(key.name, key.id, key.source, ", ".join(sorted(key.scopes)), used, state)
    out.print(shown)


@app.command("revoke")
def revoke(
    name: Annotated[str, typer.Argument(help="The name, for all of its keys, or the id of one.")],
) -> None:
    """Let a key open nothing any more, from five seconds on."""
    with writing(database()) as db:
        number = api_keys.revoke(db, name, clock())
    if not number:
        raise Refused(f"There is no key {name!r} that is not revoked: see 'tiewatch keys list'.")
    print(f"{number} revoked." if number > 1 else "Revoked.")
