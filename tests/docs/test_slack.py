"""docs/slack.md: the app asks for what it needs, what is let in, what wakes a flag, and the first
alert comes as the page says.
"""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ruamel.yaml import YAML
from slack_sdk import WebClient

from tests import slack_server
from worker.capture.bodies import MOST_BYTES, SECONDS
from worker.capture.slack import COMMAND, PATH
from worker.core.answers import DISMISSED_FOR
from worker.core.units import Unit
from worker.core.worsening import LEAST, SHARE
from worker.settings import Settings
from worker.slack.scopes import SCOPES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "slack.md").read_text("utf-8")
WORDS = " ".join(PAGE.split())
# By Slack's reference of its methods. Slack gives users:read.email only along with users:read.
NEEDS = {
    "api_call": (),
    "apps_connections_open": (),
    "auth_test": (),
    "chat_postMessage": ("chat:write",),
    "chat_update": ("chat:write",),
    "conversations_history": ("channels:history", "groups:history", "im:history"),
    "conversations_list": ("channels:read", "groups:read"),
    "conversations_open": ("im:write",),
    "conversations_replies": ("channels:history", "groups:history", "im:history"),
    "users_info": ("users:read",),
    "users_lookupByEmail": ("users:read", "users:read.email"),
    "views_open": (),
    "views_publish": (),
    "views_push": (),
    "views_update": (),
}

MANIFEST = YAML(typ="safe").load((ROOT / "slack" / "manifest.yaml").read_text("utf-8"))


def test_the_manifest_asks_for_the_scopes_that_have_a_reason_and_no_others():
    assert sorted(SCOPES) == MANIFEST["oauth_config"]["scopes"]["bot"]
    assert "user" not in MANIFEST["oauth_config"]["scopes"]


def test_every_scope_is_used_and_every_method_that_is_called_has_its_scope():
    code = "\n".join(file.read_text("utf-8") for file in (ROOT / "worker").rglob("*.py"))
    by_name = (name.replace(".", "_") for name in re.findall(r'"(\w+\.\w+)"', code))
    called = {
        name
        for name in (*re.findall(r"\.(\w+)", code), *by_name)
        if "_" in name and not name.startswith("_") and hasattr(WebClient, name)
    }
    assert called <= set(NEEDS), "say in NEEDS which scopes the method needs"
    needed = {scope for name in called for scope in NEEDS[name]}
    assert needed | {"commands"} == set(SCOPES)


def test_every_scope_is_on_the_page_with_its_reason():
    section = PAGE.partition("### What the app may do, and why")[2].partition("\n### ")[0]
    rows = re.findall(r"^\| `([\w.:]+)` \| (.+) \|$", section, re.M)
    assert dict(rows) == SCOPES


def test_the_manifest_turns_on_what_the_app_answers():
    features, settings = MANIFEST["features"], MANIFEST["settings"]
    assert features["app_home"]["home_tab_enabled"]
    assert features["app_home"]["messages_tab_enabled"]
    assert [each["command"] for each in features["slash_commands"]] == ["/tiewatch"]
    assert settings["event_subscriptions"]["bot_events"] == ["app_home_opened"]
    assert settings["interactivity"]["is_enabled"]


def test_slack_takes_the_lengths_of_the_manifest():
    about = MANIFEST["display_information"]
    assert len(about["name"]) <= 35
    assert len(about["description"]) <= 140
    for command in MANIFEST["features"]["slash_commands"]:
        assert len(command["description"]) <= 2_000
        assert len(command["usage_hint"]) <= 1_000


def test_every_setting_on_the_page_is_one():
    named = {name.removesuffix("_FILE") for name in re.findall(r"TIEWATCH_(SLACK_[A-Z_]+)", PAGE)}
    assert len(named) == 7
    assert {name.lower() for name in named} <= set(Settings.model_fields)


def test_what_is_let_in():
    assert f"more than {MOST_BYTES // 1_000_000} MB" in WORDS
    assert f"longer than {SECONDS:g} seconds" in WORDS
    assert f"`POST {PATH}`" in WORDS
    assert f"`{COMMAND} mine`" in WORDS
    assert {"/healthz"} == set(re.findall(r"`GET (/[^`]+)`", WORDS))


def test_what_wakes_a_dismissed_flag():
    assert SHARE == 0.5
    assert "worse by half of what it was" in WORDS
    assert f"or {DISMISSED_FOR.days} days have passed" in WORDS
    assert (
        f"at least {LEAST[Unit.DAYS]:g} days, {LEAST[Unit.PERCENT]:g}% or {LEAST[Unit.COUNT]:g}"
        in WORDS
    )


def test_the_commands_of_the_page_lead_to_a_first_alert(tmp_path: Path):
    """Steps 4 and 5, word for word but for the day, against a stand-in for Slack."""
    section = PAGE.partition("## From nothing to a first alert")[2].partition("\n### ")[0]
    check, first = re.findall(r"```sh\n(.*?)```", section, re.S)
    renewal = datetime.now(UTC).date() + timedelta(30)
    first, days = re.subn(r"RENEWAL=\d{4}-\d\d-\d\d", f"RENEWAL={renewal}", first)
    assert days == 1
    with slack_server.slack_server() as slack:
        done = subprocess.run(
            ["sh", "-eu", "-c", check + first],
            cwd=tmp_path,
            env={
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "TIEWATCH_SLACK_BASE_URL": slack.url,
                "HOME": str(tmp_path),
            },
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        said = [request.body["text"] for request in slack.posted]
    assert done.returncode == 0, done.stdout + done.stderr
    assert any("Acme: Renews in 30 days, last exec contact: " in text for text in said), said
