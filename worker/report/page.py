"""The portfolio report as a page to pass around: figures, charts, and what each figure means."""

from collections.abc import Callable, Iterator, Sequence
from html import escape

from worker.core.portfolio.catalogue import BASIS, FIGURES, TERMS, Kind, shown
from worker.core.portfolio.cohorts import Cohort
from worker.pages import page
from worker.report import charts
from worker.report.contents import By, Group, Report

SHOWN = {
    "Customers": ("customers", "customer_retention", "logo_churn", "new_customers"),
    "Revenue": (
        *("mrr", "mrr_growth", "net_revenue_retention", "gross_revenue_retention"),
        *("recurring_revenue_rate", "revenue_churn", "gross_upsell", "contract_renewal_rate"),
    ),
    "Engagement and risk": ("engaged", "at_risk", "revenue_at_risk", "revenue_at_risk_share"),
    "What customers say and get": ("nps", "csat", "time_to_value_days"),
}
"""The figures at the top of the page, by what they are about."""

OF_GROUPS = (
    *("customers", "customer_retention", "mrr", "net_revenue_retention"),
    *("gross_revenue_retention", "recurring_revenue_rate", "contract_renewal_rate", "engaged"),
    *("at_risk", "nps", "csat"),
)
"""The figures of each group that fit beside one another."""

MOST_DOTS = 2_000

STYLE = """
:root { --up: #0072b2; --down: #d55e00; --whole: #5d6878; --tint: 0 114 178; }
@media (prefers-color-scheme: dark) { :root { --up: #56b4e9; --down: #e69f00; --whole: #9aa6b6;
  --tint: 86 180 233; } }
a { color: inherit; text-decoration: underline dotted; text-underline-offset: .2em; }
.cards { display: grid; gap: .75rem;
  grid-template-columns: repeat(auto-fill, minmax(max(10rem, 23%), 1fr)); }
.cards a { display: block; padding: .7rem .9rem; border-radius: 6px; background: var(--card);
  text-decoration: none; }
.cards a:hover, .cards a:focus { outline: 2px solid var(--up); }
.cards b { display: block; font-size: 1.4rem; line-height: 1.3;
  font-variant-numeric: tabular-nums; }
.cards span { color: var(--dim); font-size: .85rem; }
h3 { margin: 1.25rem 0 .4rem; color: var(--dim); }
.pair { display: grid; gap: 0 2rem; grid-template-columns: repeat(auto-fit, minmax(26rem, 1fr)); }
svg { display: block; width: 100%; max-width: 46rem; height: auto; overflow: visible; }
svg.defs { position: absolute; }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; text-anchor: middle;
  paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
svg text.name { text-anchor: end; }
svg text.after { text-anchor: start; }
svg text.number { font-weight: 600; }
rect.up, circle.dot { fill: var(--up); }
circle.dot { fill-opacity: .55; }
rect.down { fill: url(#hatched); stroke: var(--down); }
rect.whole { fill: var(--whole); }
rect.ground { fill: var(--paper); }
rect.stripe { fill: var(--down); }
line.mark { stroke: var(--ink); stroke-dasharray: 3 3; }
line.grid { stroke: var(--line); }
section + .wide th { white-space: normal; vertical-align: bottom; }
section + .wide :is(th, td) { padding: .35rem .45rem; }
section + .wide td.words:first-child { min-width: 8rem; }
td.share { background: rgb(var(--tint) / calc(var(--of) * .55)); }
dt { font-weight: 600; margin-top: .7rem; scroll-margin-top: 1rem; }
dt:target { outline: 2px solid var(--up); outline-offset: .2rem; }
dd { margin: 0; color: var(--dim); max-width: 46rem; }
.note { border-left: 3px solid var(--down); padding-left: .75rem; color: var(--ink); }
@media print {
  :root { color-scheme: light; --ink: #000; --dim: #333; --line: #bbb; --paper: #fff;
    --card: #fff; --up: #0072b2; --down: #d55e00; --whole: #555; --tint: 0 114 178; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { max-width: none; padding: 0; font-size: 11px; }
  .cards { grid-template-columns: repeat(4, 1fr); }
  .cards a { border: 1px solid var(--line); }
  .wide { max-height: none; overflow: visible; }
  .cards a, svg, tr, section, .wide, dd { break-inside: avoid; }
  h2, h3, dt, section:has(+ .wide), section:has(+ h3) { break-after: avoid; }
  section.long { break-inside: auto; }
  dl { columns: 2; column-gap: 2rem; }
  dt { margin-top: .4rem; }
  th { position: static; }
}
"""


def report_page(found: Report) -> str:
    """The whole page."""
    title = f"Portfolio, {found.first:%d %b %Y} to {found.last:%d %b %Y}"
    return page(title, STYLE, [charts.HATCHED, *_parts(found)])


