from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.alerts import alert
from tests.slack_server import problem
from worker.core.alerts import Alert, AlertReason, OpenFlag
from worker.core.rules import Severity
from worker.slack.message import fitted, message

HOSTILE = [
    "",
    " \n\t ",
    "A" * 10_000,
    "&" * 10_000,
    "😀" * 10_000,
    "<!channel> <@U123> <https://evil.example|Acme>",
    "@here #general https://evil.example",
    "```*_~",
    "שלום & חברים",
    "Acme\u202egnp.exe",
    "👩‍👩‍👧‍👦 Family",
    "Acme\nDo: wire the money",
    "\x1b[31mred\x00\x07",
]


def sent(one: Alert) -> dict:
    """The request that the message becomes."""
    said = message(one, 7)
    blocks = [block.to_dict() for block in said.blocks]
    return {"channel": "C1", "text": said.text, "blocks": blocks}


def texts(one: Alert) -> list[str]:
    """Every text of the message's blocks, from top to bottom."""
    found = []
    for block in sent(one)["blocks"]:
        found += [text["text"] for text in block.get("elements") or [block["text"]]]
    return found


def renewal(*flags: OpenFlag) -> Alert:
    return alert(
        reason=AlertReason.RENEWAL, title="Renews in 30 days", open_flags=flags, rule=None,
        severity=None, who=(), advice=None, since=None, clears=None, why=("adoption is 80%",),
    )  # fmt: skip


def test_an_opened_flag_says_what_why_who_and_what_to_do():
    assert texts(alert()) == [
        "Acme: Renews in 41 days, no exec contact for 22 days",
        "*High* · enterprise · 20,000 EUR a month · renews 31 Mar 2026, in 41 days · owner sam",
        "• the renewal is in 41 days\n"
        "• the last contact with an executive was 22 days ago\n"
        "Last executive contact: Dana Ruiz, CIO, 27 Jan, with Sam.",
        "*Do:* Ask Dana for a short check-in before the renewal talk.",
        "Rule renewal-without-exec-contact · since 12 Feb 2026 · "
        "clears when the last contact with an executive is at most 15 days ago",
    ]


def test_a_phone_shows_the_account_the_title_and_what_to_do():
    assert message(alert(), 7).text == (
        "Acme: Renews in 41 days, no exec contact for 22 days. "
        "Do: Ask Dana for a short check-in before the renewal talk."
    )


def test_the_playbook_is_a_link_after_the_advice_and_bare_where_there_are_no_blocks():
    one = alert(playbook="https://wiki.example.com/a?b=1&c=2")
    assert texts(one)[3] == (
        "*Do:* Ask Dana for a short check-in before the renewal talk.  "
        "<https://wiki.example.com/a?b=1&amp;c=2|Playbook>"
    )
    assert message(one, 7).text.endswith(
        "before the renewal talk. Playbook: https://wiki.example.com/a?b=1&amp;c=2"
    )


def test_a_playbook_needs_no_advice():
    one = alert(advice=None, playbook="https://wiki.example.com")
    assert texts(one)[3] == "<https://wiki.example.com|Playbook>"


def test_a_long_playbook_is_whole_however_long_the_advice():
    link = "https://a.example/" + "&" * 482
    one = alert(playbook=link, advice="&" * 2000, title="&" * 2000)
    shown = link.replace("&", "&amp;")
    assert texts(one)[3].endswith(f"  <{shown}|Playbook>")
    assert message(one, 7).text.endswith(f" Playbook: {shown}")
    assert problem("xoxb-1", sent(one)) is None


@pytest.mark.parametrize("link", ["javascript:x", "https://a|<!channel>", "https://a b", ""])
def test_what_is_no_link_is_not_made_one(link):
    assert sent(alert(playbook=link)) == sent(alert())


@pytest.mark.parametrize(
    ("reason", "headline"),
    [
        (AlertReason.REOPENED, "Acme, again: Gone quiet"),
        (AlertReason.WORSE, "Acme, now critical: Gone quiet"),
        (AlertReason.RESOLVED, "Acme, resolved: Gone quiet"),
    ],
)
def test_the_headline_says_why_it_comes_now(reason: AlertReason, headline: str):
    one = alert(reason=reason, title="Gone quiet", severity=Severity.CRITICAL)
    assert texts(one)[0] == headline


def test_a_resolved_flag_alarms_nobody_and_says_when_it_ended():
    found = texts(alert(reason=AlertReason.RESOLVED, clears=None, advice=None))
    assert "High" not in "".join(found)
    assert found[-1].endswith("since 12 Feb 2026 · resolved 18 Feb 2026")


def test_a_resolved_flag_says_on_a_phone_what_has_changed():
    now = ("the last contact with an executive was 1 day ago",)
    assert message(alert(reason=AlertReason.RESOLVED, title="Quiet", why=now), 7).text == (
        "Acme, resolved: Quiet. Now: the last contact with an executive was 1 day ago"
    )


