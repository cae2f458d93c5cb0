"""`rules check` with warnings, and `rules schema`."""

import json

import pytest

from worker.shipped import rules_dir

WARNED = """
thresholds: {bar: 5%}
rules:
  - {id: x, title: t, severity: low, when: {mrr: over $5}}
"""
WRONG = WARNED.replace("over $5", "over 5")
WARNING = "threshold 'bar' is used nowhere in these files"


@pytest.mark.parametrize(("strict", "status"), [((), 0), (("--strict",), 1)])
def test_warnings_fail_only_a_strict_check(tiewatch, folder, strict, status):
    (folder / "a.yaml").write_text(WARNED)
    done = tiewatch("rules", "check", "a.yaml", *strict)
    assert (done.status, done.err) == (status, "")
    assert done.out == f"a.yaml:2:14: warning: {WARNING}\n1 rule, no problem, 1 warning.\n"
    done = tiewatch("rules", "check", "a.yaml", "--json", *strict)
    assert done.status == status
    place = {"file": "a.yaml", "line": 2, "column": 14}
    assert done.json == [place | {"message": WARNING, "warning": True}]


def test_problems_are_errors_in_json_and_fail_every_check(tiewatch, folder):
    (folder / "a.yaml").write_text(WRONG)
    for strict in ((), ("--strict",)):
        done = tiewatch("rules", "check", "a.yaml", "--json", *strict)
        assert done.status == 1
        (problem,) = done.json
        assert list(problem) == ["file", "line", "column", "message"]
        assert problem["line"] == 4


def test_nothing_to_say_passes_a_strict_check(tiewatch):
    done = tiewatch("rules", "check", "--strict", RULES_DIR=rules_dir())
    assert (done.status, done.out) == (0, "15 rules, no problem.\n")


def test_a_rules_directory_without_a_shipped_rule_is_told_of_them(tiewatch, folder):
    hint = (
        "None of them comes with tiewatch: a file with 'include: shipped rules' brings those too.\n"
    )
    (folder / "rules").mkdir()
    ours = folder / "rules/ours.yaml"
    ours.write_text(WARNED.replace("thresholds: {bar: 5%}", ""))
    done = tiewatch("rules", "check")
    assert (done.status, done.out, done.err) == (0, "1 rule, no problem.\n", hint)
    assert tiewatch("rules", "check", "rules/ours.yaml").err == ""
    ours.write_text("include: shipped rules\n" + ours.read_text())
    done = tiewatch("rules", "check")
    assert (done.status, done.out, done.err) == (0, "16 rules, no problem.\n", "")


def test_the_schema_is_printed_alone(tiewatch):
    done = tiewatch("rules", "schema")
    assert (done.status, done.err) == (0, "")
    assert "rules" in json.loads(done.out)["properties"]
