"""Backtests as a page to pass around: one HTML file that loads nothing from anywhere."""

from collections.abc import Iterable, Sequence
from datetime import date
from html import escape

from worker.backtest.difference import Difference
from worker.backtest.figures import Figures, figures
from worker.backtest.outcomes import Outcomes
from worker.backtest.replay import Period, Replay
from worker.backtest.sheets import (
    changes_sheet,
    differences_sheet,
    figures_sheet,
    name_of,
    outcomes_sheet,
    reps_sheet,
)
from worker.pages import page, table

Weeks = Sequence[tuple[date, int]]
"""The flags that opened in each week, by its Monday."""

STYLE = """
.charts { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(18rem, 1fr)); }
figure { margin: 0; padding: .75rem; background: var(--card); border-radius: 6px; }
svg { display: block; width: 100%; height: 5.5rem; margin: .5rem 0 .25rem;
  border-bottom: 1px solid var(--line); }
rect { fill: var(--bar); }
rect.past { fill: var(--past); }
figcaption { display: flex; justify-content: space-between; gap: .5rem; color: var(--dim);
  font-size: .8rem; }
.key { display: inline-block; width: .7rem; height: .7rem; margin: 0 .25rem 0 .75rem;
  background: var(--bar); }
.key.past { background: var(--past); }
"""


def backtest_page(replayed: Replay, found: Sequence[Figures], known: Outcomes | None) -> str:
    """What the rules would have done: figures, flags by week and by rep, and what they told."""
    flags = sum(one.flags for one in found)
    told = f"{len(replayed.accounts):,} accounts, {len(found):,} rules, {flags:,} flags opened."
    parts = [
        *_heading("What the rules would have done", replayed.period, told),
        table(figures_sheet(found)),
    ]
    if flags:
        parts += [
            "<h2>Flags opened, by week</h2>",
            _charts(_chart(name_of(one.rule), one.by_week) for one in found if one.flags),
            "<h2>By rep</h2>",
            "<p>Of the accounts that each owned on the day the flag opened.</p>",
            table(reps_sheet(found)),
        ]
    if known is not None:
        parts += [
            f"<h2>Who left within {known.within:,} days</h2>",
            "<p>Lift is the precision as a multiple of that of as many flags, on the same days, on "
            "customers drawn by lot: 1 is chance.</p>",
            table(outcomes_sheet(found, known)),
        ]
    return page("Backtest", STYLE, parts)


def diff_page(before: Replay, after: Replay, found: Sequence[Difference]) -> str:
    """What an edit would have changed: numbers, flags by week on both sides, every flag."""
    changed = {one.rule for one in found if one.gained or one.lost or one.moved or one.ended}
    old, new = ({one.rule.id: one.by_week for one in figures(side)} for side in (before, after))
    told = f"{len(changed):,} of {len(found):,} rules would have flagged otherwise."
    parts = [
        *_heading("What the edit would have changed", before.period, told),
        table(differences_sheet(found)),
    ]
    if changed:
        parts += [
            "<h2>Flags opened, by week</h2>",
            '<p><span class="key past"></span>before <span class="key"></span>after</p>',
            _charts(_chart(id_, new.get(id_, ()), old.get(id_, ())) for id_ in sorted(changed)),
            "<h2>Every flag that changes</h2>",
            table(changes_sheet(found)),
        ]
    return page("Rule diff", STYLE, parts)


def _heading(title: str, period: Period, told: str) -> list[str]:
    days = f"{period.first:%d %b %Y} to {period.last:%d %b %Y}"
    return [f"<h1>{escape(title)}</h1>", f"<p>{days}. {told}</p>"]


def _charts(charts: Iterable[str]) -> str:
    return '<div class="charts">\n' + "\n".join(charts) + "\n</div>"


def _chart(name: str, weeks: Weeks, past: Weeks = ()) -> str:
    """A bar for each week, beside a paler one for what it was in the past, if that is given."""
    top = max((number for _, number in (*weeks, *past)), default=0)
    days = [week for week, _ in weeks or past]
    width = 0.45 if past else 0.9
    bars = [
        *(_bar(place, width, of, top, "past") for place, of in enumerate(past)),
        *(_bar(place + (width if past else 0), width, of, top) for place, of in enumerate(weeks)),
    ]
    return (
        f"<figure><h3>{escape(name)}</h3>\n"
        f'<svg viewBox="0 0 {len(days)} 1" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(name)}, flags by week">{"".join(bars)}</svg>\n'
        f"<figcaption><span>{days[0]:%d %b %Y}</span><span>at most {top:,} a week</span>"
        f"<span>{days[-1]:%d %b %Y}</span></figcaption></figure>"
    )


def _bar(x: float, width: float, of: tuple[date, int], top: int, kind: str = "now") -> str:
    week, number = of
    height = number / top if top else 0
    return (
        f'<rect class="{kind}" x="{x:g}" y="{1 - height:.4f}" width="{width:g}" '
        f'height="{height:.4f}"><title>week of {week:%d %b %Y}: {number:,}</title></rect>'
    )