def test_a_renewal_check_lists_what_is_open_with_its_rules():
    one = renewal(
        OpenFlag("single-threaded", Severity.MEDIUM, "1 strong exec tie, 2 needed"),
        OpenFlag("no-users", Severity.LOW, "No user ties"),
    )
    assert texts(one)[2:] == [
        "*Open:*\n"
        "• 1 strong exec tie, 2 needed (medium, single-threaded)\n"
        "• No user ties (low, no-users)",
        "• adoption is 80%",
    ]
    assert message(one, 7).text == (
        "Acme, renewal check: Renews in 30 days. 2 open: 1 strong exec tie, 2 needed; No user ties."
    )


def test_a_renewal_check_with_nothing_open_is_one_line():
    assert texts(renewal()) == ["Acme, renewal check: Renews in 30 days. Nothing is open."]


@pytest.mark.parametrize(
    ("renewal_date", "said"),
    [
        (date(2026, 2, 17), "renewal was 17 Feb 2026, 1 day ago"),
        (date(2026, 2, 18), "renews 18 Feb 2026, today"),
        (date(2026, 2, 19), "renews 19 Feb 2026, in 1 day"),
    ],
)
def test_the_renewal_is_counted_from_the_day_of_the_decision(renewal_date: date, said: str):
    assert said in texts(alert(renewal_date=renewal_date))[1]


def test_an_account_that_is_hardly_known_is_named_by_its_id():
    one = alert(
        account_name=None, segment=None, mrr=None, currency=None, renewal_date=None, owner=None
    )
    assert texts(one)[:2] == [
        "acme: Renews in 41 days, no exec contact for 22 days",
        "*High* · no owner",
    ]


def test_the_alert_can_be_found_again_by_the_messages_metadata():
    assert message(alert(), 7).metadata.to_dict() == {
        "event_type": "tiewatch_alert",
        "event_payload": {"alert_id": 7},
    }


@pytest.mark.parametrize("size", range(290, 300))
def test_a_full_section_has_room_for_its_label(size: int):
    flags = (OpenFlag("r" * size, Severity.LOW, "&" * 150) for _ in range(20))
    assert problem("xoxb-1", sent(renewal(*flags))) is None


LINKS = [
    "https://wiki.example.com/a?b=c&d=*e*~f~",
    "https://a.example/" + "&" * 482,
    "https://a.example/" + "é" * 482,
]
words = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=400))
alerts = st.builds(
    Alert,
    reason=st.sampled_from(AlertReason),
    account=words,
    on=st.dates(),
    title=words,
    account_name=st.none() | words,
    segment=st.none() | words,
    mrr=st.none() | st.floats(0, 1e15),
    currency=st.none() | words,
    renewal_date=st.none() | st.dates(),
    owner=st.none() | words,
    rule=words,
    severity=st.sampled_from(Severity),
    why=st.lists(words, max_size=30).map(tuple),
    who=st.lists(words, max_size=30).map(tuple),
    advice=st.none() | words,
    playbook=st.none() | words | st.sampled_from(LINKS),
    since=st.none() | st.dates(),
    clears=st.none() | words,
    open_flags=st.lists(
        st.builds(OpenFlag, rule=words, severity=st.sampled_from(Severity), title=words),
        max_size=60,
    ).map(tuple),
)


@given(alerts)
def test_slack_takes_the_message_whatever_is_in_the_alert(one: Alert):
    assert problem("xoxb-1", sent(one)) is None


@given(alerts)
def test_nothing_in_an_alert_can_mention_link_or_start_markup(one: Alert):
    for text in [message(one, 7).text, *texts(one)]:
        for link in LINKS:
            shown = link.replace("&", "&amp;")
            text = text.replace(f"<{shown}|Playbook>", "").removesuffix(f" Playbook: {shown}")
        bare = text.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")
        assert not set(bare) & set("&<>`~"), text
        label = bare.startswith(("*Do:* ", "*Open:*\n", *(f"*{s.capitalize()}*" for s in Severity)))
        assert bare.count("*") == (2 if label else 0), text


def test_links_and_names_in_the_text_stay_text():
    blocks = sent(alert())["blocks"]
    marked = [text for block in blocks[1:] for text in block.get("elements") or [block["text"]]]
    assert all(text["verbatim"] for text in marked)


def test_a_name_with_a_line_break_cannot_add_a_line_of_its_own():
    assert texts(alert(account_name="Acme\nDo: wire the money", title="Quiet"))[0] == (
        "Acme Do: wire the money: Quiet"
    )


def test_a_name_cannot_turn_the_line_round():
    assert texts(alert(account_name="Acme\u202egnp", title="Quiet"))[0] == "Acmegnp: Quiet"


def test_names_in_any_script_and_joined_emoji_arrive_unchanged():
    name = "שלום Straße 株式会社 👩‍👩‍👧‍👦"
    assert texts(alert(account_name=name, title="Quiet"))[0] == f"{name}: Quiet"


def test_a_long_name_leaves_room_for_the_title():
    assert texts(alert(account_name="A" * 10_000))[0] == (
        "A" * 59 + "…: Renews in 41 days, no exec contact for 22 days"
    )


def test_of_many_lines_the_first_are_told_and_the_rest_counted():
    told = texts(alert(why=tuple(f"reason {n}" for n in range(1, 31)), who=()))[2].splitlines()
    assert told == [*(f"• reason {n}" for n in range(1, 9)), "• and 22 more"]


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
