import io
import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from tests.alerts import alert
from worker.core.alerts import Alert, AlertReason, OpenFlag
from worker.core.rules import Severity
from worker.slack.console import show, show_on


def printed(one: Alert, *, terminal: bool = True, width: int = 80) -> str:
    out = io.StringIO()
    colours = "standard" if terminal else None
    show(Console(file=out, force_terminal=terminal, width=width, color_system=colours), one)  # type: ignore[arg-type]
    return out.getvalue()


def bare(text: str) -> str:
    """What is on the screen, without the codes that colour it."""
    return re.sub(r"\x1b\[[\d;]*m", "", text)


@pytest.mark.parametrize("width", [80, 120])
def test_a_card_fits_the_terminal_and_names_its_rule(width: int):
    card = bare(printed(alert(why=("a long reason " * 12,)), width=width))
    assert all(cell_len(row) <= min(width, 100) for row in card.splitlines())
    for said in ("High", "Acme: Renews in 41 days", "renewal-without-exec-contact", "Do: Ask Dana"):
        assert said in card


def test_square_brackets_in_names_are_shown_and_not_obeyed():
    card = bare(printed(alert(account_name="[bold]Acme[/nope]", title="Quiet [link=x]")))
    assert "[bold]Acme[/nope]: Quiet [link=x]" in card


def test_control_characters_never_reach_the_terminal():
    name = "Acme\x1b[2J\x07\r\x9b31m"
    for terminal in (True, False):
        assert not set(bare(printed(alert(account_name=name), terminal=terminal))) & set(
            "\x1b\x07\r\x9b"
        )


def test_without_a_terminal_there_are_plain_unbroken_lines():
    out = printed(alert(), terminal=False, width=40)
    assert out.splitlines() == [
        "[High] Acme: Renews in 41 days, no exec contact for 22 days",
        "enterprise · 20,000 EUR a month · renews 31 Mar 2026, in 41 days · owner sam",
        "• the renewal is in 41 days",
        "• the last contact with an executive was 22 days ago",
        "Last executive contact: Dana Ruiz, CIO, 27 Jan, with Sam.",
        "Do: Ask Dana for a short check-in before the renewal talk.",
        "Since 12 Feb 2026 · "
        "clears when the last contact with an executive is at most 15 days ago · "
        "rule renewal-without-exec-contact",
        "",
    ]


def test_the_playbook_stands_below_what_to_do():
    link = "https://wiki.example.com/" + "x" * 200
    lines = printed(alert(playbook=link), terminal=False, width=40).splitlines()
    assert lines[lines.index(f"Playbook: {link}") - 1].startswith("Do: Ask Dana")
    card = re.sub(r"\x1b\]8;(.*?)\x1b\\", "", bare(printed(alert(playbook=link))))
    assert all(cell_len(row) <= 80 for row in card.splitlines())
    assert link in "".join(row.strip("│ ") for row in card.splitlines())
    assert f";{link}\x1b" in printed(alert(playbook=link))
    assert "Playbook" not in printed(alert(playbook="https://a.example\x1b[2J"))


def test_a_renewal_check_names_the_rule_of_each_open_flag():
    flag = OpenFlag("single-threaded", Severity.MEDIUM, "1 strong exec tie, 2 needed")
    card = bare(printed(alert(reason=AlertReason.RENEWAL, severity=None, open_flags=(flag,))))
    assert "Renewal check" in card
    assert "Open: 1 strong exec tie, 2 needed (medium, single-threaded)" in card


def test_the_console_takes_every_alert():
    out = io.StringIO()
    show_on(Console(file=out))(alert())
    assert "Acme" in out.getvalue()
