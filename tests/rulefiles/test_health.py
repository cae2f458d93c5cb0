"""`health.yaml`: what it may say, and what is told of what it may not."""

import pytest

from worker.core.bands import NO_HEALTH
from worker.core.facts import FACTS
from worker.core.health import health_of
from worker.rulebooks.rulebook import read_rulebook
from worker.rulefiles import RuleFilesRefused, check, load_health, load_metrics
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


OWN = """
facts:
  exports 30d: {count: usage, where: {feature: export}, over: 30 days}
  exports a user: {ratio: exports 30d, to: licences_used}
"""
OWN_GOOD = """
bands: {good: 100, poor: 20}
parts:
  adoption:
    weight: 1
    facts:
      exports  a user:
        - {for: {exports 30d: over 9}, good: at least 2, poor: otherwise}
        - {good: at least 1, poor: otherwise}
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


def test_it_may_rest_on_facts_of_ones_own(tmp_path):
    (tmp_path / "metrics.yaml").write_text(OWN, encoding="utf-8")
    (tmp_path / "health.yaml").write_text(OWN_GOOD, encoding="utf-8")
    (tmp_path / "a.yaml").write_text(
        "rules: [{id: a, title: A, severity: low, when: {health: under 50}}]", encoding="utf-8"
    )
    assert check([tmp_path])[0] == check([tmp_path / "health.yaml"])[0] == []
    book = read_rulebook(tmp_path)
    assert book.reading.own == {"exports 30d", "exports a user"}
    shared = {"exports 30d": 5, "segment": None}
    (good, poor) = (
        health_of(dict.fromkeys(FACTS) | shared | {"exports a user": much}, book.health).score
        for much in (1.0, 0.5)
    )
    assert (good, poor) == (100, 20)


def test_another_definition_of_a_fact_makes_another_score(tmp_path):
    scores = set()
    for days in (30, 31, 30):
        (tmp_path / "metrics.yaml").write_text(OWN.replace("over: 30", f"over: {days}"))
        (tmp_path / "health.yaml").write_text(OWN_GOOD, encoding="utf-8")
        scores.add(load_health(tmp_path, load_metrics(tmp_path)).digest)
    assert len(scores) == 2


@pytest.mark.parametrize(
    ("file", "right", "wrong", "told"),
    [
        ("health", "exports  a user", "export a user", "health.yaml:7:7: unknown fact 'export a "),
        ("health", "exports 30d", "exports 30", "health.yaml:8:18: unknown fact 'exports 30'; did"),
        ("health", "at least 2", "at least 2%", "health.yaml:8:46: exports a user is "),
        ("metrics", "licences_used", "health", "metrics.yaml:4:44: health is made of facts, of "),
        ("metrics", "over: 30 days", "over: 30", "metrics.yaml:3:63: 'over' is in days: write '30"),
    ],
)
def test_mistakes_with_facts_of_ones_own_are_told_once(tmp_path, file, right, wrong, told):
    for name, text in (("metrics", OWN), ("health", OWN_GOOD)):
        changed = text.replace(right, wrong) if name == file else text
        assert (changed != text) is (name == file)
        (tmp_path / f"{name}.yaml").write_text(changed, encoding="utf-8")
    (tmp_path / "a.yaml").write_text(
        "rules: [{id: a, title: A, severity: low, when: {health: under 50}}]", encoding="utf-8"
    )
    (problem,) = check([tmp_path])[0]
    assert str(problem).startswith(f"{tmp_path}/{told}")


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("good: 100", "good: 101", "the points of 'good' is a number from 0 to 100, not '101'"),
        ("weight: 60", "weight: 0", "'weight' is a number from 1 to 1000, not '0'"),
        ("    weight: 60\n", "", "part 'relationship' has no 'weight'"),
        ("exec_ties", "exec_tie", "unknown fact 'exec_tie'; did you mean 'exec_ties'?"),
        ("exec_ties", "health", "health is what comes of this file: it cannot be a part of it"),
        ("segment: enterprise", "health: under 5", "health is what comes of this file: no 'for'"),
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
