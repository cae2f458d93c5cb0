"""`tiewatch rules backtest` and `diff`: what rules would have done with the events that are logged.

Nothing is written to the database, and nobody is told anything.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from worker.backtest import page, sheets
from worker.backtest.difference import Difference, differences
from worker.backtest.document import backtest_document, diff_document
from worker.backtest.figures import Figures, figures
from worker.backtest.outcomes import Churns, Outcomes, OutcomesRefused, read_outcomes, scored
from worker.backtest.replay import Period, Replay, replay
from worker.cli.access import a_date, database
from worker.cli.terminal import AsJson, Refused, out, print_json, progress, say, table
from worker.pages import Sheet
from worker.rulebooks.rulebook import Rulebook
from worker.rulefiles import load, load_health, load_metrics, load_ties
from worker.running import runtime
from worker.store.database import reading
from worker.store.rereading import everything

SHOWN = 20
"""Changed flags that are listed on the terminal; JSON and the page have all of them."""

BLOCKS = " ▁▂▃▄▅▆▇█"
WIDEST = 53
"""Blocks in a row: a year of weeks."""

From = Annotated[
    str, typer.Option("--from", metavar="DATE", help="The first day, such as 2025-01-01.")
]
To = Annotated[str, typer.Option("--to", metavar="DATE", help="The last day.")]
Html = Annotated[
    Path | None, typer.Option("--html", help="Also write a page with charts to this file.")
]


def backtest(
    first: From,
    last: To,
    rules: Annotated[
        Path | None,
        typer.Option(help="A rule file or folder; without it, the rules in force."),
    ] = None,
    outcomes: Annotated[
        Path | None,
        typer.Option(help="Who left, and when: a CSV file with the header account,churned_on."),
    ] = None,
    within: Annotated[
        int,
        typer.Option(min=1, max=3_650, help="Days within which a flag expects a customer to go."),
    ] = 180,
    html: Html = None,
    as_json: AsJson = False,
) -> None:
    """Show what the rules would have done with the events of a time gone by."""
    period, book = _period(first, last), _rulebook(rules or runtime.rules_path())
    churns = None if outcomes is None else _churns(outcomes)
    _require_folder_of(html)
    (replayed,) = _replayed([book], period)
    found = figures(replayed)
    known = None if churns is None else scored(replayed, churns, within)
    if html is not None:
        _write(html, page.backtest_page(replayed, found, known))
    if as_json:
        print_json(backtest_document(replayed, found, known))
    else:
        _show_backtest(found, known)


def diff(
    old: Annotated[Path, typer.Argument(help="The rule file or folder before the edit.")],
    new: Annotated[Path, typer.Argument(help="The one after it.")],
    first: From,
    last: To,
    html: Html = None,
    as_json: AsJson = False,
) -> None:
    """Show which flags an edit of the rules would have changed."""
    period, books = _period(first, last), [_rulebook(old), _rulebook(new)]
    _require_folder_of(html)
    before, after = _replayed(books, period)
    found = differences(before, after)
    if html is not None:
        _write(html, page.diff_page(before, after, found))
    if as_json:
        print_json(diff_document(before, after, found))
    else:
        _show_diff(found)


def _period(first: str, last: str) -> Period:
    period = Period(a_date(first), a_date(last))
    if period.first > period.last:
        raise Refused(f"--from {first} is after --to {last}: give the earlier day first.")
    return period


def _rulebook(path: Path) -> Rulebook:
    """The rules at a path, with the settings beside them."""
    if not path.exists():
        raise Refused(f"{path}: there is no such file or folder.")
    root = path if path.is_dir() else path.parent
    rules = load(path)
    metrics = load_metrics(root, rules)
    return Rulebook(rules, load_ties(root), metrics=metrics, health=load_health(root, metrics))


def _churns(file: Path) -> Churns:
    try:
        return read_outcomes(file)
    except OutcomesRefused as error:
        raise Refused(f"The outcomes cannot be used:\n{error}") from error


def _require_folder_of(html: Path | None) -> None:
    """See that a page can be written before the work for it is done."""
    if html is not None and not html.parent.is_dir():
        raise Refused(f"{html.parent}: there is no such folder to write {html.name} to.")


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refused(f"{file}: cannot be written: {error.strerror}.") from error


def _replayed(books: Sequence[Rulebook], period: Period) -> list[Replay]:
    engine = database()
    with reading(engine) as db:
        events = everything(db, datetime.combine(period.last + timedelta(days=1), time(), UTC))
        begin = next(events, None)
        if begin is None:
            raise Refused(
                f"No event up to {period.last} is in the log: take the history in with "
                "'tiewatch ingest --backfill' first."
            )
        days = period.last.toordinal() - begin.day + 1
        with progress("Replaying", days) as bar:
            found = replay(
                chain([begin], events),
                books,
                period,
                lambda on: bar.advance(label=f"Replaying {on:%d %b %Y}"),
            )
    ended = found[0].ended
    if ended < period.last:
        say(f"The log ends on {ended}: the days after it passed as if nothing had happened.")
    return found


def _show_backtest(found: Sequence[Figures], known: Outcomes | None) -> None:
    _show(sheets.figures_sheet(found))
    out.print()
    weeks = [(sheets.name_of(one.rule), _spark([n for _, n in one.by_week])) for one in found]
    _show(Sheet(("rule", "over time"), weeks))
    reps = sheets.reps_sheet(found)
    if reps.rows:
        out.print()
        _show(reps)
    if known is not None:
        out.print()
        _show(sheets.outcomes_sheet(found, known))
        if known.unknown_accounts:
            say(
                f"{len(known.unknown_accounts):,} accounts of the outcomes file are in no event, "
                f"such as {known.unknown_accounts[0]!r}."
            )


def _show_diff(found: Sequence[Difference]) -> None:
    _show(sheets.differences_sheet(found))
    changes = sheets.changes_sheet(found)
    if changes.rows:
        out.print()
        _show(Sheet(changes.columns, changes.rows[:SHOWN]))
    if len(changes.rows) > SHOWN:
        more = len(changes.rows) - SHOWN
        say(f"... and {more:,} more: --json and --html list all of them.")


def _show(sheet: Sheet) -> None:
    """Where the terminal is narrow, the first and last columns give way: no figure is cut off."""
    shape = table(*sheet.columns)
    shape.columns[0].overflow = "fold"
    for column, name in list(zip(shape.columns, sheet.columns, strict=True))[1:-1]:
        column.no_wrap, column.header = True, name.replace(" ", "\n")
    for row in sheet.rows:
        shape.add_row(*map(Text, row))
    out.print(shape)


def _spark(weeks: Sequence[int]) -> str:
    """A line of blocks as high as the numbers, several weeks in one if need be; only 0 is blank."""
    together = -(-len(weeks) // WIDEST)
    numbers = [sum(weeks[start : start + together]) for start in range(0, len(weeks), together)]
    top = max(numbers)
    return "".join(BLOCKS[-(-8 * number // top) if top else 0] for number in numbers)
