"""`health.yaml`: what it may say, and what is told of what it may not."""

import pytest

from worker.core.health import NO_HEALTH
from worker.rulefiles import RuleFilesRefused, load_health
from worker.shipped import rules_dir

GOOD = """
bands: {good: 100, fair: 60, poor: 20}
parts:
  relationship:
    weight: 60
    facts:
      exec_ties: {good: at least 2, fair: 1, poor: otherwise}
      days_since_contact:
        - {for: {segment: enterprise}, good: at most 7 days, poor: otherwise}
        - {good: at most 30 days, fair: at most 60 days, poor: otherwise}
"""


def read(folder, text):
    (folder / "health.yaml").write_text(text, encoding="utf-8")
    return load_health(folder)


@pytest.mark.parametrize("text", [None, "", "bands: {good: 100}", "parts:\n"])
def test_without_parts_there_is_no_score(tmp_path, text):
    assert (load_health(tmp_path) if text is None else read(tmp_path, text)) == NO_HEALTH


def test_parts_have_a_weight_and_facts_with_bands(tmp_path):
    (part,) = read(tmp_path, GOOD).parts
    assert (part.name, part.weight) == ("relationship", 60)
    enterprise, others = part.facts["days_since_contact"]
    assert (enterprise.of is not None, others.of) == (True, None)
    assert [(band.name, band.points) for band in others.bands] == [
        ("good", 100),
        ("fair", 60),
        ("poor", 20),
    ]


def test_the_score_that_ships_has_the_five_parts_of_the_field():
    shipped = load_health(rules_dir())
    names = [part.name for part in shipped.parts]
    assert names == ["relationship", "adoption", "success", "voice", "support"]
    assert sum(part.weight for part in shipped.parts) == 100


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("good: 100", "good: 101", "the points of 'good' is a number from 0 to 100, not '101'"),
        ("weight: 60", "weight: 0", "'weight' is a number from 1 to 1000, not '0'"),
        ("    weight: 60\n", "", "part 'relationship' has no 'weight'"),
        ("exec_ties", "exec_tie", "unknown fact 'exec_tie'; did you mean 'exec_ties'?"),
        ("exec_ties", "health", "unknown fact 'health'"),
        ("fair: 1,", "fiar: 1,", "unknown key 'fiar'; did you mean 'fair'?"),
        ("fair: 1, poor: otherwise", "fair: 1", "the last band of a fact, and only that, is"),
        ("good: at least 2", "good: otherwise", "the last band of a fact, and only that, is"),
        ("at least 2", "at least 2%", "exec_ties is a count: write '2', not '2%'"),
        ("for: {segment: enterprise}, ", "", "only the last of several may be for everyone"),
        ("- {good: at most 30", "- {for: {segment: smb}, good: at most 30", "for everyone else"),
        ("bands: {good: 100, fair: 60, poor: 20}\n", "", "'bands' is missing"),
        ("parts:", "part:", "unknown key 'part'; did you mean 'parts'?"),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path, right, wrong, told):
    assert GOOD.count(right) == 1
    with pytest.raises(RuleFilesRefused) as refused:
        read(tmp_path, GOOD.replace(right, wrong))
    assert any(told in problem.message and problem.line > 0 for problem in refused.value.problems)
