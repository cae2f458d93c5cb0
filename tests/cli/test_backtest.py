"""`rules backtest` and `rules diff`, as people and programs read them."""

import re
import shlex
from datetime import date, timedelta
from pathlib import Path

import pytest

import worker
from tests.cli.conftest import lines
from tests.pipeline import event, meeting
from worker.backtest.outcomes import Score, read_outcomes
from worker.store import tables

START = date(2025, 1, 6)
DAY = timedelta(days=1)
OUTCOMES = ("--outcomes", "churned.csv", "--within", "100")
YEAR = ("--from", "2025-01-01", "--to", "2025-12-31")
PAGE = (Path(worker.__file__).parent.parent / "docs/backtest.md").read_text()

RULES = """
rules:
  - {id: quiet, title: t, severity: high, when: {days_since_contact: over %d days}}
  - {id: untied, title: t, severity: low, mode: shadow, when: {user_ties: 0}}
"""


def year() -> list[dict]:
    """Two customers in touch every four weeks; acme goes quiet in July and leaves in October."""
    told = [
        event("account", START, owner="sam"),
        event("account", START, account="birch", name="B"),
    ]
    for month in range(13):
        day = START + month * 28 * DAY
        told.append(meeting(day, account="birch"))
        if month < 7:
            told.append(meeting(day))
    gone = START + 290 * DAY
    return [
        *told,
        event("account", gone, lifecycle="churned"),
        event("contact", START, account="birch", contact="dana", role="user"),
        meeting(START + 359 * DAY, account="birch"),
    ]


@pytest.fixture
def workspace(tiewatch, folder):
    """A year taken in; the rules in force are in ./rules."""
    (folder / "rules").mkdir()
    (folder / "rules" / "ours.yaml").write_text(RULES % 30)
    (folder / "churned.csv").write_text("account,churned_on\nacme,2025-10-23\nash,2025-05-01\n")
    (folder / "new-rules").mkdir()
    (folder / "new-rules" / "ours.yaml").write_text(RULES % 40)
    events = lines(*year()).encode()
    assert tiewatch("ingest", "--direct", "--backfill", "-", stdin=events).status == 0
    return tiewatch


def test_the_figures_and_flags_of_the_rules_in_force_are_one_document(workspace):
    done = workspace("rules", "backtest", *YEAR, "--json")
    assert (done.status, done.err) == (0, "")
    assert (done.json["from"], done.json["to"]) == ("2025-01-01", "2025-12-31")
    quiet, untied = done.json["rules"]
    assert (untied["rule"], untied["mode"]) == ("untied", "shadow")
    weeks, reps = quiet.pop("by_week"), quiet.pop("by_rep")
    assert quiet == {
        "rule": "quiet",
        "mode": "live",
        "severity": "high",
        "flags": 1,
        "accounts": 1,
        "open_at_start": 0,
        "open_at_end": 1,
        "median_days_open": 160,
        "longest_days_open": 160,
        "flapping": [],
        "unknown_share": 0.0,
        "outcomes": None,
    }
    assert {"week": "2025-07-21", "flags": 1} in weeks
    assert reps == [{"rep": "sam", "flags": 1}]
    assert done.json["flags"][0] == {
        "account": "acme",
        "rule": "quiet",
        "opened_on": "2025-07-24",
        "resolved_on": None,
        "owner": "sam",
    }


def test_outcomes_say_what_the_flags_were_worth(workspace):
    done = workspace(
        "rules", "backtest", *YEAR, "--outcomes", "churned.csv", "--within=100", "--json"
    )
    assert done.status == 0
    quiet = done.json["rules"][0]["outcomes"]
    assert quiet == {
        "flagged": 1,
        "hits": 1,
        "not_judged": 0,
        "precision": 1.0,
        "chance": 0.5,
        "lift": 2.0,
        "churned": 1,
        "caught": 1,
        "recall": 1.0,
        "median_lead_days": 91,
    }
    assert (done.json["within"], done.json["unknown_accounts"]) == (100, ["ash"])


def test_tables_show_the_same_for_people(workspace):
    done = workspace("rules", "backtest", *YEAR, *OUTCOMES)
    assert done.status == 0
    figures, weeks, reps, outcomes = done.out.strip().split("\n\n")
    assert re.search(r"^quiet +1 +1 +0\.0 +160 +160 +0 +1 +0 +0% *$", figures, re.M)
    assert re.search(r"^quiet +█ *$", weeks, re.M)
    assert "untied (shadow)" in figures
    assert re.search(r"^sam +\d+ +1 quiet, 1 untied", reps, re.M)
    assert re.search(
        r"^quiet +1 of 1 +100.0% +50.0% +2.00 +1 of 1 +100.0% +91 +0 *$", outcomes, re.M
    )
    assert done.err == "1 accounts of the outcomes file are in no event, such as 'ash'.\n"


def test_nothing_is_stored_and_nobody_told(workspace, embedded):
    def stored():
        with embedded.connect() as db:
            return [db.execute(t.select()).all() for t in (tables.flags, tables.outbox)]

    before = stored()
    assert workspace("rules", "backtest", *YEAR).status == 0
    assert workspace("rules", "diff", "rules", "new-rules", *YEAR).status == 0
    assert stored() == before


