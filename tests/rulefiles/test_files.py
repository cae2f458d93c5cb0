"""Which files are read, and how several are read as one."""

from pathlib import Path

import pytest

from worker.rulefiles import RuleFilesRefused, check, load


def rule(name, when="{adoption: over 5%}"):
    return f"rules:\n  - id: {name}\n    title: t\n    severity: low\n    when: {when}\n"


@pytest.fixture
def root(tmp_path, monkeypatch):
    """An empty rules directory, as a path like `rules`."""
    monkeypatch.chdir(tmp_path)
    Path("rules").mkdir()
    return Path("rules")


def write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def ids(rules):
    return [rule.id for rule in rules.rules]


def texts(problems):
    return [str(problem) for problem in problems]


def test_rules_are_read_from_all_files_in_all_folders(root):
    write(root / "b.yaml", rule("z"))
    write(root / "a/deep/down.yaml", rule("a"))
    assert ids(load(root)) == ["a", "z"]


def test_reserved_and_hidden_files_are_not_rules(root):
    write(root / "a.yaml", rule("a"))
    for name in (
        "tests/relationship.yaml",
        "..2026_01_05/a.yaml",
        ".git/a.yaml",
        ".#a.yaml",
        "a.yaml~",
        "notes.txt",
    ):
        write(root / name, "anything: at all")
    assert ids(load(root)) == ["a"]


def test_a_mounted_folder_of_links_is_read_once(root):
    write(root / "..data/a.yaml", rule("a"))
    (root / "a.yaml").symlink_to("..data/a.yaml")
    assert ids(load(root)) == ["a"]


def test_thresholds_serve_all_files_whatever_their_order(root):
    write(root / "a.yaml", rule("a", "{adoption: over the bar}"))
    write(root / "z.yaml", "thresholds: {the bar: 5%}")
    assert ids(load(root)) == ["a"]


def test_conditions_serve_all_files_whatever_their_order(root):
    write(root / "a.yaml", rule("a", "[used, {adoption: over 5%}]"))
    write(root / "m.yaml", "conditions: {used: [much used]}")
    write(root / "z.yaml", "conditions: {much used: {adoption: over the bar}}")
    write(root / "zz.yaml", "thresholds: {the bar: 50%}")
    assert ids(load(root)) == ["a"]
    files = [root / "zz.yaml", root / "m.yaml", root / "a.yaml", root / "z.yaml"]
    problems, rules = check(files)
    assert problems == []
    assert rules.digest == check(files[::-1])[1].digest == load(root).digest


@pytest.mark.parametrize(("first", "second"), [("a", "z"), ("z", "a")])
def test_a_rule_is_overridden_from_a_file_before_or_after_its_own(root, first, second):
    write(root / f"{first}.yaml", rule("x"))
    write(root / f"{second}.yaml", rule("x").replace("title: t", "title: ours\n    override: true"))
    assert [each.title for each in load(root).rules] == ["ours"]


def test_two_overrides_of_one_rule_are_told_where_the_other_is(root):
    ours = rule("x").replace("title: t", "title: t\n    override: true")
    write(root / "shipped/a.yaml", rule("x"))
    write(root / "b.yaml", ours)
    write(root / "c.yaml", ours)
    for paths in ([root], [root / "c.yaml", root / "b.yaml", root / "shipped/a.yaml"]):
        problems, _ = check(paths)
        assert texts(problems) == [
            "rules/c.yaml:2:9: rule 'x' is overridden already, in rules/b.yaml:2"
        ]


def test_circles_through_two_files_are_told_alike_whatever_their_order(root):
    write(root / "a.yaml", "conditions: {a: [b, c], b: [c]}\n" + rule("a", "[a]"))
    write(root / "b.yaml", "conditions: {c: [a]}\n" + rule("b", "[b, c]"))
    for paths in ([root], [root / "b.yaml", root / "a.yaml"]):
        problems, _ = check(paths)
        assert texts(problems) == [
            "rules/a.yaml:1:14: condition 'a' uses itself, by way of 'b', then 'c'"
        ]


