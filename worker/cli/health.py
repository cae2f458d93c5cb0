"""`tiewatch health`: the health score part by part, and what has moved it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from rich.text import Text

from worker.cli.access import a_date
from worker.cli.looking import ACCOUNTS, ON, calibrated, require, some_at_a_time
from worker.cli.terminal import AsJson, Refused, out, print_json, table
from worker.core.catalogue import Fact
from worker.core.facts import FACTS
from worker.core.health import Health
from worker.core.trends import TREND_DAYS, Mover, movers
from worker.core.units import NEVER, Unit, shown
from worker.evaluating import healths, standings
from worker.running import runtime
from worker.store.database import reading


def run(accounts: ACCOUNTS = None, on: ON = None, as_json: AsJson = False) -> None:
    """Show the health score of accounts: its parts, how sure it is, and what has moved it."""
    day, book = a_date(on), runtime.rulebook()
    if not book.health.parts:
        raise Refused("There is no health score: health.yaml in the rules directory has no parts.")
    with reading(calibrated(book)) as db:
        now = standings.workspace_on(db, book, day, withhold=on is None)
        then = replace(now, withheld={})
        found: dict[str, tuple[Health, Health | None]] = {}
        for some in some_at_a_time(db, accounts, day):
            before = healths.on_day(db, some, day - timedelta(days=TREND_DAYS), then, book.metrics)
            found |= {
                account: (health, before.get(account))
                for account, health in healths.on_day(db, some, day, now, book.metrics).items()
            }
    require(accounts, found)
    if as_json:
        print_json(
            [_document(account, day.isoformat(), *found[account]) for account in sorted(found)]
        )
    else:
        known = FACTS | {fact.name: fact for fact in book.metrics.facts}
        if len(found) == 1:
            _show_one(*found.popitem(), known)
        else:
            _show_all(found, known)


def _change(now: Health, then: Health | None) -> int | None:
    if now.score is None or then is None or then.score is None:
        return None
    return now.score - then.score


def _moved(now: Health, then: Health | None) -> Sequence[Mover]:
    return movers(then, now) if then is not None else ()


def _document(account: str, on: str, now: Health, then: Health | None) -> dict[str, Any]:
    return {
        "account": account,
        "on": on,
        "score": now.score,
        "confidence": round(now.confidence, 1),
        "change_30d": _change(now, then),
        "parts": [
            {
                "part": one.part.name,
                "weight": one.part.weight,
                "score": None if one.score is None else round(one.score, 1),
                "facts": [
                    {
                        "fact": scored.fact,
                        "value": None if scored.value == NEVER else scored.value,
                        "band": scored.band,
                        "points": scored.points,
                        "share": round(scored.share, 4),
                    }
                    for scored in one.facts
                ],
            }
            for one in now.parts
        ],
        "moved": [
            {
                "fact": one.fact,
                "before": None if one.before == NEVER else one.before,
                "now": None if one.now == NEVER else one.now,
                "points": round(one.points, 1),
            }
            for one in _moved(now, then)
        ],
    }


def _show_all(found: dict[str, tuple[Health, Health | None]], known: Mapping[str, Fact]) -> None:
    shape = table("account", "health", "in 30 days", "confidence", "moved most by")
    for account, (now, then) in sorted(found.items()):
        moved = ", ".join(f"{known[m.fact].label} {m.points:+.0f}" for m in _moved(now, then))
        shape.add_row(Text(account), *map(Text, _cells(now, then)), Text(moved))
    out.print(shape)


def _cells(now: Health, then: Health | None) -> tuple[str, str, str]:
    change = _change(now, then)
    return (
        "unknown" if now.score is None else str(now.score),
        "-" if change is None else f"{change:+}",
        shown(now.confidence, Unit.PERCENT),
    )


def _show_one(
    account: str, healths_: tuple[Health, Health | None], known: Mapping[str, Fact]
) -> None:
    now, then = healths_
    score, change, confidence = _cells(now, then)
    out.print(Text(f"{account}: {score}, {change} in 30 days, {confidence} of it known", "bold"))
    shape = table("part", "score", "fact", "value", "band", "points")
    for one in now.parts:
        part = f"{one.part.name} (weight {one.part.weight:g})"
        told = "unknown" if one.score is None else f"{one.score:.0f}"
        for scored in one.facts:
            points = "" if scored.points is None else f"{scored.points:g}"
            fact = known[scored.fact]
            cells = (part, told, fact.label, shown(scored.value, fact.unit))
            shape.add_row(*map(Text, (*cells, scored.band or "", points)))
            part = told = ""
    out.print(shape)
    for mover in _moved(now, then):
        fact = known[mover.fact]
        values = f"{shown(mover.before, fact.unit)} to {shown(mover.now, fact.unit)}"
        out.print(Text(f"{mover.points:+.0f} points: {fact.label}, {values}"))
