"""`metrics.yaml`: admins' own facts, read and used like those of the catalogue."""

from pathlib import Path

import pytest

from worker.core.conditions import evaluate
from worker.core.facts import FACTS
from worker.core.measures import Measure, Source
from worker.core.metrics import NO_METRICS, Ratio, Share
from worker.core.reasons import clears, reasons
from worker.core.rules import render
from worker.core.units import Unit
from worker.rulebooks.rulebook import read_rulebook
from worker.rulefiles import RuleFilesRefused, check, load_metrics
from worker.shipped import rules_dir

FACTS_FILE = """\
features:
  advanced: [report_export, api]
  launched: {insights: 2026-02-01}
facts:
  report exports 30d: {count: usage, where: {feature: report_export}, over: 30 days}
  exporters: {distinct: users, of: usage, where: {feature: [report_export, api]}, over: 90 days}
  minutes 7d: {sum: minutes, of: usage, over: 7 days, label: minutes this week}
  inbound calls: {share: interaction, where: {channel: call, direction: inbound}, over: 60 days}
  exports a licence: {ratio: report exports 30d, to: licences}
"""
RULE = """\
rules:
  - id: no-exports
    title: "Only {report exports 30d} exports, {exports a licence} a licence"
    severity: low
    when: {report exports 30d: fewer than 3, minutes 7d: over 2.5}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "metrics.yaml").write_text(FACTS_FILE)
    (tmp_path / "rules.yaml").write_text(RULE)
    return tmp_path


def problems(root: Path, text: str) -> list[str]:
    (root / "metrics.yaml").write_text(text)
    return [str(one).removeprefix(f"{root}/") for one in check([root])[0]]


def test_each_kind_of_fact_means_what_it_says(root: Path) -> None:
    metrics = load_metrics(root)
    assert metrics.advanced == ("api", "report_export")
    assert list(metrics.launched) == ["insights"]
    exports = Measure(Source.USAGE, "uses", 30, (("feature", ("report_export",)),))
    features = (("feature", ("api", "report_export")),)
    calls = Measure(
        Source.INTERACTION,
        "interactions",
        60,
        (("channel", ("call",)), ("direction", ("inbound",))),
    )
    assert {name: one.formula for name, one in metrics.own.items()} == {
        "report exports 30d": exports,
        "exporters": Measure(Source.USAGE, "users", 90, features),
        "minutes 7d": Measure(Source.USAGE, "minutes", 7),
        "inbound calls": Share(calls, calls._replace(where=())),
        "exports a licence": Ratio("report exports 30d", "licences"),
    }
    units = {name: one.fact.unit for name, one in metrics.own.items()}
    assert units["exporters"] is Unit.COUNT
    assert units["inbound calls"] is Unit.PERCENT
    assert units["exports a licence"] is Unit.NUMBER
    assert metrics.own["minutes 7d"].fact.label == "minutes this week"


def test_a_rule_uses_them_in_its_condition_its_title_and_its_reasons(root: Path) -> None:
    book = read_rulebook(root)
    (rule,) = book.rules.rules
    facts = dict.fromkeys(FACTS) | {
        "report exports 30d": 2,
        "minutes 7d": 12.25,
        "exports a licence": 0.5,
    }
    assert evaluate(rule.when, facts, book.rules.thresholds) is True
    assert render(rule.title, facts, book.rules.thresholds) == "Only 2 exports, 0.5 a licence"
    assert reasons(rule.when, facts, book.rules.thresholds) == (
        "report exports 30d: 2 (fewer than 3)",
        "minutes this week: 12.25 (over 2.5)",
    )
    assert "the number of report exports 30d is at least 3" in clears(
        rule.when, facts, book.rules.thresholds
    )


def test_only_what_a_rule_needs_is_read(root: Path) -> None:
    reading = read_rulebook(root).reading
    assert reading.own == {"report exports 30d", "minutes 7d", "exports a licence"}
    assert reading.parts == {"base"}


def test_another_definition_makes_another_version_of_the_rules(root: Path) -> None:
    before = read_rulebook(root).digest
    (root / "metrics.yaml").write_text(FACTS_FILE.replace("over: 30 days", "over: 31 days"))
    assert read_rulebook(root).digest != before


def test_a_rule_file_checked_alone_knows_the_facts_beside_it(root: Path) -> None:
    assert check([root / "rules.yaml"])[0] == []
    assert check([root / "metrics.yaml"])[0] == []


def test_without_a_file_there_are_none(tmp_path: Path) -> None:
    assert load_metrics(tmp_path) == NO_METRICS
    (tmp_path / "metrics.yaml").write_text("features:\nfacts:\n")
    assert load_metrics(tmp_path) == NO_METRICS


def test_the_shipped_metrics_are_right() -> None:
    load_metrics(rules_dir())


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        ("{cuont: usage, over: 30 days}", "4: unknown key 'cuont'; did you mean 'count'?"),
        ("{over: 30 days}", "1: fact 'f' must have one of count, sum, distinct, share, ratio"),
        ("{count: usage, sum: minutes, over: 1 day}", "1: fact 'f' must have one of count, sum"),
        ("{count: usgae, over: 30 days}", "unknown source 'usgae'; did you mean 'usage'?"),
        ("{count: usage}", "fact 'f' has no 'over', such as 30 days"),
        ("{count: usage, over: 30}", "'over' is in days: write '30 days', not '30'"),
        ("{count: usage, over: 366 days}", "'over' is 1 to 365 days, not '366 days'"),
        ("{count: usage, of: ticket, over: 3 days}", "'count' says itself what it counts"),
        ("{sum: minutes, over: 3 days}", "fact 'f' has no 'of'"),
        ("{sum: score, of: survey, over: 3 days}", "sum of survey is of nothing"),
        ("{distinct: user, of: usage, over: 3 days}", "did you mean 'users'?"),
        ("{share: usage, over: 3 days}", "fact 'f' has no 'where': a share is of what that leaves"),
        ("{count: usage, where: {plan: x}, over: 3 days}", "unknown key 'plan'"),
        ("{count: interaction, where: {channel: mail}, over: 3 days}", "unknown channel 'mail'"),
        ("{count: usage, where: {feature: []}, over: 3 days}", "'feature' has no value"),
        ("{count: usage, where: x, over: 3 days}", "'where' of usage must be lines of 'key: value"),
        ("{ratio: adoption}", "fact 'f' has no 'to'"),
        ("{ratio: adoption, to: licenses}", "unknown fact 'licenses'; did you mean 'licences'?"),
        ("{ratio: segment, to: licences}", "segment is text: a ratio is of numbers"),
        ("{ratio: f, to: licences}", "fact 'f' leads back to itself"),
        ("{ratio: adoption, to: licences, over: 3 days}", "a ratio is of two facts"),
        ("{count: usage, to: licences, over: 3 days}", "'to' goes with 'ratio'"),
        ("[usage]", "fact 'f' must be lines of 'key: value'"),
    ],
)
def test_each_mistake_is_told_with_its_place(root: Path, fact: str, said: str) -> None:
    found = problems(root, f"facts:\n  f: {fact}\n")
    own = [line for line in found if line.startswith("metrics.yaml:2:")]
    assert own == found  # and rules that use the fact are not blamed for it
    assert said.split(": ", 1)[-1] in own[0]


@pytest.mark.parametrize("name", ["mrr", "over 3", "known", "a and b", "3 days"])
def test_a_fact_cannot_have_a_name_that_means_something_else(root: Path, name: str) -> None:
    found = problems(root, f"facts:\n  {name}: {{count: usage, over: 3 days}}\n")
    assert found[0].startswith(f"metrics.yaml:2:3: '{name}' cannot name a fact")


def test_a_name_is_a_fact_or_a_threshold_or_a_condition(root: Path) -> None:
    (root / "rules.yaml").write_text(
        "thresholds: {exporters: 3}\nconditions: {minutes 7d: {mrr: known}}\n" + RULE
    )
    said = [one.message for one in check([root])[0]]
    assert "'exporters' cannot name a threshold: it is a fact of metrics.yaml" in said
    assert "'minutes 7d' cannot name a condition: it is a fact of metrics.yaml" in said


def test_facts_that_lead_back_to_each_other_are_all_named(root: Path) -> None:
    text = "facts:\n  a: {ratio: b, to: mrr}\n  b: {ratio: c, to: a}\n  c: {ratio: a, to: b}\n"
    assert [line.split(": ")[1] for line in problems(root, text) if "leads" in line] == [
        f"fact '{name}' leads back to itself" for name in "abc"
    ]


@pytest.mark.parametrize(
    "text", ["features: {advanced: {a: 1}}", "features: {launched: {x: soon}}"]
)
def test_features_are_lists_and_dates(root: Path, text: str) -> None:
    (root / "metrics.yaml").write_text(text)
    with pytest.raises(RuleFilesRefused):
        load_metrics(root)
