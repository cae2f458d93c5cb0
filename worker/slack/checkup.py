"""Whether Slack is set up: the tokens, what they allow, the channels, and who our reps are there.

Each thing is asked of Slack itself, in the way in which it will be used.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

from worker.core.findings import Finding
from worker.slack.lookup import place, user_with
from worker.slack.message import hello
from worker.slack.phrases import counted
from worker.slack.scopes import SCOPES
from worker.slack.sender import SlackConfig, asked, client, metadata, post
from worker.slack.trouble import SendFailed, Verdict

MOST_NAMED = 10

BUNDLE = "check"
"""The bundle in the metadata of the message that a check posts: it tells no alert."""


@dataclass(frozen=True, slots=True)
class Person:
    """A rep to be found in Slack."""

    rep: str
    name: str | None = None
    email: str | None = None
    slack_user: str | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """What is to be checked. `channels` are addresses by what they are for; `answered` is whether
    clicks can come in over HTTP; with `announce` a message is posted to the default channel."""

    config: SlackConfig
    channels: Mapping[str, str] = field(default_factory=dict)
    reps: Sequence[Person] = ()
    app_token: str | None = field(default=None, repr=False)
    answered: bool = False
    announce: bool = True


def check(setup: Setup) -> Iterator[Finding]:
    """What there is to say of the setup, in the order in which it is put right."""
    slack = client(setup.config)
    try:
        who = asked("who the app is", lambda: slack.auth_test())
    except SendFailed as error:
        yield Finding("token", error.reason)
        return
    yield Finding("token", detail=f"{who.get('user')} in the workspace {who.get('team')}")
    yield _scopes(who)
    yield _clicks(slack, setup)
    yield from _channels(slack, setup)
    yield _reps(slack, setup.reps)
    if setup.announce and setup.config.channel:
        yield _message(slack, setup.config.channel)


def _scopes(who: SlackResponse) -> Finding:
    """Slack names the token's scopes in a header of every answer."""
    said = next((v for k, v in who.headers.items() if k.lower() == "x-oauth-scopes"), None)
    if said is None:
        return Finding("scopes", detail="Slack does not say which the token has")
    given = {scope.strip() for scope in said.split(",")}
    missing = [f"{scope} (to {why})" for scope, why in SCOPES.items() if scope not in given]
    if missing:
        return Finding(
            "scopes",
            f"missing: {'; '.join(missing)}. Paste slack/manifest.yaml into the app's manifest "
            "again, and install it anew",
        )
    more = sorted(given - set(SCOPES))
    unneeded = f", and these that it does not need: {', '.join(more)}" if more else ""
    return Finding("scopes", detail=f"all {len(SCOPES)}{unneeded}")


def _clicks(slack: WebClient, setup: Setup) -> Finding:
    """Whether somebody can answer the buttons."""
    token = setup.app_token
    if token is None:
        if setup.answered:
            return Finding("buttons", detail="over HTTP, by tiewatch gateway")
        return Finding(
            "buttons",
            "nobody would answer them: set TIEWATCH_SLACK_APP_TOKEN to an app-level token with the "
            "scope connections:write, or TIEWATCH_SLACK_SIGNING_SECRET for HTTP",
        )
    return _tried(
        "buttons",
        "over a socket, by tiewatch slack listen",
        lambda: asked("a socket", lambda: slack.apps_connections_open(app_token=token)),
        "check TIEWATCH_SLACK_APP_TOKEN, and that the app has Socket Mode on",
    )


def _channels(slack: WebClient, setup: Setup) -> Iterator[Finding]:
    """Whether the app is in each channel: it posts there, and looks there for what it posted."""
    if not setup.config.channel:
        yield Finding(
            "default channel",
            "there is none for what has no owner in Slack: set TIEWATCH_SLACK_CHANNEL to its id",
        )
    for purpose, address in setup.channels.items():

        def look(address: str = address) -> None:
            channel = place(slack, address)
            asked(
                f"a look into {address}",
                lambda: slack.conversations_history(channel=channel, limit=1),
            )

        yield _tried(purpose, address, look)


def _reps(slack: WebClient, reps: Sequence[Person]) -> Finding:
    by_mail, missing, unasked = 0, [], 0
    for rep in reps:
        if rep.slack_user:
            continue
        if not rep.email:
            missing.append(f"{rep.name or rep.rep} (no slack_user, no email)")
            continue
        if unasked:
            unasked += 1
            continue
        try:
            found = user_with(slack, rep.email)
        except SendFailed as error:
            if error.verdict is not Verdict.WAIT:
                return Finding("reps", error.reason)
            unasked = 1
            continue
        if found:
            by_mail += 1
        else:
            missing.append(f"{rep.name or rep.rep} (nobody in Slack has their e-mail address)")
    known = sum(1 for rep in reps if rep.slack_user)
    detail = f"{counted(len(reps), 'rep')}: {known} by slack_user, {by_mail} by e-mail"
    if unasked:
        detail += f", {unasked} not looked up, as Slack wants a pause"
    if not missing:
        return Finding("reps", detail=detail)
    named = "; ".join(missing[:MOST_NAMED])
    more = f"; {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
    return Finding(
        "reps",
        f"{detail}, {len(missing)} not found: {named}{more}. Their alerts go to the default "
        "channel: send rep events with their slack_user or e-mail address",
    )


def _message(slack: WebClient, channel: str) -> Finding:
    return _tried(
        "message",
        f"posted to {channel}",
        lambda: post(slack, channel, hello(), metadata((), BUNDLE)),
    )


def _tried(subject: str, detail: str, act: Callable[[], object], remedy: str = "") -> Finding:
    try:
        act()
    except SendFailed as error:
        return Finding(subject, f"{error.reason}; {remedy}" if remedy else error.reason)
    return Finding(subject, detail=detail)
