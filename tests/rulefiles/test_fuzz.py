"""Rule files broken at random: a located problem or rules, never an exception, never slow."""

import time
from datetime import date

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worker.core.rules import RuleSet
from worker.rulefiles import check
from worker.shipped import rules_dir

TEXT = (
    (rules_dir() / "relationship.yaml").read_text()
    + """
  - id: on-trial
    title: Being tried
    severity: low
    when:
      - any: [{known_users: at least 5}, {known_users: under 5}]
      - {known_users: at least execs required, segment: is not smb}
    mode: shadow
    notify: [owner, owner's manager, "#renewals", rep sam]
    remind_every: 7 days
"""
)
SIGNS = [
    *"\t \n:{}[],'\"#|>!&*?-%~\r\x00\x85\u2028\ufeffé😀",
    "\n  ",
    "- ",
    ": ",
    "? ",
    "&a ",
    "*a",
]
MARKS = [
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "<<: *a",
    "\\U00110000",
    "\\x",
    "'" * 50,
    "{" * 50,
    "[" * 50,
]
TERMS = [
    "null",
    "never",
    "known",
    "and",
    "between",
    "at least",
    "any",
    "not",
    "all",
    "default",
    "id",
    "override: true",
    "\ninclude: shipped rules\n",
    "playbook",
    "tags",
    "mode: shadow",
    "mode: off",
    "notify: ",
    "owner's manager",
    "rep sam",
    "remind_every: ",
    "\n    mode: ",
    "\n    notify: [owner, '#a']",
    "\n    remind_every: 7 days",
    "under",
    "is not",
]
VALUES = [
    "15 days",
    "-20%",
    "1e999",
    "$5",
    "9" * 400,
    "days_since_contact",
    "thresholds:",
    "conditions:",
    "rules:",
]
FAR_AHEAD = date(2999, 1, 1)
WORDS = st.sampled_from([*SIGNS, *MARKS, *TERMS, *VALUES, "a: " * 50])
POSITION = st.integers(0, len(TEXT))
EDITS = st.lists(
    st.tuples(POSITION, st.integers(0, 40), st.one_of(WORDS, st.text(max_size=8), st.just(""))),
    min_size=1,
    max_size=6,
)


def broken(edits):
    text = TEXT
    for position, removed, inserted in edits:
        text = text[:position] + inserted + text[position + removed :]
    return text


def assert_answered(file, content):
    file.write_bytes(content)
    started = time.process_time()
    problems, rules = check([file], FAR_AHEAD)
    assert time.process_time() - started < 2
    assert isinstance(rules, RuleSet) is all(problem.warning for problem in problems)
    lines = content.decode("utf-8", "replace").count("\n") + 2
    breaks = sum(
        content.count(sign) for sign in (b"\r", b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9")
    )
    for problem in problems:
        assert problem.file == str(file)
        assert 1 <= problem.line <= lines + breaks
        assert problem.column >= 1
        assert problem.message
        str(problem).encode()
    if rules:
        repr(rules).encode()


ON_DISK = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@settings(ON_DISK, max_examples=400)
@given(edits=EDITS)
def test_edited_rule_files_are_always_answered(tmp_path, edits):
    assert_answered(tmp_path / "a.yaml", broken(edits).encode("utf-8", "surrogatepass"))


@settings(ON_DISK)
@given(content=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_any_bytes_are_always_answered(tmp_path, content):
    assert_answered(tmp_path / "a.yaml", content)


@settings(ON_DISK, max_examples=200)
@given(words=st.lists(WORDS, max_size=60))
def test_any_pile_of_yaml_is_always_answered(tmp_path, words):
    assert_answered(tmp_path / "a.yaml", "".join(words).encode())


NAMES = ["a", "b", "c", "d", "e"]
WEBS = st.dictionaries(
    st.sampled_from(NAMES),
    st.lists(
        st.sampled_from([*NAMES, "{not: [b]}", "{any: [b, a]}", "{adoption: over 5%}"]),
        min_size=1,
        max_size=3,
    ),
    min_size=1,
)


def in_a_circle(uses):
    reached = {name: set(used) for name, used in uses.items()}
    for _ in uses:
        for name, used in reached.items():
            reached[name] = used.union(*(reached.get(each, set()) for each in used))
    return any(name in used for name, used in reached.items())


@settings(ON_DISK, max_examples=200)
@given(web=WEBS, data=st.data())
def test_a_web_of_conditions_is_answered_the_same_however_it_is_ordered(tmp_path, web, data):
    uses = {
        name: {each for each in NAMES for item in items if each in _names(item)}
        for name, items in web.items()
    }
    rule = f"{{id: x, title: t, severity: low, when: [{', '.join(web)}]}}"
    answers = []
    for names in (list(web), data.draw(st.permutations(list(web)))):
        lines = [f"  {name}: [{', '.join(web[name])}]\n" for name in names]
        file = tmp_path / "a.yaml"
        assert_answered(file, f"conditions:\n{''.join(lines)}rules: [{rule}]\n".encode())
        problems, rules = check([file])
        answers.append(rules and rules.digest)
        assert any("uses itself" in each.message for each in problems) is in_a_circle(uses)
        assert any("unknown" in each.message for each in problems) is any(
            used not in web for each in uses.values() for used in each
        )
    assert answers[0] == answers[1]


def _names(item):
    """The names in an item, such as `a` and `b` in `{any: [b, a]}`."""
    inside = item.partition("[")[2].partition("]")[0] if "[" in item else item
    return [] if ":" in inside else inside.split(", ")
