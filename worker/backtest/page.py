"""Backtests as a page to pass around: one HTML file that loads nothing from anywhere."""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from html import escape

from worker.backtest.difference import Difference
from worker.backtest.figures import Figures, figures
from worker.backtest.outcomes import Outcomes
from worker.backtest.replay import Period, Replay
from worker.backtest.sheets import (
    Sheet,
    changes_sheet,
    differences_sheet,
    figures_sheet,
    name_of,
    outcomes_sheet,
    reps_sheet,
)

Weeks = Sequence[tuple[date, int]]
"""The flags that opened in each week, by its Monday."""

STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --dim: #5d6878; --line: #d9dee6;
  --paper: #ffffff; --card: #f6f8fb; --bar: #2f6fb3; --past: #a9b4c3; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaf0; --dim: #9aa6b6; --line: #364152; --paper: #12171f; --card: #1a212c;
    --bar: #6aa5e3; --past: #596678; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 1.5rem 1rem 3rem; background: var(--paper);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .5rem; }
h3 { font-size: .95rem; margin: 0; overflow-wrap: anywhere; }
p { color: var(--dim); margin: .25rem 0 .75rem; max-width: 46rem; }
.wide { overflow: auto; max-height: 80vh; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .7rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
th { position: sticky; top: 0; background: var(--card); font-weight: 600; }
tr:last-child td { border-bottom: 0; }
th.words, td.words { text-align: left; }
td.words:first-child, td.words:last-child { white-space: normal; overflow-wrap: anywhere;
  min-width: 11rem; }
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

_FIGURE = re.compile(r"[\d,.]+%?( of [\d,]+)?|-")


def backtest_page(replayed: Replay, found: Sequence[Figures], known: Outcomes | None) -> str:
    """What the rules would have done: figures, flags by week and by rep, and what they told."""
    flags = sum(one.flags for one in found)
    told = f"{len(replayed.accounts):,} accounts, {len(found):,} rules, {flags:,} flags opened."
    parts = [
        *_heading("What the rules would have done", replayed.period, told),
        _table(figures_sheet(found)),
    ]
    if flags:
        parts += [
            "<h2>Flags opened, by week</h2>",
            _charts(_chart(name_of(one.rule), one.by_week) for one in found if one.flags),
            "<h2>By rep</h2>",
            "<p>Of the accounts that each owned on the day the flag opened.</p>",
            _table(reps_sheet(found)),
        ]
    if known is not None:
        parts += [
            f"<h2>Who left within {known.within:,} days</h2>",
            "<p>Lift is the precision as a multiple of that of as many flags, on the same days, on "
            "customers drawn by lot: 1 is chance.</p>",
            _table(outcomes_sheet(found, known)),
        ]
    return _page("Backtest", parts)


def diff_page(before: Replay, after: Replay, found: Sequence[Difference]) -> str:
    """What an edit would have changed: numbers, flags by week on both sides, every flag."""
    changed = {one.rule for one in found if one.gained or one.lost or one.moved or one.ended}
    old, new = ({one.rule.id: one.by_week for one in figures(side)} for side in (before, after))
    told = f"{len(changed):,} of {len(found):,} rules would have flagged otherwise."
    parts = [
        *_heading("What the edit would have changed", before.period, told),
        _table(differences_sheet(found)),
    ]
    if changed:
        parts += [
            "<h2>Flags opened, by week</h2>",
            '<p><span class="key past"></span>before <span class="key"></span>after</p>',
            _charts(_chart(id_, new.get(id_, ()), old.get(id_, ())) for id_ in sorted(changed)),
            "<h2>Every flag that changes</h2>",
            _table(changes_sheet(found)),
        ]
    return _page("Rule diff", parts)


def _page(title: str, parts: Iterable[str]) -> str:
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _heading(title: str, period: Period, told: str) -> list[str]:
    days = f"{period.first:%d %b %Y} to {period.last:%d %b %Y}"
    return [f"<h1>{escape(title)}</h1>", f"<p>{days}. {told}</p>"]


def _table(sheet: Sheet) -> str:
    """Figures stand to the right; the first column is never one."""
    words = [
        place == 0 or not all(_FIGURE.fullmatch(row[place]) for row in sheet.rows)
        for place in range(len(sheet.columns))
    ]
    head = _row("th", sheet.columns, words)
    body = "\n".join(_row("td", row, words) for row in sheet.rows)
    return f'<div class="wide"><table>\n{head}\n{body}\n</table></div>'


def _row(tag: str, cells: Sequence[str], words: Sequence[bool]) -> str:
    starts = (f'<{tag} class="words">' if is_word else f"<{tag}>" for is_word in words)
    marked = zip(starts, cells, strict=True)
    return f"<tr>{''.join(f'{start}{escape(cell)}</{tag}>' for start, cell in marked)}</tr>"


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