def _parts(found: Report) -> Iterator[str]:
    say = _money(found.currency)
    yield "<h1>Portfolio</h1>"
    yield f"<p>{found.first:%d %b %Y} to {found.last:%d %b %Y}, both included.</p>"
    yield from (f'<p class="note">{escape(note)}</p>' for note in found.notes)
    for about, names in SHOWN.items():
        yield f'<section><h3>{about}</h3><div class="cards">'
        yield from (_card(name, found) for name in names)
        yield "</div></section>"
    yield '<div class="pair">'
    if found.movements is not None:
        yield _section("movements", charts.bridge(found.movements, say))
    yield _section("renewals", charts.renewals_ahead(found.renewals, say))
    yield "</div>"
    yield _section("trend", _trend(found, say))
    if found.groups:
        yield from _groups(found)
    if found.cohorts:
        yield from _cohorts(found.cohorts)
    yield from _health(found)
    yield '<section class="long"><h2>What the figures mean</h2><dl>'
    for name, figure in FIGURES.items():
        meaning = f"{figure.meaning}. None when: {figure.none_when}."
        if figure.none_when == "never":
            meaning = f"{figure.meaning}."
        yield _definition(name, figure.label, meaning)
    for name, (label, meaning) in TERMS.items():
        yield _definition(name, label, f"{meaning}.")
    yield f"</dl><p>{BASIS}</p></section>"


def _money(currency: str | None) -> charts.Say:
    return lambda value: shown(value, Kind.MONEY, currency)


def _card(name: str, found: Report) -> str:
    figure = FIGURES[name]
    told = escape(shown(found.totals[name], figure.kind, found.currency))
    return f'<a href="#what-{name}"><b>{told}</b><span>{escape(figure.label)}</span></a>'


def _section(name: str, content: str) -> str:
    label = TERMS[name][0]
    return f'<section><h2><a href="#what-{name}">{label}</a></h2>{content}</section>'


def _definition(name: str, label: str, meaning: str) -> str:
    return f'<dt id="what-{name}">{escape(label)}</dt><dd>{escape(meaning)}</dd>'


def _trend(found: Report, say: Callable[[float], str]) -> str:
    customers = charts.months(
        found.trend, lambda p: p.customers, "Customers", lambda n: f"{n:,.0f}"
    )
    parts = [f"<div><h3>Customers</h3>{customers}</div>"]
    if all(point.mrr is not None for point in found.trend):
        mrr = charts.months(found.trend, lambda p: p.mrr or 0, "MRR", say)
        parts.append(f"<div><h3>Monthly recurring revenue</h3>{mrr}</div>")
    return f'<div class="pair">{"".join(parts)}</div>'


def _groups(found: Report) -> Iterator[str]:
    yield f"<section><h2>By {found.by}</h2><p>{_OF_WHEN[found.by or By.SEGMENT]}</p>"
    yield charts.retention(found.groups)
    yield "</section>"
    heads = "".join(
        f'<th><a href="#what-{name}">{escape(FIGURES[name].label)}</a></th>' for name in OF_GROUPS
    )
    rows = "\n".join(_group_row(group, found) for group in found.groups)
    head = f'<thead><tr><th class="words">{found.by}</th>{heads}</tr></thead>'
    yield f'<div class="wide"><table>\n{head}\n{rows}\n'
    yield "</table></div>"


_OF_NOW = "An account counts for the {} that it has now, whatever it had in the period."
_OF_WHEN = {by: _OF_NOW.format(by) for by in By} | {
    By.PLAN: "An account counts for the plan that it paid most for at opening; new customers for "
    "that at closing."
}


def _group_row(group: Group, found: Report) -> str:
    cells = "".join(
        f"<td>{escape(shown(group.figures[name], FIGURES[name].kind, found.currency))}</td>"
        for name in OF_GROUPS
    )
    return f'<tr><td class="words">{escape(group.name)}</td>{cells}</tr>'


def _cohorts(found: Sequence[Cohort]) -> Iterator[str]:
    yield _section("cohorts", "")
    yield "<h3>Customers kept</h3>"
    yield _triangle(found, [one.kept for one in found])
    if any(share is not None for one in found for share in one.revenue_kept):
        yield "<h3>Revenue kept</h3>"
        yield _triangle(found, [one.revenue_kept for one in found])


def _triangle(found: Sequence[Cohort], shares: Sequence[Sequence[float | None]]) -> str:
    longest = max(len(row) for row in shares)
    heads = "".join(f"<th>{place}</th>" for place in range(longest))
    rows = []
    for one, row in zip(found, shares, strict=True):
        cells = "".join(_share(share) for share in row) + "<td></td>" * (longest - len(row))
        rows.append(
            f'<tr><td class="words">{one.quarter}</td><td>{one.customers:,}</td>{cells}</tr>'
        )
    body = "\n".join(rows)
    return (
        '<div class="wide"><table>\n<thead><tr><th class="words">began in</th><th>accounts</th>'
        f"{heads}</tr></thead>\n{body}\n</table></div><p>Columns: quarters since.</p>"
    )


def _share(share: float | None) -> str:
    if share is None:
        return "<td>-</td>"
    return f'<td class="share" style="--of:{min(share, 100) / 100:.2f}">{share:.0f}%</td>'


def _health(found: Report) -> Iterator[str]:
    r, n = found.health_engagement
    if n == 0:
        return
    told = "no correlation can be told" if r is None else f"correlation {r:+.2f}"
    dots = charts.scatter(found.healths[:MOST_DOTS], "engagement score", "health")
    yield _section("health_engagement", f"<p>{told}, n = {n:,}.</p>{dots}")
