"""`tiewatch slack`: setting Slack up, and seeing what would be sent."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from worker import previews
from worker.cli.access import database
from worker.cli.admin import report
from worker.cli.rules import TESTS
from worker.cli.terminal import AsJson, Refused, print_json
from worker.core import answers
from worker.core.rules import RecipientKind
from worker.rulebooks import ruletests
from worker.rulebooks.rulebook import Rulebook
from worker.rulefiles.timelines import Timeline
from worker.running import runtime
from worker.settings import settings
from worker.slack import checkup
from worker.slack.checkup import Person
from worker.slack.page import page
from worker.store import people
from worker.store.database import reading

app = typer.Typer(no_args_is_help=True, help="Slack: setting it up, and seeing what it shows.")

PAGE = Path("tiewatch-preview.html")


@app.command("check")
def check(
    message: Annotated[
        bool, typer.Option(help="Post a message to the default channel, to see that it arrives.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Check that Slack is set up: the tokens, the scopes, the channels, and the reps."""
    if runtime.slack().token is None:
        raise Refused(
            "TIEWATCH_SLACK_BOT_TOKEN is not set: alerts are shown on the console. "
            "docs/slack.md leads to a token in three minutes."
        )
    report(checkup.check(_setup(announce=message)), as_json)


def _setup(*, announce: bool) -> checkup.Setup:
    ours, config = settings(), runtime.slack()
    with reading(database()) as db:
        reps = people.colleagues(db)
    wanted = {"default channel": config.channel, "admin channel": config.admin_channel}
    named = {f"channel {name}": name for name in _channels_of_rules()}
    return checkup.Setup(
        config=config,
        channels={purpose: name for purpose, name in (wanted | named).items() if name},
        reps=[Person(rep.rep, rep.name, rep.email, rep.slack_user) for rep in reps.values()],
        app_token=ours.slack_app_token.get_secret_value() if ours.slack_app_token else None,
        answered=ours.slack_signing_secret is not None,
        announce=announce,
    )


def _channels_of_rules() -> list[str]:
    """The channels to which rules or routes send alerts."""
    book = runtime.rulebook()
    told = [rule.notify for rule in book.rules.rules]
    told += [route.notify for route in book.telling.routes]
    return sorted(
        {
            one.name
            for each in told
            for one in each
            if one.kind is RecipientKind.CHANNEL and one.name
        }
    )


@app.command("preview")
def preview(
    name: Annotated[str, typer.Argument(help="The id of a rule, or the id or name of an account.")],
    to: Annotated[Path, typer.Option("--out", help="The file to write.")] = PAGE,
    as_json: AsJson = False,
) -> None:
    """Write what Slack would show of a rule or an account as a page; nothing is sent.

    A rule that is open nowhere is shown on the story of one of its tests.
    """
    book, now = runtime.rulebook(), runtime.clock()
    rule = next((one for one in book.rules.rules if one.id == name), None)
    found = (
        _of_account(name, book, now)
        if rule is None
        else previews.of_rule(database(), rule, book, _tests(book), now)
    )
    if found is None:
        raise Refused(
            f"{name} is open nowhere, and no test in {runtime.rules_path() / TESTS} expects it: "
            "write one, as docs/testing.md says."
        )
    try:
        to.write_text(page(f"tiewatch: {name}", found.about, found.shown), encoding="utf-8")
    except OSError as error:
        raise Refused(f"{to}: cannot be written: {error.strerror}.") from error
    if as_json:
        print_json({"file": str(to), "shown": [each.payload() for each in found.shown]})
    else:
        print(f"{to}: open it in a browser.")


def _of_account(name: str, book: Rulebook, now: datetime) -> previews.Preview:
    try:
        return previews.of_account(database(), name, book, now)
    except answers.Refused as error:
        raise Refused(f"No rule has the id {name!r}. {error}") from error


def _tests(book: Rulebook) -> list[Timeline]:
    """The tests of the rules, of those that can be read."""
    folder = runtime.rules_path() / TESTS
    if not folder.is_dir():
        return []
    tests, _ = ruletests.read([folder], book.rules, book.sources)
    return tests
