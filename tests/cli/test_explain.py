"""`rules explain`: why a rule is or is not open, as people and programs read it."""

from datetime import date, timedelta
from pathlib import Path

import pytest

import worker
from tests.cli.conftest import lines
from tests.pipeline import at, event, meeting, rulebook, sweep, take_in
from tests.today import TODAY
from worker.cli.explanations import document, show
from worker.core.rules import Mode
from worker.explaining.explain import explain
from worker.rulebooks.rulebook import read_rulebook
from worker.rulefiles import load
from worker.shipped import rules_dir
from worker.store.database import engine_for

PAGE = (Path(worker.__file__).parent.parent / "docs/rules.md").read_text()
SECTION = PAGE.partition("## Why did it fire, or why not?")[2].partition("\n## ")[0]
SHIPPED = load(rules_dir()).rules
RULES = [rule.id for rule in SHIPPED]
LIVE = [rule.id for rule in SHIPPED if rule.mode is Mode.LIVE]
RENEWAL = "renewal-without-exec-contact"


def acme(today: date) -> list[dict]:
    """An enterprise account that renews in 41 days, and whose CIO was met 22 days ago."""
    start = today - timedelta(120)
    known = {"segment": "enterprise", "renewal_date": str(today + timedelta(41))}
    return [
        event("account", start, name="Acme [red]", **known),
        event("contact", start, contact="dana", name="Dana Ruiz", title="CIO"),
        event("rep", start, account=None, rep="sam", name="Sam Lee"),
        *(meeting(today - timedelta(ago)) for ago in (22, 30, 40)),
    ]


@pytest.fixture
def workspace(tiewatch):
    given = [*acme(TODAY), event("account", TODAY, account="[red]birch", lifecycle="churned")]
    assert tiewatch("ingest", "--direct", "-", stdin=lines(*given).encode()).status == 0
    return tiewatch


def test_every_rule_in_force_is_explained_in_one_document_sorted_by_id(workspace):
    done = workspace("rules", "explain", "acme", "--json")
    assert (done.status, done.err) == (0, "")
    assert [one["rule"] for one in done.json] == RULES
    for one in done.json:
        assert list(one) == [
            *("account", "on", "rule", "outcome", "excepted", "flag", "conditions"),
            *("except_when", "who", "clears", "fires", "outcome_changes_on", "flag_changes_on"),
        ]
        assert (one["account"], one["on"], one["excepted"]) == ("acme", str(TODAY), False)
        assert (one["clears"] is None) is not (one["fires"] is None)


def test_a_rule_that_holds_is_a_tree_of_values_and_limits(workspace):
    (one,) = workspace(
        "rules", "explain", "acme", "--rule", "renewal-without-exec-contact", "--json"
    ).json
    renews, quiet = one["conditions"].pop("parts")
    assert one["conditions"] == {"kind": "all", "outcome": True}
    assert renews == {
        "kind": "compare",
        "fact": "days_to_renewal",
        "value": 41,
        "comparison": "between",
        "limits": [{"value": 0}, {"value": 90, "threshold": "renewal window"}],
        "outcome": True,
    }
    assert (quiet["value"], quiet["limits"]) == (22, [{"value": 15}])
    assert (one["except_when"]["kind"], one["except_when"]["outcome"]) == ("compare", False)
    assert one["flag"] == {
        "state": "open",
        "shadow": False,
        "first_true_on": str(TODAY),
        "opened_on": str(TODAY),
        "first_false_on": None,
    }
    assert one["who"][0].startswith("Last executive contact: Dana Ruiz, CIO, ")
    assert one["clears"].endswith("the last contact with an executive is at most 15 days ago")
    past_renewal = str(TODAY + timedelta(42))
    assert one["outcome_changes_on"] == one["flag_changes_on"] == past_renewal


def test_never_is_null_with_a_word_beside_it_and_unknown_is_null_without(workspace):
    (one,) = workspace("rules", "explain", "acme", "--rule", RULES[0], "--json").json
    change, contact = one["conditions"]["parts"]
    assert (change["value"], change["outcome"]) == (None, None)
    assert "never" not in change
    assert (contact["value"], contact["never"], contact["outcome"]) == (None, True, True)
    assert (one["outcome"], one["flag"], one["clears"]) == (None, None, None)
    assert (one["outcome_changes_on"], one["flag_changes_on"]) == (None, None)


