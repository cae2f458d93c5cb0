"""Pages to pass around: one HTML file each, that loads nothing from anywhere."""

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple


class Sheet(NamedTuple):
    """A table: what its columns are called, and the words in its rows."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


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
"""
"""What all pages look like; each adds what only it has."""

_FIGURE = re.compile(r"[\d,.]+%?( of [\d,]+)?|-")


def page(title: str, style: str, parts: Iterable[str]) -> str:
    """A whole page of these parts, which are HTML."""
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}{style}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def table(sheet: Sheet) -> str:
    """A table. Figures stand to the right; the first column is never one."""
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
