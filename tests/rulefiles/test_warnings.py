"""What is no problem in a rule file, but probably not meant."""

import os
from datetime import UTC, date, datetime
from pathlib import Path
from unittest.mock import Mock

import pytest

from worker.rulefiles import check, load
from worker.rulefiles.files import last_changed
from worker.shipped import rules_dir

CHANGED = datetime(2026, 5, 2, 23, 59, tzinfo=UTC)
DAY_90, DAY_91 = date(2026, 7, 31), date(2026, 8, 1)
RULE = "  - {id: %s, title: t, severity: low, when: %s}\n"


@pytest.fixture
def warned(tmp_path, monkeypatch):
    """Checks files, last changed on 2 May 2026, on a date; gives all that is said of them."""
    monkeypatch.chdir(tmp_path)

    def check_files(on=DAY_90, **files):
        for name, text in files.items():
            file = Path(f"{name}.yaml")
            file.write_text(text)
            os.utime(file, (CHANGED.timestamp(),) * 2)
        found, rules = check([Path(".")], on)
        assert found == sorted(found)
        assert (rules is None) is any(not each.warning for each in found)
        return [str(each) for each in found]

    return check_files


def test_a_threshold_that_nothing_uses(warned):
    text = "thresholds:\n  bar: 5%\n  used: 6%\nrules:\n" + RULE % ("x", "{adoption: over used}")
    assert warned(a=text) == ["a.yaml:2:3: warning: threshold 'bar' is used nowhere in these files"]
    assert warned(b="rules:\n" + RULE % ("y", "{adoption: over bar}")) == []


def test_a_threshold_in_words_only_is_used(warned):
    rule = RULE.replace("title: t", "title: '{bar}'") % ("x", "{mrr: over $5}")
    assert warned(a=f"thresholds: {{bar: 5%}}\nrules:\n{rule}") == []


def test_a_condition_that_nothing_uses(warned):
    conditions = "conditions:\n  a: {mrr: over $5}\n  b: [a]\n"
    rules = "rules:\n" + RULE % ("x", "{mrr: over $5}")
    warning = "a.yaml:3:3: warning: condition 'b' is used nowhere in these files"
    assert warned(a=conditions + rules) == [warning]
    assert warned(a=conditions + rules.replace("{mrr: over $5}", "{not: b}")) == []


def test_what_a_rule_that_is_off_or_overridden_uses_is_used(warned):
    lines = [
        "thresholds: {bar: 5%, baz: 6%}",
        "rules:",
        "  - {id: x, title: t, severity: low, when: {adoption: over bar}, mode: off}",
        "  - {id: y, title: t, severity: low, when: {adoption: over baz}}",
        "  - {id: y, title: t, severity: low, when: {mrr: over $5}, override: true}",
    ]
    assert warned(a="\n".join(lines)) == []


def test_nothing_is_called_unused_while_a_problem_may_hide_its_use(warned):
    text = "thresholds: {bar: 5%}\nrules:\n" + RULE % ("x", "{adoption: over bat}")
    (problem,) = warned(a=text)
    assert "unknown threshold 'bat'" in problem


SHADOW = (
    "rules:\n  - id: x\n    mode: shadow\n    title: t\n    severity: low\n    when: {mrr: $1}\n"
)


@pytest.mark.parametrize(
    ("on", "told"),
    [
        (DAY_90, []),
        (
            DAY_91,
            [
                "a.yaml:2:9: warning: rule 'x' has been in shadow since this file last changed,"
                " 2026-05-02, 91 days ago: make it live or remove it"
            ],
        ),
    ],
)
def test_a_rule_that_has_been_in_shadow_for_more_than_90_days(warned, on, told):
    assert warned(on, a=SHADOW) == told
    assert warned(on, a=SHADOW.replace("shadow", "live")) == []
    off = SHADOW.replace("shadow", "off") + RULE % ("y", "{mrr: $1}")
    assert warned(on, a=off) == []


def test_a_shadow_rule_that_is_overridden_is_not_waiting_for_anything(warned):
    assert warned(DAY_91, a=SHADOW, b=SHADOW.replace("mode: shadow", "override: true")) == []


def test_shadow_rules_are_told_beside_problems(warned):
    wrong = RULE % ("y", "{adoptoin: 5%}")
    assert [line.split(": ")[1] for line in warned(DAY_91, a=SHADOW + wrong)] == [
        "warning",
        "unknown fact 'adoptoin'; did you mean 'adoption'?",
    ]


@pytest.mark.parametrize("moment", [-(10**11), 10**12, None])
def test_a_file_without_a_sensible_date_is_answered(warned, monkeypatch, moment):
    warned(a=SHADOW)
    changed = Mock(side_effect=OSError) if moment is None else Mock(st_mtime=moment)
    monkeypatch.setattr(Path, "stat", Mock(return_value=changed, side_effect=changed.side_effect))
    assert last_changed(Path("a.yaml")) is None


def test_warnings_stop_no_rule_from_loading(warned):
    warned(DAY_91, a=SHADOW + "thresholds: {bar: 5%}\n")
    assert load(Path(".")).rules
    assert check([Path(".")])[0] == []


def test_the_rules_that_ship_have_nothing_to_be_warned_of():
    assert check([rules_dir()], DAY_91)[0] == []
