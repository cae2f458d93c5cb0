"""Rule tests: they pass when the rules do what they say, and say why when not."""

import re
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

import worker
from tests.pipeline import rulebook
from worker.cli import app
from worker.rulebooks import ruletests
from worker.rulebooks.rulebook import read_rulebook
from worker.rulefiles.problems import Findings
from worker.rulefiles.timelines import timelines
from worker.shipped import rules_dir

SHIPPED = read_rulebook(rules_dir())


def results(folder, text, book=SHIPPED):
    file = folder / "t.yaml"
    file.write_text(text)
    tests, problems = ruletests.read([file], book.rules)
    assert problems == []
    return [ruletests.run(test, book) for test in tests]


def told(folder, text, book=SHIPPED):
    return [failure.message for one in results(folder, text, book) for failure in one.failures]


QUIET = """
- test: an exec goes silent before renewal
  account: {id: acme, segment: enterprise, renewal_date: 2026-03-31}
  contacts: [{contact: dana, title: CIO}, {contact: lee, title: Analyst, role: user}]
  events:
    - {day: 2026-01-05, interaction: meeting, reps: [sam], contacts: [dana]}
    - {day: 2026-01-06..2026-02-24, every: 7 days, interaction: email, direction: outbound,
       reps: [sam], contacts: [lee]}
  expect:
"""


def test_the_timeline_of_the_contract_passes(tmp_path):
    (done,) = results(
        tmp_path,
        QUIET + "    - {day: 2026-01-20, flags: [single-threaded]}\n"
        "    - {day: 2026-01-21, flags: [renewal-without-exec-contact, single-threaded]}\n",
    )
    assert done.failures == ()


def test_a_flag_in_shadow_is_looked_at_under_shadow_alone(tmp_path):
    shipped = (rules_dir() / "relationship.yaml").read_text()
    tried = shipped.replace("- id: single-threaded\n", "- id: single-threaded\n    mode: shadow\n")
    assert tried != shipped
    book = rulebook(tmp_path, tried)
    day = "    - {day: 2026-01-20, "
    assert told(tmp_path, QUIET + day + "flags: []}\n", book) == []
    assert told(tmp_path, QUIET + day + "shadow: [single-threaded]}\n", book) == []
    (message,) = told(tmp_path, QUIET + day + "flags: [], shadow: []}\n", book)
    assert "expected in shadow nothing, open single-threaded" in message
    assert "single-threaded is open: " in message


def test_a_flag_that_is_not_listed_fails_the_test_and_says_why_it_is_up(tmp_path):
    (message,) = told(tmp_path, QUIET + "    - {day: 2026-01-21, flags: [single-threaded]}\n")
    first, second = message.splitlines()
    assert first.endswith(
        "expected single-threaded, open renewal-without-exec-contact, single-threaded"
    )
    assert "renewal-without-exec-contact is open: " in second
    assert "last contact with an executive: 16 days ago (over 15 days)" in second


@pytest.mark.parametrize(
    ("expectation", "why"),
    [
        (
            "2026-01-20, flags: [single-threaded, renewal-without-exec-contact]",
            "is not open: last contact with an executive: 15 days ago (at most 15 days)",
        ),
        (
            "2026-01-06, flags: [single-threaded]",
            "is not open yet: it holds since 2026-01-05, and opens on 2026-01-07",
        ),
        (
            "2026-01-05, flags: [adoption-falling-without-contact]",
            "whether it holds is unknown: usage_change (the account has no usage event yet",
        ),
        ("2026-01-20, flags: {single-threaded: {severity: high}}", "has severity medium, not high"),
        ("2026-01-20, flags: {single-threaded: {state: pending}}", "is open, not pending"),
        (
            "2026-01-20, flags: {single-threaded: {title: x}}",
            'has the title "Strong exec ties: 0 of the 2 we need", not "x"',
        ),
    ],
)
def test_a_failure_explains_the_difference(tmp_path, expectation, why):
    (message,) = told(tmp_path, QUIET + f"    - {{day: {expectation}}}\n")
    assert why in message


def test_an_excepted_account_says_so(tmp_path):
    text = (
        "- test: t\n  account: {lifecycle: trial}\n"
        "  events: [{day: 2026-01-01, interaction: call, reps: [sam], contacts: [dana]}]\n"
        "  expect: [{day: 2026-01-09, flags: [single-threaded]}]\n"
    )
    (message,) = told(tmp_path, text)
    assert "the account is excepted: lifecycle: trial" in message


def test_what_does_not_clear_at_once_is_still_open(tmp_path):
    text = (
        "- test: t\n  account: {segment: smb}\n  contacts: [{contact: dana, title: CIO}]\n"
        "  events:\n"
        "    - {day: 2026-01-05..2026-01-19, every: 7 days, interaction: meeting,\n"
        "      reps: [sam], contacts: [dana]}\n"
        "  expect: [{day: 2026-01-20, flags: []}]\n"
    )
    (message,) = told(tmp_path, text)
    assert "it does not hold since 2026-01-19, and resolves on 2026-01-22" in message


def test_the_rules_that_ship_pass_their_tests_and_all_have_some():
    tests, problems = ruletests.read([rules_dir() / "tests"], SHIPPED.rules)
    assert problems == []
    done = [ruletests.run(test, SHIPPED) for test in tests]
    assert [failure for one in done for failure in one.failures] == []
    assert ruletests.uncovered(tests, SHIPPED.rules) == []


