"""Every command explains itself to somebody who has never seen it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = [
    *("demo", "ingest", "import", "sweep", "facts", "ties", "flags", "deliver", "hold"),
    *(
        "worker",
        "scheduler",
        "gateway",
        "slack listen",
        "up",
        "doctor",
        "db",
        "db upgrade",
        "rules",
        "rules check",
    ),
    *("rules test", "rules explain", "rules schema", "rules report"),
    *("rules backtest", "rules diff", "report", "sources", "sources suggest", "health"),
    *("accounts", "accounts merge", "accounts unmerge", "accounts merges"),
    *("contacts", "contacts merge", "contacts unmerge", "contacts merges"),
]
WITH_JSON = [
    *("demo", "ingest", "import", "sweep", "facts", "ties", "flags", "deliver", "hold", "doctor"),
    "rules check",
    *("rules test", "rules explain", "rules report", "rules backtest", "rules diff"),
    *("report", "sources", "sources suggest", "health"),
    *("accounts merge", "accounts unmerge", "accounts merges"),
    *("contacts merge", "contacts unmerge", "contacts merges"),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_that_a_customer_success_team_understands(tiewatch, command):
    done = tiewatch(*command.split(), "--help")
    assert done.status == 0
    assert done.err == ""
    text = " ".join(re.sub(r"[│╭╮╰╯─]", " ", done.out).split())
    assert f"{command} " in text
    assert re.search(r" [A-Z][a-z]+( [a-z,']+)+.*?\. ", text), "there is no sentence on it"
    assert not re.search(r"\b(celery|redis|kombu|sqlalchemy|ORM|idempotent)\b", text, re.I)


@pytest.mark.parametrize("command", WITH_JSON)
def test_commands_with_a_result_have_it_as_json_too(tiewatch, command):
    assert "--json" in tiewatch(*command.split(), "--help").out


def test_help_of_all_names_every_command(tiewatch):
    done = tiewatch("--help")
    assert done.status == 0
    for command in COMMANDS:
        assert re.search(rf"\b{command.split()[0]}\b", done.out)


@pytest.mark.parametrize("flag", ["--backfill", "--direct", "--parked", "--json"])
def test_a_switch_has_no_opposite(tiewatch, flag):
    assert f"--no-{flag[2:]}" not in tiewatch("ingest", "--help").out


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["facts", "--nonsense"], ["rules", "nonsense"], ["sweep", "--on"]]
)
def test_wrong_use_is_said_on_standard_error_with_status_2(tiewatch, arguments):
    done = tiewatch(*arguments)
    assert done.status == 2
    assert done.out == ""
    assert done.err
    assert "Traceback" not in done.err


def test_the_command_is_installed_and_starts_anywhere(folder):
    script = Path(sys.executable).parent / "tiewatch"
    done = subprocess.run([script, "rules", "check"], cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "15 rules, no problem.\n"
    assert list(folder.iterdir()) == []
