"""Backtests as JSON documents, for programs. Shares are from 0 to 1, days are ISO 8601."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from worker.backtest.difference import Difference
from worker.backtest.figures import Figures
from worker.backtest.outcomes import Outcomes, Score
from worker.backtest.replay import Raised, Replay

Document = dict[str, Any]


def backtest_document(
    replayed: Replay, found: Sequence[Figures], known: Outcomes | None
) -> Document:
    """The figures of every rule, and every flag that was up at some time of the period."""
    period = replayed.period
    scores = known.scores if known else {}
    document: Document = {
        "from": period.first.isoformat(),
        "to": period.last.isoformat(),
        "rules": [_rule(one, scores.get(one.rule.id)) for one in found],
        "flags": [_flag(flag) for flag in replayed.up()],
    }
    if known is not None:
        document["within"] = known.within
        document["unknown_accounts"] = list(known.unknown_accounts)
    return document


def diff_document(before: Replay, after: Replay, found: Sequence[Difference]) -> Document:
    """What became of the flags of every rule, and the rules that only one side has."""
    old, new = ({rule.id for rule in one.rules.rules} for one in (before, after))
    return {
        "from": before.period.first.isoformat(),
        "to": before.period.last.isoformat(),
        "rules": [_difference(one) for one in found],
        "only_in_old": sorted(old - new),
        "only_in_new": sorted(new - old),
    }


def _rule(one: Figures, score: Score | None) -> Document:
    return {
        "rule": one.rule.id,
        "mode": str(one.rule.mode),
        "severity": str(one.rule.severity),
        "flags": one.flags,
        "accounts": one.accounts,
        "open_at_start": one.open_at_start,
        "open_at_end": one.open_at_end,
        "median_days_open": one.median_days_open,
        "longest_days_open": one.longest_days_open,
        "flapping": list(one.flapping),
        "unknown_share": _rounded(one.unknown_share),
        "by_week": [{"week": str(week), "flags": number} for week, number in one.by_week],
        "by_rep": [{"rep": rep, "flags": number} for rep, number in one.by_rep],
        "outcomes": None if score is None else _score(score),
    }


def _score(score: Score) -> Document:
    return {name: _rounded(getattr(score, name)) for name in Score.__slots__}


def _rounded(value: float | None) -> float | None:
    return value if value is None or isinstance(value, int) else round(value, 4)


def _flag(flag: Raised) -> Document:
    names = ("account", "rule", "opened_on", "resolved_on", "owner")
    return {name: _plain(getattr(flag, name)) for name in names}


def _difference(one: Difference) -> Document:
    return {
        "rule": one.rule,
        "gained": [_span(flag) for flag in one.gained],
        "lost": [_span(flag) for flag in one.lost],
        "moved": [
            {
                "account": new.account,
                "from": _plain(old.opened_on),
                "to": _plain(new.opened_on),
            }
            for old, new in one.moved
        ],
        "ended": [
            {
                "account": new.account,
                "opened_on": _plain(new.opened_on),
                "from": _plain(old.resolved_on),
                "to": _plain(new.resolved_on),
            }
            for old, new in one.ended
        ],
        "kept": one.kept,
    }


def _span(flag: Raised) -> Document:
    return {name: _plain(getattr(flag, name)) for name in ("account", "opened_on", "resolved_on")}


def _plain(value: date | str | None) -> str | None:
    return value.isoformat() if isinstance(value, date) else value
