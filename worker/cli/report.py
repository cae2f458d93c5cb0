"""`tiewatch report`: all customers together over a period, for whoever leads the team."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from worker.cli.access import a_date, database, today
from worker.cli.terminal import AsJson, Refused, json_text, out, print_json, progress, say, table
from worker.core.portfolio.catalogue import FIGURES, shown
from worker.report.contents import By, Report
from worker.report.document import report_csv, report_document
from worker.report.page import report_page
from worker.report.read import report
from worker.running import runtime

OF_GROUPS = (
    *("customers", "customer_retention", "mrr", "net_revenue_retention"),
    *("gross_revenue_retention", "at_risk", "nps"),
)
"""The figures of each group that fit on a terminal; the other forms have all of them."""


def run(
    first: Annotated[
        str, typer.Option("--from", metavar="DATE", help="The first day, such as 2026-01-01.")
    ],
    last: Annotated[str, typer.Option("--to", metavar="DATE", help="The last day.")],
    file: Annotated[
        Path | None, typer.Argument(help="Where to write it; without it, standard output.")
    ] = None,
    by: Annotated[By | None, typer.Option(help="Also show the figures of each of these.")] = None,
    currency: Annotated[
        str | None, typer.Option(help="Only accounts that pay in this currency, such as EUR.")
    ] = None,
    as_json: AsJson = False,
    as_html: Annotated[
        bool, typer.Option("--html", help="Write a page with charts that needs nothing else.")
    ] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Write a row of figures for each group.")
    ] = False,
) -> None:
    """Show how all customers did together: retention, churn, revenue, risk and what they say."""
    start, end = a_date(first), a_date(last)
    _require(start, end, file, as_json + as_html + as_csv)
    engine, book = database(), runtime.rulebook()
    with progress("Reading accounts", None) as bar:

        def passed(done: int, of: int) -> None:
            bar.bar.update(bar.task, completed=done, total=of)

        found = report(engine, book, start, end, by=by, currency=currency, passed=passed)
    if end > today():
        say(f"{end} is still to come: the report is of what is known today.")
    if as_json and file is None:
        print_json(report_document(found))
    elif as_json or as_html or as_csv:
        _write(file, _text(found, as_json, as_html))
    else:
        _show(found)


def _require(start: date, end: date, file: Path | None, forms: int) -> None:
    if start > end:
        raise Refused(f"--from {start} is after --to {end}: give the earlier day first.")
    if forms > 1:
        raise Refused("Choose one of --json, --html and --csv.")
    if file is not None and not forms:
        raise Refused(f"In which form should {file} be? Add --json, --html or --csv.")
    if file is not None and not file.parent.is_dir():
        raise Refused(f"{file.parent}: there is no such folder to write {file.name} to.")


def _text(found: Report, as_json: bool, as_html: bool) -> str:
    if as_json:
        return json_text(report_document(found))
    return report_page(found) if as_html else report_csv(found)


def _write(file: Path | None, text: str) -> None:
    if file is None:
        print(text, end="")
        return
    try:
        file.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise Refused(f"{file}: cannot be written: {error.strerror}.") from error


def _show(found: Report) -> None:
    shape = table("figure", "", "what it is")
    for name, figure in FIGURES.items():
        value = shown(found.totals[name], figure.kind, found.currency)
        shape.add_row(figure.label, Text(value, justify="right"), Text(figure.meaning, "dim"))
    out.print(shape)
    if found.groups:
        out.print()
        shape = table(str(found.by), *(FIGURES[name].label for name in OF_GROUPS))
        for group in found.groups:
            cells = (shown(group.figures[n], FIGURES[n].kind, found.currency) for n in OF_GROUPS)
            shape.add_row(Text(group.name), *map(Text, cells))
        out.print(shape)
    for note in found.notes:
        say(note)
