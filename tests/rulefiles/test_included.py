"""The rules that ship, read beside an admin's own: added to, overridden, never in the way."""

from datetime import date
from functools import partial
from pathlib import Path

import pytest

from worker.core.metrics import NO_METRICS
from worker.rulebooks.rulebook import read_rulebook
from worker.rulefiles import check, load
from worker.shipped import rules_dir

TODAY = date(2026, 3, 10)
SHIPPED = """
thresholds:
  quiet for too long: {enterprise: 20 days, default: 30 days}
  not used any more: 5%
conditions:
  paying: {mrr: over $0}
rules:
  - id: quiet
    title: "Quiet for {quiet for too long}"
    severity: medium
    when: [paying, days_since_contact: over quiet for too long]
  - {id: alone, title: Alone, severity: low, when: {known_users: 0}}
"""
INCLUDE = "include: shipped rules\n"
RULE = "  - {id: %s, title: Ours, severity: high, when: {adoption: under 5%%}%s}\n"


@pytest.fixture
def found(tmp_path, monkeypatch):
    """Checks `ours.yaml`, and files beside it, where SHIPPED is what ships."""
    monkeypatch.chdir(tmp_path)
    Path("shipped").mkdir()
    Path("shipped/relationship.yaml").write_text(SHIPPED)
    Path("rules").mkdir()

    def found_in(text, shipped=SHIPPED, paths=("rules",), **beside):
        Path("shipped/relationship.yaml").write_text(shipped)
        for name, content in {"ours": text, **beside}.items():
            Path(f"rules/{name}.yaml").write_text(content)
        problems, rules = check(list(map(Path, paths)), TODAY, Path("shipped"))
        return [str(each) for each in problems], {r.id: r for r in rules.rules} if rules else None

    return found_in


def ours(name="mine", more=""):
    return "rules:\n" + RULE % (name, more)


def test_a_directory_of_ones_own_stands_alone(found):
    told, rules = found(ours())
    assert (told, list(rules)) == ([], ["mine"])


@pytest.mark.parametrize("paths", [("rules",), ("rules/ours.yaml",)])
def test_a_file_that_includes_the_shipped_rules_adds_to_them(found, paths):
    told, rules = found(INCLUDE + ours(), paths=paths)
    assert (told, list(rules)) == ([], ["alone", "mine", "quiet"])


def test_including_them_is_enough_for_a_file(found):
    told, rules = found(INCLUDE)
    assert (told, list(rules)) == ([], ["alone", "quiet"])


def test_including_them_twice_is_including_them_once(found):
    told, rules = found(INCLUDE + ours(), more=INCLUDE)
    assert (told, list(rules)) == ([], ["alone", "mine", "quiet"])


@pytest.mark.parametrize("paths", [("rules",), ("rules/ours.yaml",)])
def test_an_override_of_a_shipped_rule_brings_the_others_along(found, paths):
    told, rules = found(ours("quiet", ", override: true"), paths=paths)
    assert (told, list(rules)) == ([], ["alone", "quiet"])
    assert rules["quiet"].title == "Ours"


def test_a_shipped_rule_can_be_switched_off(found):
    told, rules = found(ours("quiet", ", override: true, mode: off"))
    assert (told, list(rules)) == ([], ["alone"])


def test_an_override_of_ones_own_rule_brings_nothing_along(found):
    told, rules = found(ours("quiet"), more=ours("quiet", ", override: true"))
    assert (told, list(rules)) == ([], ["quiet"])


def test_a_misspelt_override_is_told_which_rule_it_means(found):
    assert found(ours("quite", ", override: true")) == (
        [
            "rules/ours.yaml:2:10: rule 'quite' overrides nothing: "
            "no other file has a rule of that id; did you mean 'quiet'?"
        ],
        None,
    )


def test_rules_can_use_the_thresholds_and_conditions_that_ship(found):
    line = "{id: x, title: t, severity: low, when: [paying, days_since_inbound: over quiet for"
    told, rules = found(f"{INCLUDE}rules:\n  - {line} too long]}}\n")
    assert (told, len(rules)) == ([], 3)


def test_a_threshold_of_ones_own_takes_the_place_of_one_that_ships(found):
    told, _ = found(INCLUDE + "thresholds: {quiet for too long: 50 days}\n")
    assert told == []
    rules = load(Path("rules"), Path("shipped"))
    assert rules.thresholds["quiet for too long"].value_for("enterprise") == 50
    assert "not used any more" in rules.thresholds


def test_a_threshold_that_takes_the_place_of_one_that_ships_has_its_unit(found):
    assert found(INCLUDE + "thresholds: {quiet for too long: 50%}\n") == (
        [
            "rules/ours.yaml:2:14: threshold 'quiet for too long' takes the place of one that "
            "ships, which is in days: give it that unit or another name"
        ],
        None,
    )


