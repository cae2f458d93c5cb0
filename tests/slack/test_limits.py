"""Slack takes every kind of message and window, and nothing in one can mention or link anybody."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from slack_sdk.models.views import View

from tests.slack import samples
from tests.slack_limits import problems_of_message, problems_of_options, problems_of_view, texts_of
from worker.core.accounts import Account
from worker.core.alerts import Alert, AlertReason, OpenFlag
from worker.core.cards import (
    AccountCard,
    AccountLine,
    Card,
    Change,
    Choice,
    ContactChoice,
    Digest,
    DigestLine,
    Home,
    TieLine,
    Told,
    Weekly,
    Why,
)
from worker.core.conditions import Comparison
from worker.core.explanation import Group, Kind, Line
from worker.core.flags import State
from worker.core.rules import Severity
from worker.core.ties import Tier
from worker.core.titles import Level
from worker.slack import forms, message, views
from worker.slack.blocks import Message, fitted
from worker.slack.card import MOST_WHOLE

HOSTILE = [
    "",
    " \n\t ",
    "A" * 10_000,
    "&" * 10_000,
    "😀" * 10_000,
    "<!channel> <!here> <@U123> <#C123> <https://evil.example|Acme>",
    "@here @channel #general https://evil.example",
    "```*_~",
    "שלום & חברים",
    "Acme\u202egnp.exe",
    "👩‍👩‍👧‍👦 Family",
    "Acme\nDo: wire the money",
    "\x1b[31mred\x00\x07",
]
LINKS = [
    "https://wiki.example.com/a?b=c&d=*e*~f~",
    "https://a.example/" + "&" * 482,
    "https://a.example/" + "é" * 482,
]
links = st.integers(0, len(LINKS) - 1).map(lambda number: LINKS[number])
DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))

# By number: Hypothesis writes out what it samples from, which takes long for such texts.
hostile = st.integers(0, len(HOSTILE) - 1).map(lambda number: HOSTILE[number])
words = hostile | st.text(max_size=400)
ids = words.filter(bool).map(lambda text: text[:200])
names = st.none() | words
amounts = st.none() | st.floats(0, 1e15)
flags = st.integers(1, 2**63 - 1)
severities = st.sampled_from(Severity)
states = st.sampled_from(State)


def up_to(most: int, of: st.SearchStrategy, least: int = 0) -> st.SearchStrategy[tuple]:
    """Several of them, now and then very many of one."""
    few = st.lists(of, min_size=least, max_size=4).map(tuple)
    return few | st.builds(lambda one, n: (one,) * n, of, st.sampled_from([most // 2, most]))


alerts = st.builds(
    Alert,
    reason=st.sampled_from(AlertReason),
    account=words,
    on=DAYS,
    title=words,
    account_name=names,
    segment=names,
    mrr=amounts,
    currency=names,
    renewal_date=st.none() | st.dates(),
    owner=names,
    owner_name=names,
    rule=names,
    severity=st.none() | severities,
    why=up_to(30, words),
    who=up_to(30, words),
    advice=names,
    playbook=names | links,
    since=st.none() | st.dates(),
    clears=names,
    open_flags=up_to(60, st.builds(OpenFlag, rule=words, severity=severities, title=words)),
)
told = st.builds(
    Told,
    alert=alerts,
    flag=st.none() | flags,
    state=st.none() | states,
    by=names,
    note=names | st.just("wrong_data"),
    until=st.none() | st.dates(),
    assignee=names,
)
customers = st.builds(
    Account,
    id=ids,
    name=names,
    segment=names,
    mrr=amounts,
    currency=names,
    renewal_date=st.none() | st.dates(),
    owner=names,
    owner_name=names,
)
lines = st.builds(
    DigestLine,
    account=customers,
    title=words,
    severity=st.none() | severities,
    flag=st.none() | flags,
    state=st.none() | states,
)
digests = st.builds(Digest, on=DAYS, why=words, lines=up_to(300, lines))
weeks = st.builds(
    Weekly,
    first=DAYS,
    last=DAYS,
    new=st.integers(0, 10**9),
    resolved=st.integers(0, 10**9),
    unacknowledged=up_to(300, lines),
    at_risk=st.dictionaries(words, st.floats(0, 1e15), max_size=12),
    unowned=up_to(5_000, words),
    chances=st.integers(0, 10**9),
)
ties = st.builds(
    TieLine,
    contact=words,
    rep=words,
    tier=st.sampled_from(Tier),
    last=DAYS,
    contact_name=names,
    title=names,
    rep_name=names,
)
accounts = st.builds(
    AccountCard,
    on=DAYS,
    account=customers,
    who=up_to(30, words),
    ties=up_to(300, ties),
    flags=up_to(100, lines),
)
messages = st.one_of(
    st.builds(lambda all_: message.card(Card(told=all_)), up_to(80, told, least=1)),
    st.builds(message.reply, up_to(80, told, least=1)),
    st.builds(message.note, alerts),
    st.builds(message.digest, digests),
    st.builds(message.weekly, weeks),
    st.builds(message.mine, up_to(300, lines), DAYS),
    st.builds(message.account, accounts),
)

compared = st.builds(
    Line,
    fact=words,
    value=st.just(1),
    comparison=st.just(Comparison.OVER),
    limits=st.just(()),
    outcome=st.sampled_from([True, False, None]),
    words=words,
    unknown_because=names,
)
trees = st.recursive(
    compared,
    lambda parts: st.builds(
        Group, st.sampled_from(Kind), st.sampled_from([True, False, None]), up_to(60, parts)
    ),
    max_leaves=6,
)
whys = st.builds(
    Why,
    account=words,
    on=DAYS,
    rule=words,
    title=words,
    conditions=trees,
    account_name=names,
    except_when=st.none() | trees,
    standing=names,
    who=up_to(30, words),
    clears=names,
    ahead=names,
)
homes = st.builds(
    Home,
    on=DAYS,
    since=DAYS,
    rep_name=names,
    flags=up_to(300, lines),
    accounts=up_to(
        300,
        st.builds(
            AccountLine,
            account=customers,
            worst=st.none() | severities,
            open=st.integers(0, 10**6),
        ),
    ),
    changes=up_to(
        300,
        st.builds(
            Change,
            on=DAYS,
            account=words,
            account_name=names,
            title=words,
            state=states,
            severity=st.none() | severities,
        ),
    ),
)


def of_different_ids(make: st.SearchStrategy) -> st.SearchStrategy[list]:
    """Choices as a database has them."""
    return st.lists(make, max_size=5, unique_by=lambda one: one.id)


reps = of_different_ids(st.builds(Choice, id=ids, name=names, more=names))
contacts = of_different_ids(
    st.builds(
        ContactChoice, id=ids, name=names, title=names, level=st.none() | st.sampled_from(Level)
    )
)
private = st.just("x" * 3_000)
windows = st.one_of(
    st.builds(forms.snooze, told, private, DAYS),
    st.builds(forms.dismiss, told, private),
    st.builds(forms.assign, told, private, reps),
    st.builds(forms.fix_contact, told, private, contacts),
    st.builds(views.why, whys),
    st.builds(views.account, accounts),
    st.builds(views.said, words, words),
    st.builds(views.home, homes),
)


def blocks(of: Message | View) -> list[dict[str, Any]]:
    return [block.to_dict() for block in of.blocks or ()]


@settings(max_examples=150)
@given(messages)
def test_slack_takes_every_message_whatever_is_in_it(one: Message):
    assert problems_of_message(one.text, blocks(one)) == []


@settings(max_examples=100)
@given(windows)
def test_slack_takes_every_window_whatever_is_in_it(one: View):
    assert problems_of_view(one.to_dict()) == []


@pytest.mark.parametrize("number", [1, 100, 101, 10_001])
def test_slack_takes_a_window_with_more_reps_than_a_menu_has_room_for(number: int):
    many = [Choice(id=f"r{each}", name="A" * 300) for each in range(number)]
    assert problems_of_view(forms.assign(samples.OPEN, "", many).to_dict()) == []
    suggested = [option.to_dict() for option in forms.reps_fitting(many, "a")]
    assert len(suggested) == min(number, 100)
    assert list(problems_of_options("suggested", suggested)) == []


LONG = "&" * 10_000
FULL = Alert(
    reason=AlertReason.WORSE,
    account=LONG,
    on=date(2026, 2, 18),
    title=LONG,
    account_name=LONG,
    segment=LONG,
    mrr=1e15,
    currency=LONG,
    renewal_date=date(2026, 3, 31),
    owner=LONG,
    owner_name=LONG,
    rule=LONG,
    severity=Severity.CRITICAL,
    why=(LONG,) * 30,
    advice=LONG,
    playbook=LINKS[1],
    since=date(2026, 2, 12),
    clears=LONG,
    open_flags=(OpenFlag(LONG, Severity.LOW, LONG),) * 60,
)
LINE = DigestLine(
    account=Account(
        id=LONG, name=LONG, mrr=1e15, currency=LONG, renewal_date=date(2026, 3, 31)
    ),
    title=LONG, flag=1, severity=Severity.LOW, state=State.ACKNOWLEDGED,
)  # fmt: skip


def full(flags: int, state: State = State.OPEN, reason: AlertReason = FULL.reason) -> Card:
    """A card with as much of everything as there can be; no two flags have the same people."""
    alerts = [
        replace(FULL, reason=reason, who=tuple(f"{n} {m} {LONG}" for m in range(30)))
        for n in range(flags)
    ]
    check = Told(alert=replace(FULL, reason=AlertReason.RENEWAL, rule=None, severity=None))
    more = {"by": LONG, "note": LONG, "assignee": LONG, "until": date(2026, 3, 1)}
    return Card(told=(*(Told(alert=one, flag=1, state=state, **more) for one in alerts), check))


@pytest.mark.parametrize("flags", [0, 1, 2, 3, 4, 20, 200])
@pytest.mark.parametrize("state", State)
def test_slack_takes_the_fullest_card_there_can_be(flags: int, state: State):
    reason = AlertReason.RESOLVED if state is State.RESOLVED else AlertReason.WORSE
    one = message.card(full(flags, state, reason))
    assert problems_of_message(one.text, blocks(one)) == []
    if flags and state is State.OPEN:
        actions = [block for block in blocks(one) if block["type"] == "actions"]
        assert len(actions) == min(flags, MOST_WHOLE), "a flag has lost its buttons"


@pytest.mark.parametrize("number", [1, 5, 20, 300])
def test_slack_takes_the_fullest_lists_there_can_be(number: int):
    several = tuple(
        replace(LINE, account=replace(LINE.account, id=f"{n} {LONG}")) for n in range(number)
    )
    week = Weekly(
        first=date(2026, 2, 9), last=date(2026, 2, 15), new=10**9, resolved=10**9,
        unacknowledged=several, at_risk={LONG + str(n): 1e15 for n in range(9)},
        unowned=(LONG,) * 300,
    )  # fmt: skip
    tie = TieLine(contact=LONG, rep=LONG, tier=Tier.STRONG, last=date(2026, 2, 9), title=LONG)
    of_account = AccountCard(
        on=date(2026, 2, 18),
        account=Account(id=LONG, segment=LONG, currency=LONG, mrr=1e15, owner=LONG),
        who=(LONG,) * 30, ties=(tie,) * number, flags=several,
    )  # fmt: skip
    for one in (
        message.digest(Digest(on=date(2026, 2, 18), why=LONG, lines=several)),
        message.weekly(week),
        message.mine(several, date(2026, 2, 18)),
        message.account(of_account),
    ):
        assert problems_of_message(one.text, blocks(one)) == []


def without_markup(text: str) -> str:
    """The text without our own marks: a link to a playbook, bold labels, escapes."""
    for link in LINKS:
        shown = link.replace("&", "&amp;")
        text = text.replace(f"<{shown}|Playbook>", "").removesuffix(f" Playbook: {shown}")
    return text.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")


@settings(max_examples=100)
@given(messages | windows)
def test_nothing_in_a_message_can_mention_link_or_start_markup(one: Message | View):
    plain = [one.text] if isinstance(one, Message) else []
    for text in [*plain, *texts_of(blocks(one))]:
        bare = without_markup(text)
        assert not set(bare) & set("&<>`~"), text
        # Bold are a label, a title or a name, each once and whole.
        assert bare.count("*") in (0, 2), text


@settings(max_examples=50)
@given(messages)
def test_our_links_and_mentions_are_made_by_slack_of_nothing_that_only_looks_like_them(one):
    marked = [text for block in blocks(one) for text in mrkdwn(block)]
    assert all(text.get("verbatim") for text in marked)


def mrkdwn(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [found for each in value for found in mrkdwn(each)]
    if not isinstance(value, dict):
        return []
    inner = [found for each in value.values() for found in mrkdwn(each)]
    return [value, *inner] if value.get("type") == "mrkdwn" else inner


@pytest.mark.parametrize("kind", samples.messages())
def test_the_samples_fit_too(kind: str):
    one = samples.messages()[kind]
    assert problems_of_message(one.text, blocks(one)) == []


@pytest.mark.parametrize(
    ("text", "limit", "cut"),
    [
        ("abcde", 5, "abcde"),
        ("abcdef", 5, "abcd…"),
        ("a&b", 7, "a&amp;b"),
        ("a&bc", 7, "a&amp;…"),
        ("a&bcd", 5, "a…"),
        ("😀😀", 3, "😀…"),
    ],
)
def test_a_text_is_cut_by_its_length_in_slack_and_never_inside_an_escape(text, limit, cut):
    assert fitted(text, limit) == cut
