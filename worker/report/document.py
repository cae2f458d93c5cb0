"""The portfolio report for programs: a JSON document, or CSV with a row for each group.

Percentages are numbers from 0 to 100, days are ISO 8601, money is a month's.
"""

import csv
from io import StringIO
from typing import Any

from worker.core.portfolio.catalogue import FIGURES
from worker.core.portfolio.figures import Figures, Movements
from worker.report.contents import Group, Report

Document = dict[str, Any]

DIGITS = 6
"""Decimals that are given: beyond them there is only the rounding of sums."""


def report_document(found: Report) -> Document:
    """All of the report. A figure with nothing to stand on is null."""
    return {
        "from": found.first.isoformat(),
        "to": found.last.isoformat(),
        "currency": found.currency,
        "totals": _figures(found.totals),
        "movements": _movements(found.movements),
        "renewals": [
            {"days": r.days, "due": r.due, "flagged": r.flagged, "mrr": _rounded(r.mrr)}
            for r in found.renewals
        ],
        "health_engagement": {
            "correlation": _rounded(found.health_engagement.r),
            "n": found.health_engagement.n,
        },
        "cohorts": [
            {
                "quarter": one.quarter,
                "customers": one.customers,
                "retention": [_rounded(share) for share in one.kept],
                "revenue_retention": [_rounded(share) for share in one.revenue_kept],
            }
            for one in found.cohorts
        ],
        "trend": [
            {"on": point.day.isoformat(), "customers": point.customers, "mrr": _rounded(point.mrr)}
            for point in found.trend
        ],
        "by": [_group(found, group) for group in found.groups],
        "notes": list(found.notes),
    }


def report_csv(found: Report) -> str:
    """A row for each group, and one for the total, last. What there is not is an empty cell."""
    text = StringIO()
    written = csv.writer(text, lineterminator="\n")
    written.writerow(["from", "to", *([str(found.by)] if found.by else []), *FIGURES])
    period = [found.first.isoformat(), found.last.isoformat()]
    for group in found.groups:
        written.writerow([*period, _safe(group.value or ""), *_figures(group.figures).values()])
    total = ["total"] if found.by else []
    written.writerow([*period, *total, *_figures(found.totals).values()])
    return text.getvalue()


def _group(found: Report, group: Group) -> Document:
    return {str(found.by): group.value, "name": group.name, **_figures(group.figures)}


def _figures(values: Figures) -> Document:
    return {name: _rounded(values[name]) for name in FIGURES}


def _movements(moved: Movements | None) -> Document | None:
    return moved and {name: _rounded(value) for name, value in moved._asdict().items()}


def _rounded(value: float | None) -> float | None:
    return value if value is None or isinstance(value, int) else round(value, DIGITS)


def _safe(text: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