NESTED = """
rules:
  - id: nested
    title: nested
    severity: low
    when:
      any:
        - {days_since_usage: never}
        - not: {known_users: 0, exec_ties: 0}
"""


def test_any_and_not_are_shown_by_their_indent(sqlite_url, tmp_path, capsys):
    today = date(2026, 3, 10)
    engine, book = engine_for(sqlite_url), rulebook(tmp_path, NESTED)
    take_in(engine, book, today, *acme(today))
    found = explain(engine, "acme", book, today, at(today))
    engine.dispose()
    show(found)
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert printed[1:7] == [
        "  holds          at least one of these:",
        "  unknown          last usage: unknown (is never), not known: "
        "the account has no usage event yet",
        "  holds            not:",
        "  does not hold      all of these:",
        "  holds                known users: 0 (is 0)",
        "  does not hold        executives with a tie: 1 (is 0)",
    ]
    usage, negated = document(found[0])["conditions"]["parts"]
    assert usage["limits"] == [{"value": None, "never": True}]
    assert (negated["kind"], len(negated["parts"])) == ("not", 1)


def test_an_unknown_fact_says_why_it_is(workspace):
    out = workspace("rules", "explain", "acme", "--rule", RULES[0]).out
    assert "unknown (at most -20%), not known: the account has no usage event yet" in out
    assert "usage_prev_30d is 0" not in out


def test_for_people_there_is_every_rule_with_names_as_they_are(workspace):
    done = workspace("rules", "explain", "[red]birch")
    assert (done.status, done.err) == (0, "")
    assert "None" not in done.out
    for rule in LIVE:
        assert f"{rule} on [red]birch, {TODAY}: the account is excepted\n" in done.out


def test_the_past_is_explained_with_the_flag_of_today_and_says_so(workspace):
    then = str(TODAY - timedelta(10))
    options = ("rules", "explain", "acme", "--rule", RENEWAL, "--on", then)
    out = workspace(*options).out
    assert f"{RENEWAL} on acme, {then}: does not hold\n" in out
    assert f"open since {TODAY} (as of {TODAY}: flags are kept as of now)" in out
    assert "fires if       the last contact with an executive is over 15 days ago" in out
    (one,) = workspace(*options, "--json").json
    assert (one["on"], one["outcome"], one["flag"]["state"]) == (then, False, "open")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["acmee"], "There is no account 'acmee'; did you mean 'acme'?"),
        (["nobody"], "There is no account 'nobody'."),
        (["acme", "--rule", "single-treaded"], "'single-treaded'; did you mean 'single-threaded'?"),
        (["acme", "--on", "31.3.2026"], "write it like 2026-03-31"),
        (["acme", "--on", "9999-12-31"], "too far away"),
    ],
)
def test_wrong_use_is_said_in_a_line_with_status_2(workspace, arguments, said):
    done = workspace("rules", "explain", *arguments, "--json")
    assert (done.status, done.out) == (2, "")
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_database_without_tables_says_what_to_run(tiewatch, folder):
    done = tiewatch("rules", "explain", "acme", DATABASE_URL=f"sqlite:///{folder}/empty.db")
    assert (done.status, done.out) == (2, "")
    assert "tiewatch db upgrade" in done.err


@pytest.mark.parametrize("on", ["1900-01-01", "2999-12-31"])
def test_the_first_and_the_last_date_there_may_be_do_no_harm(workspace, on):
    done = workspace("rules", "explain", "acme", "--on", on, "--json")
    assert (done.status, len(done.json)) == (0, len(RULES))


def test_the_sample_of_the_documentation_is_what_is_printed(sqlite_url, capsys):
    today = date(2026, 3, 10)
    engine, book = engine_for(sqlite_url), read_rulebook(rules_dir())
    take_in(engine, book, today, *acme(today))
    sweep(engine, book, today)
    show(explain(engine, "acme", book, today, at(today), "renewal-without-exec-contact"))
    engine.dispose()
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    sample = SECTION.partition("```\n")[2].partition("```")[0].splitlines()
    assert sample[0] == "$ tiewatch rules explain acme --rule renewal-without-exec-contact"
    assert sample[1:] == printed