def test_names_are_unique_among_all_files(root):
    write(
        root / "a.yaml",
        "thresholds: {bar: 5%}\nconditions: {c: {adoption: over 5%}, d: {adoption: over 5%}}\n"
        + rule("same"),
    )
    write(
        root / "b/a.yaml",
        "thresholds: {bar: 6%, d: 7%}\nconditions: {c: {adoption: over 6%}}\n" + rule("same"),
    )
    problems, _ = check([root])
    assert texts(problems) == [
        "rules/a.yaml:2:38: 'd' cannot name a condition: it is a threshold",
        "rules/b/a.yaml:1:14: threshold 'bar' is also in rules/a.yaml:1",
        "rules/b/a.yaml:2:14: condition 'c' is also in rules/a.yaml:2",
        "rules/b/a.yaml:4:9: rule 'same' is also in rules/a.yaml:4",
    ]


def test_a_segment_named_in_one_file_must_be_in_the_thresholds_of_another(root):
    write(root / "a.yaml", rule("a", "{segment: smb}"))
    write(root / "b.yaml", "thresholds: {bar: {enterprise: 5%}}")
    problems, _ = check([root])
    assert texts(problems) == [
        "rules/b.yaml:1:14: threshold 'bar' has neither a value for 'smb' nor a default"
    ]


def test_problems_of_all_files_come_together_in_order_of_file_and_line(root):
    write(root / "b.yaml", rule("b", "{adoptoin: over 5%}"))
    write(root / "a.yaml", rule("a", "{adoption: over 5}"))
    write(root / "ties.yaml", "half_life: 5\n")
    problems, rules = check([root])
    assert rules is None
    assert [(p.file, p.line, p.column) for p in problems] == [
        ("rules/a.yaml", 5, 22),
        ("rules/b.yaml", 5, 12),
        ("rules/ties.yaml", 1, 12),
    ]


def test_a_file_that_cannot_be_read_does_not_make_what_it_has_look_unknown(root):
    a_rule = rule("a", "[used, {adoption: over the bar}]")
    write(root / "a.yaml", a_rule.replace("title: t", 'title: "{the bar}"\n    override: true'))
    write(root / "b.yaml", "thresholds:\n\tthe bar: 5%\n")
    problems, _ = check([root])
    assert texts(problems) == ["rules/b.yaml:2:1: a tab: indent with spaces"]


def test_load_refuses_with_every_problem(root):
    write(root / "a.yaml", rule("a", "{adoption: over 5, adoptoin: over 5%}"))
    with pytest.raises(RuleFilesRefused) as refused:
        load(root)
    assert [problem.column for problem in refused.value.problems] == [22, 30]
    assert str(refused.value).splitlines() == texts(refused.value.problems)


@pytest.mark.parametrize("content", [None, "# all gone\n", "thresholds: {bar: 5%}\n"])
def test_a_folder_without_a_rule_is_refused(root, content):
    if content:
        write(root / "a.yaml", content)
    problems, _ = check([root])
    assert texts(problems) == [
        "rules:1:1: no file here that ends in .yaml has a rule; "
        "one with the line 'include: shipped rules' would bring those of tiewatch"
    ]


def test_a_path_that_is_not_there_is_a_problem(root):
    problems, _ = check([root / "nothing.yaml", Path("x" * 5000)])
    assert texts(problems) == [
        "rules/nothing.yaml:1:1: there is no such file or folder",
        "x" * 5000 + ":1:1: cannot be read: File name too long",
    ]


def test_a_file_with_the_other_ending_is_not_passed_over_in_silence(root):
    write(root / "a.yaml", rule("a"))
    write(root / "b.yml", rule("b"))
    problems, _ = check([root])
    assert texts(problems) == ["rules/b.yml:1:1: rename it: only files that end in .yaml are read"]


def test_files_may_be_named_one_by_one_and_twice(root):
    write(root / "a.yaml", rule("a"))
    write(root / "b.yml", rule("b"))
    problems, rules = check([root / "a.yaml", root / "b.yml", root / "a.yaml"])
    assert problems == []
    assert ids(rules) == ["a", "b"]


def test_reserved_files_are_checked_for_what_they_are(root):
    write(root / "ties.yaml", "half_life: 5\n")
    write(root / "capture.yaml", rule("a"))
    problems, _ = check([root / "ties.yaml", root / "capture.yaml"])
    assert texts(problems) == [
        "rules/capture.yaml:1:1: unknown key 'rules'; "
        "capture.yaml has people, track, calls, hooks, imports",
        "rules/ties.yaml:1:12: half_life is in days: write '5 days', not '5'",
    ]
