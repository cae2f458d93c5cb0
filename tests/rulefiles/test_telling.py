"""`slack.yaml`."""

# ruff: noqa: E501 - one case a line, so that they read as a table

import re
from datetime import time
from pathlib import Path

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

import worker
from worker.core.quiet import QuietTimes
from worker.core.rules import Recipient, RecipientKind, Severity
from worker.core.telling import Route, Telling
from worker.rulefiles import RuleFilesRefused, check, load_telling, schema
from worker.rulefiles.telling import DIGEST_KEYS, KEYS
from worker.shipped import rules_dir

OWNER = Recipient(RecipientKind.OWNER)
RISK = Recipient(RecipientKind.CHANNEL, "risk")


PAGE = (Path(worker.__file__).parent.parent / "docs/slack.md").read_text()
SECTION = PAGE.partition("## Who is told, when")[2].partition("\n## ")[0]


def marked(text):
    """Whether an editor marks anything in the file."""
    whole = schema()
    ours = {"$ref": "#/definitions/slack", "definitions": whole["definitions"]}
    return not Draft7Validator(ours).is_valid(YAML(typ="safe", pure=True).load(text))


def test_a_folder_without_the_file_has_the_defaults(tmp_path):
    assert load_telling(tmp_path) == Telling()


def test_the_file_that_ships_says_every_default():
    text = (rules_dir() / "slack.yaml").read_text()
    assert load_telling(rules_dir()) == Telling()
    for key in (*KEYS, *(f"  {key}" for key in DIGEST_KEYS)):
        assert f"\n{key}:" in text


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("# nothing\n", Telling()),
        ("digest:\nroutes:\n", Telling()),
        ("timezone: Asia/Kolkata\n", Telling(timezone="Asia/Kolkata")),
        ("quiet_hours: 18:30 to 8:00\nquiet_days: [sunday, saturday]\n", Telling(quiet=QuietTimes((time(18, 30), time(8)), (5, 6)))),
        ("quiet_days: sunday\n", Telling(quiet=QuietTimes(None, (6,)))),
        ("let_through: critical\n", Telling(let_through=Severity.CRITICAL)),
        ("digest: {at: 09:15, up_to: none, many: 12}\n", Telling(digest_at=time(9, 15), digest_up_to=None, many=12)),
        ("budget: 5\nescalate_after: 3 days\nweekly: none\n", Telling(budget=5, escalate_after=3, weekly_on=None)),
        ("escalate_after: never\nweekly: friday\n", Telling(weekly_on=4)),
        ("admins: [kim, ada]\n", Telling(admins=("ada", "kim"))),
        (
            "routes:\n  - {segment: [smb, enterprise], notify: ['#risk', owner]}\n  - {tag: adoption, notify: rep kim}\n",
            Telling(
                routes=(
                    Route((RISK, OWNER), ("enterprise", "smb")),
                    Route((Recipient(RecipientKind.REP, "kim"),), (), ("adoption",)),
                )
            ),
        ),
    ],
)  # fmt: skip
def test_what_the_file_sets_replaces_the_defaults(tmp_path, text, settings):
    (tmp_path / "slack.yaml").write_text(text)
    assert load_telling(tmp_path) == settings
    assert not marked(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("timezone: Berlin", "1:11: 'timezone' is one such as 'Europe/Berlin' or 'America/New_York', not 'Berlin'"),
        ("timezone: ../../etc/passwd", "1:11: 'timezone' is one such as 'Europe/Berlin' or 'America/New_York', not '../../etc/passwd'"),
        ("timezone: Europe", "1:11: 'timezone' is one such as 'Europe/Berlin' or 'America/New_York', not 'Europe'"),
        ("quiet_hours: 18 to 8", "1:14: 'quiet_hours' are such as '18:00 to 08:00', or none, not '18 to 8'"),
        ("quiet_hours: 25:00 to 08:00", "1:14: 'quiet_hours' are such as '18:00 to 08:00', or none, not '25:00 to 08:00'"),
        ("quiet_hours: 08:00 to 8:00", "1:14: 'quiet_hours' of the whole day would leave no time to tell anyone"),
        ("quiet_hours: 18:00 to 09:00", "1:14: the digest would leave at 08:00, in the quiet hours: choose another 'at' under 'digest'"),
        ("quiet_hours: 12:00 to 13:00\ndigest: {at: 12:30}", "2:14: the digest would leave at 12:30, in the quiet hours: choose another 'at' under 'digest'"),
        ("quiet_days: [sunday, monday, tuesday, wednesday, thursday, friday, saturday]", "1:13: 'quiet_days' of the whole week would leave no time to tell anyone"),
        ("quiet_days: [sundy]", "1:14: 'quiet_days' is monday, tuesday, wednesday, thursday, friday, saturday, sunday or none, not 'sundy'; did you mean 'sunday'?"),
        ("let_through: urgent", "1:14: 'let_through' is low, medium, high, critical or none, not 'urgent'"),
        ("digest: {at: noon}", "1:14: 'at' is a time of day such as '08:00', not 'noon'"),
        ("digest: {many: 0}", "1:16: 'many' is a number from 1 to 1,000, not '0'"),
        ("digest: {limit: 5}", "1:10: unknown key 'limit'; 'digest' has at, up_to, many"),
        ("budget: 20 a day", "1:9: 'budget' is a number from 1 to 1,000, not '20 a day'"),
        ("escalate_after: 3", "1:17: 'escalate_after' is in days: write '3 days', not '3'"),
        ("escalate_after: 0 days", "1:17: 'escalate_after' is 1 to 90 days, not '0 days'"),
        ("quiet_hour: none", "1:1: unknown key 'quiet_hour'; did you mean 'quiet_hours'?"),
        ("routes: [{segment: smb}]", "1:10: the route has no 'notify'"),
        ("routes: [{notify: owner}]", "1:10: the route has neither 'segment' nor 'tag': say whose flags it is of"),
        ("routes: [{tag: x, notify: ownr}]", "1:27: 'notify' is owner, owner's manager, a channel such as '#renewals' or a rep such as 'rep sam', not 'ownr'; did you mean 'owner'?"),
    ],
)  # fmt: skip
def test_a_mistake_is_refused_where_it_is(tmp_path, monkeypatch, text, problem):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slack.yaml").write_text(text)
    with pytest.raises(RuleFilesRefused) as refused:
        load_telling(tmp_path)
    assert str(refused.value) == f"{tmp_path}/slack.yaml:{problem}"


