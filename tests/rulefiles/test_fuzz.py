"""Rule files broken at random: a located problem or rules, never an exception, never slow."""

import time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worker.core.rules import RuleSet
from worker.rulefiles import check
from worker.shipped import rules_dir

SHIPPED = (rules_dir() / "relationship.yaml").read_text()
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
]
VALUES = [
    "15 days",
    "-20%",
    "1e999",
    "$5",
    "9" * 400,
    "days_since_contact",
    "thresholds:",
    "rules:",
]
WORDS = st.sampled_from([*SIGNS, *MARKS, *TERMS, *VALUES, "a: " * 50])
POSITION = st.integers(0, len(SHIPPED))
EDITS = st.lists(
    st.tuples(POSITION, st.integers(0, 40), st.one_of(WORDS, st.text(max_size=8), st.just(""))),
    min_size=1,
    max_size=6,
)


def broken(edits):
    text = SHIPPED
    for position, removed, inserted in edits:
        text = text[:position] + inserted + text[position + removed :]
    return text


def assert_answered(file, content):
    file.write_bytes(content)
    started = time.perf_counter()
    problems, rules = check([file])
    assert time.perf_counter() - started < 2
    assert isinstance(rules, RuleSet) is (problems == [])
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
