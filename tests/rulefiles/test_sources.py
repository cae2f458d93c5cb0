"""`sources.yaml`: what it may say, and what is told of what it may not."""

from pathlib import Path

import pytest

from worker.core.freshness import Source
from worker.rulefiles import RuleFilesRefused, check, load_sources


def read(folder: Path, text: str):
    (folder / "sources.yaml").write_text(text, encoding="utf-8")
    return load_sources(folder)


@pytest.mark.parametrize("text", [None, "", "sources:\n", "sources: {}\n", "# nothing\n"])
def test_nothing_need_be_listed(tmp_path, text):
    assert (load_sources(tmp_path) if text is None else read(tmp_path, text)) == {}


def test_a_source_has_a_gap_and_perhaps_the_events_it_is_judged_by(tmp_path):
    text = """
sources:
  mail sync: {gap: 3 days, events: [usage, interaction, usage]}
  crm: 7 days
  billing: {gap: 35 days, events: subscription}
"""
    assert read(tmp_path, text) == {
        "billing": Source("billing", 35, ("subscription",)),
        "crm": Source("crm", 7),
        "mail sync": Source("mail sync", 3, ("interaction", "usage")),
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sources: [mail]", "1:10: 'sources' must be lines of 'key: value'"),
        ("source: {}", "1:1: unknown key 'source'; did you mean 'sources'?"),
        ("sources: {mail: 3}", "1:17: 'gap' is in days: write '3 days', not '3'"),
        ("sources: {mail: 0 days}", "1:17: 'gap' is 1 to 366 days, not '0 days'"),
        ("sources: {mail: {}}", "1:11: source 'mail' has no 'gap', such as 3 days"),
        ("sources: {mail: {gap: 1 day, events: [mails]}}", "1:39: unknown event type 'mails'"),
        ("sources: {mail: {gap: 1 day, type: x}}", "1:30: unknown key 'type'"),
        ("sources: {mail: 1 day, mail: 2 days}", "1:24: 'mail' is here twice, first in line 1"),
        (f"sources: {{{'m' * 301}: 1 day}}", "1:11: a source has a name of 1 to 300 characters"),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path, text, told):
    with pytest.raises(RuleFilesRefused) as refused:
        read(tmp_path, text)
    assert str(refused.value).startswith(f"{tmp_path}/sources.yaml:{told}")


def test_the_check_of_a_rules_directory_reads_it_and_of_the_file_alone_too(tmp_path):
    (tmp_path / "a.yaml").write_text(
        "rules: [{id: a, title: t, severity: low, when: {licences: 0}}]", encoding="utf-8"
    )
    (tmp_path / "sources.yaml").write_text("sources: {mail: 3}", encoding="utf-8")
    for path in (tmp_path, tmp_path / "sources.yaml"):
        problems, _ = check([path])
        assert ["'3 days'" in problem.message for problem in problems] == [True]