def test_a_rule_that_no_test_expects_is_named(tmp_path):
    (done,) = results(tmp_path, QUIET + "    - {day: 2026-01-20, flags: [single-threaded]}\n")
    assert "adoption-without-user-ties" in ruletests.uncovered([done.test], SHIPPED.rules)
    assert "single-threaded" not in ruletests.uncovered([done.test], SHIPPED.rules)


def test_changing_a_number_of_a_shipped_rule_fails_a_test(tmp_path):
    """Each number of the shipped rules has a test on both of its sides."""
    shipped = (rules_dir() / "relationship.yaml").read_text()
    changes = [
        ("enterprise: 90 days", "enterprise: 91 days"),
        ("enterprise: 90 days", "enterprise: 89 days"),
        ("default: 45 days", "default: 46 days"),
        ("default: 45 days", "default: 44 days"),
        ("between 0 days", "between 1 day"),
        ("over 15 days", "over 14 days"),
        ("over 15 days", "over 16 days"),
        ("execs required: {enterprise: 2", "execs required: {enterprise: 1"),
        ("mid-market: 2", "mid-market: 1"),
        ("default: 1}", "default: 2}"),
        ("hold_for: 2 days", "hold_for: 1 day"),
        ("hold_for: 2 days", "hold_for: 3 days"),
        ("keep_open_for: 3 days", "keep_open_for: 2 days"),
        ("keep_open_for: 3 days", "keep_open_for: 4 days"),
        ("at least 75%", "at least 76%"),
        ("at least 75%", "at least 60%"),
        ("at most -20%", "at most -21%"),
        ("at most -20%", "at most -19%"),
        ("at least 30 days", "at least 31 days"),
        ("at least 30 days", "at least 29 days"),
        ("[trial, onboarding, churned]", "[onboarding, churned]"),
        ("[trial, onboarding, churned]", "[trial, churned]"),
        ("[trial, onboarding, churned]", "[trial, onboarding]"),
    ]
    for number, (old, new) in enumerate(changes):
        assert old in shipped
        book = rulebook(tmp_path, shipped.replace(old, new), f"rules-{number}")
        tests = timelines(
            rules_dir() / "tests", {r.id: r.mode for r in book.rules.rules}, Findings()
        )
        failed = [t for t in tests if ruletests.run(t, book).failures]
        assert failed, f"{old} could be {new} and no test would tell"


def test_two_hundred_tests_take_less_than_ten_seconds(tmp_path):
    expected = "    - {day: 2026-01-21, flags: [renewal-without-exec-contact, single-threaded]}\n"
    for number in range(4):
        (tmp_path / f"{number}.yaml").write_text((QUIET + expected) * 50)
    began = time.process_time()
    tests, problems = ruletests.read([tmp_path], SHIPPED.rules)
    done = [ruletests.run(test, SHIPPED) for test in tests]
    assert time.process_time() - began < 10
    assert (len(done), problems) == (200, [])


@pytest.fixture
def tiewatch(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TIEWATCH_RULES_DIR", str(rules_dir()))
    return lambda *words: CliRunner().invoke(app, ["rules", "test", *words])


def test_the_command_tells_passes_failures_and_what_cannot_be_read(tiewatch, tmp_path):
    done = tiewatch()
    assert done.exit_code == 0
    assert "passed, 0 failed" in done.output
    file = tmp_path / "t.yaml"
    file.write_text(QUIET + "    - {day: 2026-01-21, flags: [single-threaded]}\n- test: t\n")
    done = tiewatch(str(file), "--coverage", "--junit", "out.xml")
    assert done.exit_code == 1
    assert "t.yaml:10:7: an exec goes silent" in done.output
    assert "t.yaml:11:3: the test has no 'expect'" in done.output
    assert "1 test: 0 passed, 1 failed. Those with a problem were not run." in done.output
    assert "No test expects adoption-without-user-ties to be open." in done.output
    suite = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert [suite.get(count) for count in ("tests", "failures", "errors")] == ["2", "1", "1"]
    assert [case[0].tag for case in suite] == ["error", "failure"]


PAGE = (Path(worker.__file__).parent.parent / "docs/testing.md").read_text()


def test_the_tests_in_the_documentation_pass(tmp_path):
    examples = re.findall(r"```yaml\n(- test:.*?)```", PAGE, re.DOTALL)
    assert examples
    for example in examples:
        assert told(tmp_path, example) == []


@pytest.mark.parametrize("said", re.findall(r"^  \| .* \| `(.*?)` \|$", PAGE, re.MULTILINE))
def test_the_events_in_the_documentation_are_understood(tmp_path, said):
    text = (
        f"- test: t\n  account: {{id: acme}}\n  events: [{{day: 2026-01-01, {said}}}]\n"
        "  expect: [{day: 2026-01-01, flags: []}]\n"
    )
    results(tmp_path, text)


def test_the_failure_in_the_documentation_is_worded_as_a_real_one(tmp_path):
    (message,) = told(tmp_path, QUIET + "    - {day: 2026-01-06, flags: [single-threaded]}\n")
    assert message in PAGE
