"""docs/rules.md: every example in it is true."""

import re
from datetime import date
from pathlib import Path

import pytest

import worker
from worker.rulefiles import check
from worker.rulefiles.conditions import condition
from worker.rulefiles.nodes import parse
from worker.rulefiles.rules import KEYS, REQUIRED
from worker.rulefiles.thresholds import Scope
from worker.shipped import rules_dir

PAGE = (Path(worker.__file__).parent.parent / "docs/rules.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
COMPARISONS = PAGE.partition("## Comparisons")[2].partition("\n## ")[0]


OVERRIDES = [example for example in EXAMPLES if "override: true" in example]


@pytest.mark.parametrize("example", [each for each in EXAMPLES if each not in OVERRIDES])
def test_examples_are_whole_rule_files_without_a_problem(checked, example):
    problems, rules = checked(example)
    assert problems == []
    assert rules.rules


@pytest.mark.parametrize("example", OVERRIDES)
def test_examples_that_override_change_a_rule_that_ships(tmp_path, example):
    (tmp_path / "ours.yaml").write_text(example)
    problems, rules = check([tmp_path])
    assert problems == []
    assert check([rules_dir(), tmp_path])[1].digest == rules.digest
    _, shipped = check([rules_dir()])
    assert len(set(rules.rules) - set(shipped.rules)) == 1
    assert {rule.id for rule in rules.rules} == {rule.id for rule in shipped.rules}


def spelled():
    """Each comparison of the table, its alternatives included."""
    for row in re.findall(r"^\| (`.*?) \|", COMPARISONS, re.MULTILINE):
        first, *others = re.findall(r"`(.*?)`", row)
        fact = first.partition(": ")[0]
        yield first
        for other in others:
            symbol = f'"{other} 75%"' if not other[0].isalpha() else other
            yield f"{fact}: {symbol}" if other != "at least" else f"{fact}: at least 75%"


@pytest.mark.parametrize("line", list(spelled()))
def test_every_comparison_of_the_table_is_understood(line):
    scope = Scope()
    node = parse(line, "docs/rules.md", scope.findings)
    assert node
    assert condition(node, "'when'", scope)
    assert scope.findings.sorted() == []


def test_the_table_of_keys_is_complete():
    keys = re.findall(r"^\| `(\w+)` \| (required)?", PAGE, re.MULTILINE)
    assert sorted(key for key, _ in keys) == sorted(KEYS)
    assert sorted(key for key, required in keys if required) == sorted(REQUIRED)


def test_the_sample_problem_is_worded_as_a_real_one():
    scope = Scope()
    node = parse("days_since_exec_contct: over 5 days", "a.yaml", scope.findings)
    assert node
    condition(node, "'when'", scope)
    (problem,) = scope.findings.sorted()
    assert problem.message in PAGE


def test_the_sample_of_foregone_conditions_and_warnings_is_worded_as_real_ones(checked):
    file = "thresholds: {users to know: 5}\nrules: [{id: x, title: t, severity: low, when: [%s]}]\n"
    for when in (
        "{known_users: at least 5}, {known_users: under 3}",
        "{known_users: at least 0}",
        "{mrr: over $5}",
    ):
        (found,), _ = checked(file % when, date(2026, 3, 10))
        assert str(found).partition(": ")[2] in PAGE


def test_the_advice_on_editors_is_what_the_files_that_ship_do():
    (line,) = {example.partition("\n")[0] for example in EXAMPLES if "$schema" in example}
    assert line == (rules_dir() / "relationship.yaml").read_text().partition("\n")[0]
