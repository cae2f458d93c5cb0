"""`tiewatch slack`: setting Slack up, and seeing what would be sent."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from worker import previews, ruletests, runtime
from worker.cli.access import database
from worker.cli.rules import TESTS
from worker.cli.terminal import AsJson, Refused, print_json
from worker.core import answers
from worker.evaluation import Rulebook
from worker.rulefiles.timelines import Timeline
from worker.slack.page import page

app = typer.Typer(no_args_is_help=True, help="Slack.")

PAGE = Path("tiewatch-preview.html")


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
        else previews.of_rule(database(), rule, book, _tests(), now)
    )
    if found is None:
        raise Refused(
            f"{name} is open nowhere, and no test in {runtime.rules_path() / TESTS} expects it: "
            "write one, as docs/rules.md says."
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


def _tests() -> list[Timeline]:
    """The tests of the rules, of those that can be read."""
    folder = runtime.rules_path() / TESTS
    if not folder.is_dir():
        return []
    tests, _ = ruletests.read([folder], runtime.rulebook().rules)
    return tests
