"""The charts of the portfolio report, as SVG.

Readable in print and to the colour-blind: blue is solid and orange hatched, so that nothing is told
by colour alone, and every bar carries its number.
"""

from collections.abc import Callable, Sequence
from html import escape

from worker.core.portfolio.figures import Movements, Renewals
from worker.report.contents import Group, Point

WIDTH = 640
ROW = 26
"""Height of a row in charts of rows."""

MOST_GROUPS = 20
"""Groups that a chart shows; the table has all of them."""

Say = Callable[[float], str]
"""How a chart writes a number."""

HATCHED = (
    '<svg class="defs" width="0" height="0" aria-hidden="true"><defs>'
    '<pattern id="hatched" width="6" height="6" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><rect class="ground" width="6" height="6"/>'
    '<rect class="stripe" width="2.5" height="6"/></pattern></defs></svg>'
)
"""What bars are hatched with; a page holds it once, before its charts."""


def bridge(moved: Movements, say: Say) -> str:
    """How revenue went from opening to closing, step by step."""
    height, top, foot = 230.0, 26.0, 24.0
    steps = [("new", moved.new), ("expansion", moved.expansion)]
    steps += [("downgrades", moved.downgrades), ("churn", moved.churn)]
    highest = max(moved.opening + moved.new + moved.expansion, moved.closing, 1e-9)
    scale = (height - top - foot) / highest
    width = WIDTH / 6
    bars = [_column(0, "opening", 0, moved.opening, "whole", say(moved.opening), scale, width)]
    level = moved.opening
    for place, (name, change) in enumerate(steps, 1):
        low, high = sorted((level, level + change))
        kind = "up" if change >= 0 and name in ("new", "expansion") else "down"
        sign = "" if not change else "+" if kind == "up" else "-"
        signed = f"{sign}{say(abs(change))}"
        bars.append(_column(place, name, low, high, kind, signed, scale, width))
        level += change
    bars.append(_column(5, "closing", 0, moved.closing, "whole", say(moved.closing), scale, width))
    told = f"Monthly recurring revenue from {say(moved.opening)} to {say(moved.closing)}"
    return _svg(height, told, bars)


def _column(
    place: int, name: str, low: float, high: float, kind: str, told: str, scale: float, width: float
) -> str:
    base = 230.0 - 24.0
    y, tall = base - high * scale, max((high - low) * scale, 1.0)
    middle = (place + 0.5) * width
    return (
        f'<rect class="{kind}" x="{place * width + 12:.1f}" y="{y:.1f}" width="{width - 24:.1f}" '
        f'height="{tall:.1f}"/>'
        f'<text class="number" x="{middle:.1f}" y="{y - 6:.1f}">{escape(told)}</text>'
        f'<text x="{middle:.1f}" y="{base + 17:.1f}">{name}</text>'
    )


def months(points: Sequence[Point], value: Callable[[Point], float], what: str, say: Say) -> str:
    """A column for each month, the first, highest and last of them with their number."""
    height, top, base = 150.0, 24.0, 126.0
    numbers = [value(point) for point in points]
    highest = max(*numbers, 1e-9)
    width = WIDTH / len(points)
    named = {0, numbers.index(max(numbers)), len(points) - 1}
    bars = []
    for place, (point, number) in enumerate(zip(points, numbers, strict=True)):
        tall = number / highest * (base - top)
        middle = (place + 0.5) * width
        bars.append(
            f'<rect class="up" x="{place * width + 5:.1f}" y="{base - tall:.1f}" '
            f'width="{width - 10:.1f}" height="{tall:.1f}">'
            f"<title>{point.day:%d %b %Y}: {escape(say(number))}</title></rect>"
            f'<text x="{middle:.1f}" y="{base + 17:.1f}">{_month(points, place)}</text>'
        )
        if place in named:
            bars.append(
                f'<text class="number" x="{middle:.1f}" y="{base - tall - 6:.1f}">'
                f"{escape(say(number))}</text>"
            )
    told = f"{what} from {say(numbers[0])} to {say(numbers[-1])}"
    return _svg(height, told, bars)