def test_an_edit_is_told_flag_by_flag(workspace):
    done = workspace("rules", "diff", "rules", "new-rules", *YEAR, "--json")
    assert (done.status, done.err) == (0, "")
    quiet, untied = done.json["rules"]
    moved = {"account": "acme", "from": "2025-07-24", "to": "2025-08-03"}
    none = {"gained": [], "lost": [], "moved": [], "ended": []}
    assert quiet == none | {"rule": "quiet", "moved": [moved], "kept": 0}
    assert untied == none | {"rule": "untied", "kept": untied["kept"]}
    assert (done.json["only_in_old"], done.json["only_in_new"]) == ([], [])
    done = workspace("rules", "diff", "rules", "new-rules", *YEAR)
    assert re.search(r"^quiet +0 +0 +1 +0 +0 *$", done.out, re.M)
    assert re.search(r"^quiet +acme +moved +from 2025-07-24 +from 2025-08-03", done.out, re.M)


def test_rules_of_one_side_are_named(workspace, folder):
    text = (folder / "rules" / "ours.yaml").read_text()
    (folder / "new-rules" / "ours.yaml").write_text(text.replace("id: quiet", "id: silent"))
    done = workspace("rules", "diff", "rules", "new-rules/ours.yaml", *YEAR, "--json")
    assert (done.json["only_in_old"], done.json["only_in_new"]) == (["quiet"], ["silent"])
    lost, gained, _ = done.json["rules"]
    flag = {"account": "acme", "opened_on": "2025-07-24", "resolved_on": None}
    assert (lost["rule"], lost["lost"]) == ("quiet", [flag])
    assert (gained["rule"], gained["gained"]) == ("silent", [flag])


def test_a_file_of_rules_goes_with_the_ties_file_beside_it(workspace, folder):
    def untied(*rules: str) -> int:
        done = workspace("rules", "backtest", *YEAR, *rules, "--json")
        return done.json["rules"][1]["flags"]

    usual = untied()
    (folder / "new-rules" / "ties.yaml").write_text("half_life: 1 day\n")
    assert untied("--rules", "new-rules/ours.yaml") == untied("--rules", "new-rules") > usual


def test_pages_are_written_whole(workspace, folder):
    commands = (("backtest", "--outcomes", "churned.csv"), ("diff", "rules", "new-rules"))
    for command, *more in commands:
        done = workspace("rules", command, *more, *YEAR, "--html", f"{command}.html")
        assert done.status == 0
        page = (folder / f"{command}.html").read_text(encoding="utf-8")
        assert page.startswith("<!doctype html>")
        assert "</html>" in page
        assert "quiet" in page
        assert "acme" in page or command == "backtest"
        assert not re.search(r"https?:|src=|href=|<script", page)


def test_days_after_the_last_event_are_said_to_be_made_up(workspace):
    done = workspace("rules", "backtest", "--from=2025-01-01", "--to=2026-02-01", "--json")
    assert done.json["to"] == "2026-02-01"
    assert done.err == (
        "The log ends on 2025-12-31: the days after it passed as if nothing had happened.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--from=2025-12-31", "--to=2025-01-01"), "--from 2025-12-31 is after --to 2025-01-01"),
        (("--from=2025", "--to=2025-12-31"), "'2025' is not a date: write it like"),
        ((*YEAR, "--rules", "nowhere"), "nowhere: there is no such file or folder."),
        ((*YEAR, "--rules", "churned.csv"), "The rules cannot be used:"),
        ((*YEAR, "--outcomes", "nowhere.csv"), "nowhere.csv: cannot be read: No such file"),
        ((*YEAR, "--outcomes", "bad.csv"), "bad.csv:3: 'soon' is not a date: write it like"),
        ((*YEAR, "--html", "nowhere/a.html"), "nowhere: there is no such folder to write a.html"),
        ((*YEAR, "--html", "rules"), "rules: cannot be written: Is a directory."),
        (("--from=2020-01-01", "--to=2024-12-31"), "No event up to 2024-12-31 is in the log: "),
        ((*YEAR, "--within=0"), "--within"),
        (("--to=2025-12-31",), "--from"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(workspace, folder, arguments, told):
    (folder / "bad.csv").write_text("account,churned_on\nacme,2025-10-23\nbirch,soon\n")
    done = workspace("rules", "backtest", *arguments, "--json")
    assert (done.status, done.out) == (2, "")
    assert told in done.err
    assert "Traceback" not in done.err


def test_an_empty_log_says_how_to_fill_it(tiewatch):
    for command in (("backtest",), ("diff", ".", ".")):
        rules = Path(worker.__file__).parent.parent / "rules"
        command = tuple(str(rules) if part == "." else part for part in command)
        done = tiewatch("rules", *command, *YEAR)
        assert (done.status, done.out) == (2, "")
        assert done.err.startswith("No event up to 2025-12-31 is in the log: take the history in")


def test_the_commands_of_the_documentation_work(workspace, folder):
    (sample,) = re.findall(r"```csv\n(.*?)```", PAGE, re.DOTALL)
    (folder / "churned.csv").write_text(sample)
    assert read_outcomes(folder / "churned.csv")
    commands = [line for line in PAGE.splitlines() if line.startswith("tiewatch ")]
    assert len(commands) >= 3
    for command in commands:
        done = workspace(*shlex.split(command)[1:])
        assert done.status == 0, done.err


def test_every_figure_is_defined_in_the_documentation(workspace):
    done = workspace("rules", "backtest", *YEAR, "--outcomes", "churned.csv", "--json")
    named = set(re.findall(r"^\| [a-z, ]+ \| (`.*?) \|", PAGE, re.M))
    defined = {name for cell in named for name in re.findall(r"`(\w+)`", cell)}
    (rule, *_) = done.json["rules"]
    itself = {"rule", "mode", "severity", "outcomes"}
    assert defined == (set(rule) - itself) | set(Score.__slots__)
