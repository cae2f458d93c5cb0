"""`ties.yaml`."""

# ruff: noqa: E501 - one case a line, so that they read as a table

import pytest

from worker.core.ties import TieSettings
from worker.rulefiles import RuleFilesRefused, load_ties
from worker.shipped import rules_dir


def test_a_folder_without_the_file_has_the_defaults(tmp_path):
    assert load_ties(tmp_path) == TieSettings()


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("# nothing\n", TieSettings()),
        ("half_life: 30 days\n", TieSettings(half_life=30)),
        ("tiers: {weak: 7.5, strong: 60}\n", TieSettings(weak=7.5, strong=60)),
        (
            "half_life: 1 day\ntiers: {weak: 1, moderate: 2, strong: 3, very_strong: 4}\n",
            TieSettings(1, 1, 2, 3, 4),
        ),
    ],
)
def test_what_the_file_sets_replaces_the_defaults(tmp_path, text, settings):
    (tmp_path / "ties.yaml").write_text(text)
    assert load_ties(tmp_path) == settings


def test_the_file_that_ships_says_the_defaults():
    assert (rules_dir() / "ties.yaml").is_file()
    assert load_ties(rules_dir()) == TieSettings()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("half_life: 60", "1:12: half_life is in days: write '60 days', not '60'"),
        ("half_life: 0 days", "1:12: half_life is 1 to 3,650 days, not '0 days'"),
        ("half_life: never", "1:12: half_life is 1 to 3,650 days, not 'never'"),
        ("halflife: 60 days", "1:1: unknown key 'halflife'; did you mean 'half_life'?"),
        ("tiers: {weak: 5%}", "1:15: weak is a score above 0 and below 100, not '5%'"),
        ("tiers: {weak: 0}", "1:15: weak is a score above 0 and below 100, not '0'"),
        ("tiers: {very_strong: 100}", "1:22: very_strong is a score above 0 and below 100, not '100'"),
        ("tiers: {strng: 5}", "1:9: unknown key 'strng'; did you mean 'strong'?"),
        ("tiers: 5", "1:8: 'tiers' must be lines of 'key: value'"),
        (
            "tiers: {weak: 25}",
            "1:1: each tier must begin above the one before it, "
            "unlike weak 25 < moderate 25 < strong 50 < very_strong 75",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_refused_where_it_is(tmp_path, text, problem):
    (tmp_path / "ties.yaml").write_text(text)
    with pytest.raises(RuleFilesRefused) as refused:
        load_ties(tmp_path)
    assert str(refused.value) == f"{tmp_path}/ties.yaml:{problem}"
