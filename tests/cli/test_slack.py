"""`tiewatch slack`: what an admin sees before anybody is told anything."""

from datetime import timedelta

import pytest

from tests.cli.conftest import lines
from tests.pipeline import event, meeting
from tests.slack_server import slack_server
from tests.today import TODAY


@pytest.fixture
def workspace(tiewatch):
    """An enterprise account that renews in 41 days, and whose CIO was met 22 days ago."""
    start = TODAY - timedelta(120)
    known = {"segment": "enterprise", "renewal_date": str(TODAY + timedelta(41)), "owner": "sam"}
    given = [
        event("account", start, name="Acme <b>", **known),
        event("contact", start, contact="dana", name="Dana Ruiz", title="CIO"),
        event("rep", start, account=None, rep="sam", name="Sam Lee"),
        *(meeting(TODAY - timedelta(ago)) for ago in (22, 30, 40)),
    ]
    assert tiewatch("ingest", "--direct", "-", stdin=lines(*given).encode()).status == 0
    return tiewatch


def test_the_preview_of_an_account_is_its_message_and_its_card(workspace, folder):
    done = workspace("slack", "preview", "acme")
    assert (done.status, done.out) == (0, "tiewatch-preview.html: open it in a browser.\n")
    html = (folder / "tiewatch-preview.html").read_text("utf-8")
    assert "🟠 Acme &lt;b&gt;: Renews in 41 days, last exec contact: 22 days ago" in html
    assert "The answer to /tiewatch acme" in html
    assert "<b>Ties</b>" in html


def test_an_account_is_found_by_its_name_too(workspace):
    assert workspace("slack", "preview", "acme <B>", "--json").status == 0


def test_the_preview_of_an_open_rule_is_of_an_account_it_is_open_on(workspace, folder):
    done = workspace("slack", "preview", "renewal-without-exec-contact", "--out", "rule.html")
    assert done.status == 0
    html = (folder / "rule.html").read_text("utf-8")
    assert "on the account acme" in html
    for part in (
        "Dana Ruiz, CIO",
        "Conditions",
        "Until the next exec contact",
        "Why is it no risk?",
    ):
        assert part in html


@pytest.mark.parametrize(
    "rule",
    [
        "adoption-falling-without-contact", "adoption-without-user-ties",
        "renewal-without-exec-contact", "single-threaded",
    ],
)  # fmt: skip
def test_every_shipped_rule_can_be_looked_at_before_anything_is_known(tiewatch, folder, rule):
    done = tiewatch("slack", "preview", rule)
    assert done.status == 0
    html = (folder / "tiewatch-preview.html").read_text("utf-8")
    assert f"The rule {rule} on the story of its test" in html


def test_a_rule_is_looked_at_on_a_story_that_is_about_it(tiewatch, folder):
    assert tiewatch("slack", "preview", "escalation-open-too-long").status == 0
    html = (folder / "tiewatch-preview.html").read_text("utf-8")
    assert "an enterprise&#x27;s escalation may be open for three days" in html
    assert tiewatch("slack", "preview", "one-rep-holds-all-ties").status == 0
    html = (folder / "tiewatch-preview.html").read_text("utf-8")
    assert "any other renewal" not in html


def test_a_rule_of_growth_is_looked_at_as_such(tiewatch, folder):
    assert tiewatch("slack", "preview", "ready-to-grow").status == 0
    html = (folder / "tiewatch-preview.html").read_text("utf-8")
    assert "No opportunity" in html
    assert "Not a risk" not in html


def test_programs_get_what_slack_would_be_given(workspace):
    done = workspace("slack", "preview", "acme", "--json")
    assert done.json["file"] == "tiewatch-preview.html"
    card, account = done.json["shown"]
    assert card["blocks"][0]["type"] == "header"
    assert account["text"].startswith("Acme &lt;b&gt;. 1 open flag")


def test_what_is_neither_a_rule_nor_an_account_is_refused(workspace, folder):
    done = workspace("slack", "preview", "acmee")
    assert (done.status, done.out) == (2, "")
    assert "No rule has the id 'acmee'. There is no account" in done.err
    assert not (folder / "tiewatch-preview.html").exists()


def test_a_rule_without_a_flag_or_a_test_says_what_to_do(tiewatch, folder):
    (folder / "rules").mkdir()
    (folder / "rules" / "one.yaml").write_text(
        "rules:\n  - id: lonely\n    title: Lonely\n    severity: low\n    when: {known_execs: 0}\n"
    )
    done = tiewatch("slack", "preview", "lonely")
    assert done.status == 2
    assert "lonely is open nowhere, and no test in rules/tests expects it: write one" in done.err


def test_a_page_that_cannot_be_written_is_told_with_its_reason(workspace):
    done = workspace("slack", "preview", "acme", "--out", "no/such/folder.html")
    assert done.status == 2
    assert "no/such/folder.html: cannot be written: No such file or directory." in done.err


def test_without_a_token_there_is_nothing_to_check(tiewatch):
    done = tiewatch("slack", "check")
    assert (done.status, done.out) == (2, "")
    assert "TIEWATCH_SLACK_BOT_TOKEN is not set" in done.err


def test_a_check_ends_with_1_if_anything_is_wrong_and_prints_no_token(workspace):
    with slack_server() as slack:
        known = {"SLACK_BASE_URL": slack.url, "SLACK_BOT_TOKEN": "xoxb-1-secret"}
        bad = workspace("slack", "check", **known)
        well = workspace(
            "slack", "check", "--no-message", "--json",
            SLACK_CHANNEL="C1", SLACK_SIGNING_SECRET="secret", **known,
        )  # fmt: skip
    assert bad.status == 1
    assert "BAD default channel: there is none" in bad.out
    assert "Sam Lee (no slack_user, no email)" in bad.out
    assert "secret" not in bad.out + bad.err
    assert {one["subject"] for one in well.json if not one["ok"]} == {"reps"}


def test_the_channels_that_rules_name_are_checked_too(tiewatch, folder):
    (folder / "rules").mkdir()
    (folder / "rules" / "one.yaml").write_text(
        "rules:\n  - id: lonely\n    title: Lonely\n    severity: low\n"
        "    when: {known_execs: 0}\n    notify: '#risks'\n"
    )
    with slack_server() as slack:
        done = tiewatch("slack", "check", SLACK_BASE_URL=slack.url, SLACK_BOT_TOKEN="xoxb-1")
    assert "no channel is called" in done.out
    assert "risks" in done.out


def test_the_story_of_a_test_with_a_stale_source_can_be_looked_at(tiewatch, folder):
    for name, text in STALE.items():
        (folder / "rules" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "rules" / name).write_text(text)
    assert tiewatch("rules", "test").status == 0
    done = tiewatch("slack", "preview", "nobody-here")
    assert done.status == 0, done.err
    assert "on the story of its test" in (folder / "tiewatch-preview.html").read_text("utf-8")


STALE = {
    "one.yaml": "rules: [{id: nobody-here, title: A, severity: low, when: {segment: smb}}]\n",
    "sources.yaml": "sources: {mail: 2 days}\n",
    "tests/one.yaml": """
- test: the mail is silent
  account: {id: acme, segment: smb}
  stale: [mail]
  events: [{day: 2026-01-05, usage: board}]
  expect: [{day: 2026-01-05, flags: [nobody-here]}]
""",
}
