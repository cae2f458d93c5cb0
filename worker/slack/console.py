"""An alert as a card on the terminal: how alerts arrive while there is no Slack token."""

from collections.abc import Callable, Iterator

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.style import Style
from rich.table import Table
from rich.text import Text

from worker.core.alerts import Alert, AlertReason
from worker.core.cards import Digest, Weekly
from worker.core.rules import Severity
from worker.slack import message as layout
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


def show_on(console: Console) -> Callable[[Alert | Digest | Weekly], None]:
    """How a message is told where there is no Slack."""

    def told(said: Alert | Digest | Weekly) -> None:
        match said:
            case Alert():
                show(console, said)
            case Digest():
                console.print(Text(layout.digest(said).text), soft_wrap=True)
            case Weekly():
                console.print(Text(layout.weekly(said).text), soft_wrap=True)

    return told


def show(console: Console, alert: Alert) -> None:
    """Print the alert: a card on a terminal, else plain lines, one for each thing said."""
    if console.is_terminal:
        console.print(card(alert), width=min(console.width, MAX_WIDTH))
        return
    said = words(alert)
    plain = "\n".join(text.plain for text in _texts(said))
    console.print(Text(f"[{_title(alert, said)}] {plain}\n"), soft_wrap=True)


def card(alert: Alert) -> Panel:
    """The alert in a frame of its severity's colour, green when resolved."""
    said = words(alert)
    resolved = alert.reason is AlertReason.RESOLVED
    return Panel(
        Group(*(_hung(text) for text in _texts(said))),
        title=_title(alert, said),
        title_align="left",
        border_style="green" if resolved else _COLOURS[alert.severity],
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