def test_the_check_of_a_folder_reads_the_file_and_takes_it_for_no_rules(tmp_path):
    (tmp_path / "slack.yaml").write_text("budget: many\n")
    (tmp_path / "a.yaml").write_text(
        "rules: [{id: a, title: t, severity: low, when: {known_users: under 3}}]\n"
    )
    problems, _ = check([tmp_path])
    assert [(one.file, one.line, one.column) for one in problems] == [
        (f"{tmp_path}/slack.yaml", 1, 9)
    ]
    assert check([tmp_path / "slack.yaml"])[0] == problems


@pytest.mark.parametrize(
    "text",
    [
        "timezone: [UTC]\n",
        "quiet_hours: 18 to 8\n",
        "quiet_days: [sundy]\n",
        "let_through: urgent\n",
        "digest: {at: noon}\n",
        "budget: 0\n",
        "escalate_after: 3\n",
        "routes: [{segment: smb}]\n",
        "routes: [{notify: owner}]\n",
        "quiet: none\n",
    ],
)
def test_editors_mark_what_the_schema_can_know(text):
    assert marked(text)


def test_the_example_of_the_documentation_is_right_and_uses_every_key(tmp_path):
    (example,) = re.findall(r"```yaml\n(.*?)```", SECTION, re.DOTALL)
    (tmp_path / "slack.yaml").write_text(example)
    telling, ours = load_telling(tmp_path), Telling()
    assert not marked(example)
    for name in Telling.__slots__:
        if name not in ("digest_up_to", "many", "budget", "weekly_on"):
            assert getattr(telling, name) != getattr(ours, name), name
    for key in (*KEYS, *(f"  {key}" for key in DIGEST_KEYS)):
        assert re.search(rf"^{key}:", example, re.MULTILINE)


def test_the_documentation_names_every_key_and_its_default(tmp_path):
    rows = re.findall(r"^\| `([\w.]+)` \| `?(.*?)`? \| ", SECTION, re.MULTILINE)
    keys = [*KEYS]
    keys[keys.index("digest") : keys.index("digest") + 1] = [f"digest.{key}" for key in DIGEST_KEYS]
    assert [key for key, _ in rows] == keys
    flat = {key: value for key, value in rows if value not in ("nobody", "none") or "quiet" in key}
    lines = [f"{key}: {value}" for key, value in flat.items() if not key.startswith("digest.")]
    digest = [f"  {key[7:]}: {value}" for key, value in flat.items() if key.startswith("digest.")]
    (tmp_path / "slack.yaml").write_text("\n".join([*lines, "digest:", *digest]))
    assert load_telling(tmp_path) == Telling()
