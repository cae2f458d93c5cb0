"""Measures of many accounts at once: one statement for each source, whatever is measured of it."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from worker.core.measures import AMOUNTS, FIELDS, Measure, Source
from worker.store.dialect import Rows, execute_among, in_our_order, member_of

_TABLES = {
    Source.USAGE: "feature_days",
    Source.INTERACTION: "touches",
    Source.TICKET: "tickets",
    Source.SURVEY: "surveys",
}
_AT_ONCE = 100
"""Measures in one statement: fewer than the columns and parameters that either database takes."""


def ask_measures(
    db: Connection, accounts: Collection[str], on: int, measures: Collection[Measure]
) -> Callable[[], dict[str, dict[Measure, int]]]:
    """Ask for measures on the day `on`; the function returned waits for them, by account.

    What is 0 of an account without any row in its windows is left out.
    """
    by_source: dict[Source, list[Measure]] = defaultdict(list)
    for measure in sorted(measures):
        by_source[measure.source].append(measure)
    asked: list[tuple[Sequence[Measure], Rows]] = []
    for source, of_source in by_source.items():
        for start in range(0, len(of_source), _AT_ONCE):
            some = of_source[start : start + _AT_ONCE]
            asked.append((some, _ask(db, source, accounts, on, some)))

    def answer() -> dict[str, dict[Measure, int]]:
        found: dict[str, dict[Measure, int]] = defaultdict(dict)
        for some, rows in asked:
            for account, *values in rows:
                found[account].update(zip(some, values, strict=True))
        return found

    return answer


def _ask(
    db: Connection, source: Source, accounts: Collection[str], on: int, measures: Sequence[Measure]
) -> Rows:
    parameters: dict[str, Any] = {"on": on}
    columns = [_column(db, measure, parameters) for measure in measures]
    parameters["first"] = on - max(measure.days + measure.skip for measure in measures)
    parameters["last"] = on - 1 - min(measure.skip for measure in measures)
    kinds = " AND kind IN ('nps', 'csat', 'perception')" if source is Source.SURVEY else ""
    return execute_among(
        db,
        f"SELECT account, {', '.join(columns)} FROM {_TABLES[source]} "
        f"WHERE account {{among}}{kinds} AND day BETWEEN :first AND :last GROUP BY account",
        accounts,
        **parameters,
    )


def _column(db: Connection, measure: Measure, parameters: dict[str, Any]) -> str:
    """One measure as an aggregate over the rows of all windows; its values become parameters."""
    end = measure.skip + 1
    terms = [f"day BETWEEN :on - {measure.days + measure.skip} AND :on - {end}"]
    for field, values in measure.where:
        name = f"p{len(parameters)}"
        parameters[name] = msgspec.json.encode(values).decode()
        terms.append(f"{FIELDS[measure.source][field]} {member_of(db, name)}")
    amount = AMOUNTS[measure.source][measure.amount]
    if not amount.distinct:
        value = amount.sum_of or "1"
        return f"CAST(coalesce(sum(CASE WHEN {' AND '.join(terms)} THEN {value} END), 0) AS bigint)"
    texts = [column for column in amount.distinct if column != "day"]
    terms += [f"{column} <> ''" for column in texts]
    value = " || ' ' || ".join(
        column if column != "day" or len(amount.distinct) == 1 else "CAST(day AS text)"
        for column in amount.distinct
    )
    if texts:
        value = in_our_order(db, f"({value})")  # as bytes, which sort several times faster
    return f"count(DISTINCT CASE WHEN {' AND '.join(terms)} THEN {value} END)"
