"""Alerts and digests on the terminal: how they arrive while there is no Slack token."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.style import Style
from rich.table import Table
from rich.text import Text

from worker.core.alerts import Alert, AlertReason
from worker.core.cards import Digest, Weekly
from worker.core.rules import Kind, Severity
from worker.slack.phrases import day, line, named, revenue
from worker.slack.wording import Words, words

MAX_WIDTH = 100

_BULLET = "• "

_COLOURS = {
    Severity.CRITICAL: "red",
    Severity.HIGH: "dark_orange",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "blue",
    None: "cyan",
}


Shown = Alert | Digest | Weekly
"""What can be told."""


def show_on(console: Console) -> Callable[[Shown], None]:
    """How things are told where there is no Slack."""
    return lambda told: show(console, told)


def show(console: Console, told: Shown) -> None:
    """Print it: a card on a terminal, else plain lines, one for each thing said."""
    if isinstance(told, Alert):
        said = words(told)
        title, texts, colour = _title(told, said), list(_texts(said)), _colour(told)
    else:
        title, texts = _listed(told)
        colour = "cyan"
    if console.is_terminal:
        console.print(_panel(title, texts, colour), width=min(console.width, MAX_WIDTH))
        return
    plain = "\n".join(text.plain for text in texts)
    console.print(Text(f"[{title}] {plain}\n"), soft_wrap=True)


def card(alert: Alert) -> Panel:
    """The alert in a frame of its severity's colour, green when resolved."""
    said = words(alert)
    return _panel(_title(alert, said), list(_texts(said)), _colour(alert))


def _panel(title: str, texts: Sequence[Text], colour: str) -> Panel:
    hung = Group(*(_hung(text) for text in texts))
    return Panel(hung, title=title, title_align="left", border_style=colour)


def _colour(alert: Alert) -> str:
    if alert.kind is Kind.GROWTH:
        return "magenta"
    return "green" if alert.reason is AlertReason.RESOLVED else _COLOURS[alert.severity]


def _listed(told: Digest | Weekly) -> tuple[str, list[Text]]:
    """A digest or a week as a title and lines."""
    if isinstance(told, Digest):
        lines, title, head = told.lines, "Digest", f"{day(told.on)}: {told.why}"
        more: list[Text] = []
    else:
        lines, title = told.unacknowledged, "Week"
        head = f"{day(told.first)} to {day(told.last)}: {told.new} new, {told.resolved} resolved"
        more = [Text(f"At risk: {shown_money(told.at_risk)}")] if told.at_risk else []
        if told.unowned:
            more.append(Text(f"Nobody owns: {', '.join(map(line, told.unowned))}"))
    said = [
        Text(f"{_BULLET}{named(one.account.name, one.account.id)}: {line(one.title)}")
        for one in lines
    ]
    return title, [Text(head, style="bold"), *said, *more]


def shown_money(by_currency: Mapping[str, float]) -> str:
    """A month's revenue in each currency."""
    return ", ".join(
        revenue(sum_, currency) or "" for currency, sum_ in sorted(by_currency.items())
    )


def _title(alert: Alert, said: Words) -> str:
    return said.severity or alert.reason.capitalize()


def _texts(said: Words) -> Iterator[Text]:
    if said.open_flags == ():
        yield Text(said.brief)
        return
    yield Text(said.headline, style="bold")
    yield Text(said.account, style="dim")
    for flag in said.open_flags or ():
        yield Text(f"{_BULLET}Open: {flag}")
    for why in said.why:
        yield Text(f"{_BULLET}{why}")
    for who in said.who:
        yield Text(who)
    if said.advice:
        yield Text.assemble(("Do: ", "bold green"), (said.advice, "bold"))
    if said.playbook:
        # A card breaks a long link, which can still be followed where the terminal knows it as one.
        link = (said.playbook, Style(link=said.playbook))
        yield Text.assemble(("Playbook: ", "bold green"), link)
    if said.footer:
        yield Text(said.footer, style="dim")


def _hung(text: Text) -> RenderableType:
    """A bullet's further lines start where its first one does."""
    if not text.plain.startswith(_BULLET):
        return text
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_row(_BULLET.strip(), text[len(_BULLET) :])
    return grid