def test_it_needs_a_value_for_the_segments_that_ship_too(found):
    told, _ = found(INCLUDE + "thresholds: {quiet for too long: {smb: 50 days}}\n")
    (problem,) = told
    assert problem.endswith("has neither a value for 'enterprise' nor a default")


def test_what_it_makes_of_a_shipped_rule_is_told_where_it_stands(found):
    assert found(INCLUDE + "thresholds: {quiet for too long: never}\n") == (
        [
            "rules/ours.yaml:2:14: takes the place of one that ships, and with it "
            "relationship.yaml:11 goes wrong: days_since_contact cannot be over "
            "quiet for too long: this can never be true"
        ],
        None,
    )


def test_a_condition_of_ones_own_takes_the_place_of_one_that_ships(found):
    told, rules = found(INCLUDE + "conditions: {paying: {mrr: over $99}}\n")
    assert told == []
    assert "99" in repr(rules["quiet"].when)


def test_an_upgrade_that_brings_a_rule_of_the_same_id_stops_nothing(found):
    text = INCLUDE + ours("newcomer")
    assert found(text)[0] == []
    newer = SHIPPED + RULE.replace("Ours", "Theirs") % ("newcomer", "")
    told, rules = found(text, shipped=newer)
    assert told == [
        "rules/ours.yaml:3:10: warning: rule 'newcomer' comes with tiewatch too, and this one is "
        "in force: add 'override: true' if that is meant, else give it another id"
    ]
    assert rules["newcomer"].title == "Ours"


COUNTED = "facts: {exports 30d: {count: usage, where: {feature: %s}, over: 30 days}}\n"
EXPORTS = SHIPPED + (
    "  - {id: exports, title: '{exports 30d}', severity: low, when: {exports 30d: under 3}}\n"
)


@pytest.fixture
def with_facts(found):
    """`found`, where the metrics.yaml that ships has a fact that a shipped rule looks at."""
    Path("shipped/metrics.yaml").write_text(COUNTED % "export")
    return partial(found, shipped=EXPORTS)


def test_the_shipped_rules_bring_the_facts_that_they_look_at(with_facts):
    told, rules = with_facts(INCLUDE + ours())
    assert (told, "exports" in rules) == ([], True)
    book = read_rulebook(Path("rules"), Path("shipped"))
    assert book.reading.own == {"exports 30d"}
    assert [fact.name for fact in book.metrics.facts] == ["exports 30d"]


def test_without_the_shipped_rules_there_are_none_of_their_facts(with_facts):
    told, _ = with_facts("rules: [{id: x, title: t, severity: low, when: {exports 30d: 1}}]\n")
    assert len(told) == 1
    assert "unknown fact 'exports 30d'" in told[0]
    with_facts(ours())
    assert read_rulebook(Path("rules"), Path("shipped")).metrics == NO_METRICS


def test_rules_and_health_of_ones_own_can_use_them(with_facts):
    told, _ = with_facts(
        INCLUDE + "rules: [{id: x, title: t, severity: low, when: {exports 30d: 1}}]\n",
        health="bands: {good: 9}\nparts: {a: {weight: 1, facts: {exports 30d: {good: otherwise}}}}",
    )
    assert told == []
    read_rulebook(Path("rules"), Path("shipped"))


def test_a_fact_of_ones_own_takes_the_place_of_one_that_ships(with_facts):
    told, _ = with_facts(INCLUDE, metrics=COUNTED % "report")
    assert told == []
    (own,) = read_rulebook(Path("rules"), Path("shipped")).metrics.own.values()
    assert own.formula.where == (("feature", ("report",)),)


def test_a_threshold_cannot_have_the_name_of_a_fact_that_ships(with_facts):
    told, _ = with_facts(INCLUDE + "thresholds: {exports 30d: 5}\n")
    assert told == [
        "rules/ours.yaml:2:14: 'exports 30d' cannot name a threshold: it is a fact that ships "
        "with tiewatch"
    ]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("shiped rules", "10: 'include' is 'shipped rules', which come with tiewatch, not 'shiped"),
        ("[shipped rules]", "10: 'include' must be a text"),
    ],
)
def test_nothing_else_can_be_included(found, value, told):
    lines, _ = found(f"include: {value}\n{ours()}")
    (line,) = lines
    assert line.startswith(f"rules/ours.yaml:1:{told}")


def test_what_ships_can_all_be_overridden_and_has_defaults():
    """An upgrade never asks for a value of a threshold that an admin has not heard of."""
    rules = load(rules_dir())
    assert all(one.default is not None for one in rules.thresholds.values())
