"""docs/rules.md: every example in it is true."""

import re
from pathlib import Path

import pytest

import worker
from worker.rulefiles.conditions import condition
from worker.rulefiles.nodes import parse
from worker.rulefiles.rules import KEYS, REQUIRED
from worker.rulefiles.thresholds import Scope

PAGE = (Path(worker.__file__).parent.parent / "docs/rules.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
COMPARISONS = PAGE.partition("## Comparisons")[2].partition("\n## ")[0]


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_are_whole_rule_files_without_a_problem(checked, example):
    problems, rules = checked(example)
    assert problems == []
    assert rules.rules


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
