"""`tiewatch webhooks`: trying the other systems that are told, and going on with one."""

from typing import Annotated

import typer

from worker.cli.access import database
from worker.cli.admin import report
from worker.cli.terminal import AsJson, Refused, print_json
from worker.cli.webhook_findings import tried
from worker.core.webhooks import Webhook
from worker.running import runtime
from worker.store import receivers, resuming
from worker.store.database import writing
from worker.store.receivers import Standing

app = typer.Typer(
    no_args_is_help=True, help="Webhooks: other systems that are told of flags and facts."
)

NAME = typer.Argument(help="The webhook's name in webhooks.yaml.")


@app.command("check")
def check(
    name: Annotated[str | None, typer.Argument(help="Only this one; else all are tried.")] = None,
    as_json: AsJson = False,
) -> None:
    """Send a signed test message to each webhook, and say what came back."""
    chosen = [_named(name)] if name else runtime.rulebook().webhooks
    if not chosen:
        raise Refused(
            f"There is no webhook in {runtime.rules_path()}/webhooks.yaml: docs/webhooks.md says "
            "what stands there."
        )
    report(map(tried, chosen), as_json)


@app.command("resume")
def resume(name: Annotated[str, NAME], as_json: AsJson = False) -> None:
    """Go on with a webhook that was stopped, and send again what was given up.

    What newer messages have told of since is not sent again: it is true no more.
    """
    _named(name)
    with writing(database()) as db:
        done = resuming.resume(db, name, runtime.clock())
        waiting = receivers.standings(db).get(name, Standing(name)).waiting
    if as_json:
        print_json({"webhook": name, **done._asdict(), "waiting": waiting})
        return
    print(
        f"{name}: {waiting:,} messages will be sent, {done.again:,} of them had been given up. "
        "The workers send them, and so does 'tiewatch deliver'."
    )
    if done.overtaken:
        print(f"{done.overtaken:,} more are not sent again: {resuming.OVERTAKEN}.")


def _named(name: str) -> Webhook:
    known = {one.name: one for one in runtime.rulebook().webhooks}
    if name not in known:
        there = f"there are {', '.join(known)}" if known else "there is none"
        where = f"{runtime.rules_path()}/webhooks.yaml"
        raise Refused(f"There is no webhook {name!r} in {where}: {there}.")
    return known[name]
