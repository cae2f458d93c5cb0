"""What `tiewatch slack check` finds, against a Slack that is set up well, badly or not at all."""

from collections.abc import Iterator

import pytest

from tests import slack_server
from tests.slack_server import SlackServer, error, slow_down
from worker.core.findings import Finding
from worker.slack.checkup import Person, Setup, check
from worker.slack.scopes import SCOPES
from worker.slack.sender import SlackConfig

TOKEN, APP_TOKEN = "xoxb-not-to-be-seen", "xapp-not-to-be-seen"
SAM = Person("sam", "Sam Lee", "sam@example.com")
ANA = Person("ana", "Ana Roy", "ana@example.com", "U0ANA")


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with slack_server.slack_server() as server:
        server.scopes = ",".join(SCOPES)
        server.users["sam@example.com"] = "U0SAM"
        server.names["alerts"] = "C0ALERTS"
        yield server


def setup(slack: SlackServer, **changes) -> Setup:
    config = SlackConfig(token=TOKEN, base_url=slack.url, channel="C0ALERTS", timeout=2)
    usual = {"config": config, "channels": {"default channel": "C0ALERTS"}, "reps": [SAM, ANA]}
    return Setup(**{**usual, "app_token": APP_TOKEN, **changes})


def found(slack: SlackServer, **changes) -> dict[str, Finding]:
    return {one.subject: one for one in check(setup(slack, **changes))}


def trouble(slack: SlackServer, **changes) -> dict[str, str]:
    return {name: one.trouble for name, one in found(slack, **changes).items() if one.trouble}


def test_all_is_well_with_a_good_setup_and_a_message_arrives(slack: SlackServer):
    assert {name: one.detail for name, one in found(slack).items()} == {
        "token": "tiewatch in the workspace Test",
        "scopes": f"all {len(SCOPES)}",
        "buttons": "over a socket, by tiewatch slack listen",
        "default channel": "C0ALERTS",
        "reps": "2 reps: 1 by slack_user, 1 by e-mail",
        "message": "posted to C0ALERTS",
    }
    assert trouble(slack) == {}
    assert slack.messages("C0ALERTS")[0]["text"].startswith("👋 tiewatch can post here.")


def test_nothing_is_posted_if_that_is_not_wanted(slack: SlackServer):
    assert "message" not in found(slack, announce=False)
    assert not slack.posted


@pytest.mark.parametrize("code", ["invalid_auth", "token_revoked", "account_inactive"])
def test_a_bad_token_is_said_first_and_alone(slack: SlackServer, code: str):
    slack.next(error(code))
    assert list(trouble(slack)) == ["token"]
    assert len(slack.requests) == 1


def test_slack_being_away_is_said_of_the_token(slack: SlackServer):
    slack.next(slack_server.DROP_BEFORE)
    assert "no proper answer from Slack" in trouble(slack)["token"]


def test_missing_scopes_are_named_with_what_they_are_for(slack: SlackServer):
    slack.scopes = ",".join(scope for scope in SCOPES if scope not in ("im:write", "commands"))
    said = trouble(slack)["scopes"]
    assert said.startswith(
        "missing: im:write (to open the direct messages with a rep); "
        "commands (to answer `/tiewatch`). "
    )
    assert "slack/manifest.yaml" in said


def test_scopes_beyond_those_needed_are_named_but_no_trouble(slack: SlackServer):
    slack.scopes = f"{slack.scopes}, files:write, admin"
    assert found(slack)["scopes"].detail.endswith("does not need: admin, files:write")
    assert trouble(slack) == {}


def test_a_slack_that_names_no_scopes_is_no_trouble(slack: SlackServer):
    slack.scopes = None
    assert found(slack)["scopes"] == Finding(
        "scopes", detail="Slack does not say which the token has"
    )


def test_buttons_that_nobody_answers_are_trouble(slack: SlackServer):
    assert "TIEWATCH_SLACK_APP_TOKEN" in trouble(slack, app_token=None)["buttons"]
    over_http = found(slack, app_token=None, answered=True)["buttons"]
    assert over_http == Finding("buttons", detail="over HTTP, by tiewatch gateway")


def test_a_bad_app_token_is_trouble_and_not_repeated(slack: SlackServer):
    slack.next(slack_server.OK, error("invalid_auth"))
    said = trouble(slack)["buttons"]
    assert "check TIEWATCH_SLACK_APP_TOKEN, and that the app has Socket Mode on" in said
    assert APP_TOKEN not in said


def test_the_socket_is_asked_for_with_the_app_token_and_all_else_with_the_bots(slack: SlackServer):
    list(check(setup(slack)))
    tokens = {(one.method == "apps.connections.open", one.token) for one in slack.requests}
    assert tokens == {(True, APP_TOKEN), (False, TOKEN)}


def test_a_channel_that_the_app_is_not_in_says_to_invite_it(slack: SlackServer):
    slack.next(slack_server.OK, slack_server.OK, error("not_in_channel"))
    assert "invite the app to the channel" in trouble(slack)["default channel"]


def test_channels_are_looked_into_by_name_as_by_id(slack: SlackServer):
    named = {"channel alerts": "#alerts", "channel nowhere": "nowhere"}
    said = found(slack, channels=named)
    assert said["channel alerts"].trouble is None
    assert "no channel is called nowhere" in (said["channel nowhere"].trouble or "")


def test_no_default_channel_is_trouble_and_gets_no_message(slack: SlackServer):
    config = SlackConfig(token=TOKEN, base_url=slack.url)
    said = trouble(slack, config=config, channels={})
    assert "set TIEWATCH_SLACK_CHANNEL" in said["default channel"]
    assert not slack.posted


def test_reps_whom_slack_does_not_know_are_named(slack: SlackServer):
    reps = [SAM, ANA, Person("kim"), Person("lee", "Lee Park", "lee@example.com")]
    said = trouble(slack, reps=reps)["reps"]
    assert said.startswith(
        "4 reps: 1 by slack_user, 1 by e-mail, 2 not found: kim (no slack_user, no email); "
        "Lee Park (nobody in Slack has their e-mail address). "
    )


def test_of_many_unknown_reps_the_first_are_named(slack: SlackServer):
    reps = [Person(f"r{number}") for number in range(30)]
    assert "r9 (no slack_user, no email); 20 more. " in trouble(slack, reps=reps)["reps"]


def test_when_slack_wants_a_pause_the_reps_left_are_counted_and_not_asked_for(slack: SlackServer):
    people = [Person(f"r{n}", email=f"r{n}@example.com") for n in range(5)]
    slack.next(*[slack_server.OK] * 3, slow_down("30"))
    said = found(slack, reps=people)["reps"]
    assert said.detail.endswith("5 not looked up, as Slack wants a pause")
    assert len(slack.asked("users.lookupByEmail")) == 1