def _month(points: Sequence[Point], place: int) -> str:
    day = points[place].day
    return f"{day:%b %Y}" if place == 0 or day.month == 1 else f"{day:%b}"


def retention(groups: Sequence[Group]) -> str:
    """Net and gross revenue retention of each group, beside a line at 100%."""
    known = [g for g in groups if g.figures["net_revenue_retention"] is not None][:MOST_GROUPS]
    if not known:
        return ""
    shares = [
        (g.name, g.figures["net_revenue_retention"] or 0, g.figures["gross_revenue_retention"] or 0)
        for g in known
    ]
    highest = max(100.0, *(net for _, net, _ in shares))
    left, scale = 170.0, (WIDTH - 170.0 - 70.0) / highest
    height = len(shares) * ROW * 1.7 + 24
    line = left + 100 * scale
    rows = [
        f'<line class="mark" x1="{line:.1f}" x2="{line:.1f}" y1="14" y2="{height - 8:.0f}"/>'
        f'<text x="{line:.1f}" y="10">100%</text>'
    ]
    for place, (name, net, gross) in enumerate(shares):
        y = place * ROW * 1.7 + 18
        rows.append(
            f'<text class="name" x="{left - 10:.0f}" y="{y + 17:.1f}">{escape(_short(name))}</text>'
            + _bar(left, y, net * scale, "up", f"{net:.1f}% net")
            + _bar(left, y + 16, gross * scale, "down", f"{gross:.1f}% gross")
        )
    return _svg(height, "Net and gross revenue retention by group", rows)


def renewals_ahead(windows: Sequence[Renewals], say: Say) -> str:
    """What renews soon, and how much of it is flagged."""
    left, most = 100.0, max(1, *(one.due for one in windows))
    scale = (WIDTH - left - 250.0) / most
    rows = []
    for place, one in enumerate(windows):
        y = place * ROW + 6.0
        worth = "" if one.mrr is None else f", {say(one.mrr)} a month"
        told = f"{one.due:,} due{worth}; {one.flagged:,} flagged"
        rows.append(
            f'<text class="name" x="{left - 10:.0f}" y="{y + 13:.1f}">{one.days} days</text>'
            + _bar(left, y, one.due * scale, "up", told)
            + f'<rect class="down" x="{left:.0f}" y="{y:.1f}" width="{one.flagged * scale:.1f}" '
            'height="14"/>'
        )
    return _svg(len(windows) * ROW + 6.0, "Renewals ahead, and those flagged", rows)


def scatter(points: Sequence[tuple[float, float]], across: str, up: str) -> str:
    """A dot for each pair of numbers from 0 to 100."""
    height, left, base = 260.0, 60.0, 220.0
    scale_x, scale_y = (WIDTH - left - 20) / 100, (base - 14) / 100
    dots = [
        f'<circle class="dot" cx="{left + x * scale_x:.1f}" cy="{base - y * scale_y:.1f}" r="3.5"/>'
        for x, y in points
    ]
    for mark in (0, 25, 50, 75, 100):
        x, y = left + mark * scale_x, base - mark * scale_y
        dots.append(
            f'<line class="grid" x1="{left:.0f}" x2="{WIDTH - 20}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="name" x="{left - 8:.0f}" y="{y + 4:.1f}">{mark}</text>'
            f'<text x="{x:.1f}" y="{base + 17:.1f}">{mark}</text>'
        )
    dots.append(f'<text x="{(WIDTH + left) / 2:.0f}" y="{height - 6:.0f}">{escape(across)}</text>')
    dots.append(f'<text transform="translate(14 {base / 2:.0f}) rotate(-90)">{escape(up)}</text>')
    return _svg(height, f"{up} against {across}", dots)


def _bar(x: float, y: float, width: float, kind: str, told: str) -> str:
    wide = max(width, 0.0)
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="14"/>'
        f'<text class="after" x="{x + wide + 6:.1f}" y="{y + 12:.1f}">{escape(told)}</text>'
    )


def _short(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:23]}…"


def _svg(height: float, told: str, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(told)}">'
        f"{''.join(parts)}</svg>"
    )
