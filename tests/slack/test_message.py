"""What a rep reads when a flag opens, moves and ends."""

import re
from datetime import date

import pytest

from tests.alerts import alert
from tests.slack_limits import texts_of
from worker.core.accounts import Account
from worker.core.alerts import FOR_ADMINS, Alert, AlertReason, OpenFlag
from worker.core.cards import Card, DigestLine, Told
from worker.core.flags import State
from worker.core.rules import Kind, Severity
from worker.slack.card import MOST_DONE, MOST_WHOLE
from worker.slack.message import Message, card, mine, note, reply


def said(message: Message) -> list[str]:
    """Every text of the message's blocks, from top to bottom."""
    return list(texts_of([block.to_dict() for block in message.blocks]))


def texts(one: Alert, **told) -> list[str]:
    """The texts of the card of one flag."""
    return said(card(Card(told=(Told(alert=one, **told),))))


def text(one: Alert, **told) -> str:
    return card(Card(told=(Told(alert=one, **told),))).text


def buttons(message: Message) -> list[list[str]]:
    """The values of each row of buttons, those of a menu after them."""
    rows = []
    for block in message.blocks:
        of = block.to_dict()
        elements = of.get("elements", []) + ([of["accessory"]] if "accessory" in of else [])
        values = [each["value"] for each in elements if each.get("value")]
        values += [o["value"] for each in elements for o in each.get("options", [])]
        rows += [values] if values else []
    return rows


def renewal(*flags: OpenFlag) -> Alert:
    return alert(
        reason=AlertReason.RENEWAL, title="Renews in 30 days", open_flags=flags, rule=None,
        severity=None, who=(), advice=None, since=None, clears=None, why=("adoption is 80%",),
    )  # fmt: skip


def resolved(**changes) -> Alert:
    return alert(reason=AlertReason.RESOLVED, advice=None, clears=None, **changes)


def test_an_open_flag_says_what_why_who_and_what_to_do():
    assert texts(alert()) == [
        "🟠 Acme: Renews in 41 days, no exec contact for 22 days",
        "*High* · enterprise · 20,000 EUR a month · renews 31 Mar 2026, in 41 days · owner sam",
        "*Why*\n• the renewal is in 41 days\n• the last contact with an executive was 22 days ago",
        "*Who*\n• Last executive contact: Dana Ruiz, CIO, 27 Jan, with Sam.",
        "*Do*\nAsk Dana for a short check-in before the renewal talk.",
        "Since 12 Feb 2026 · "
        "clears when the last contact with an executive is at most 15 days ago · "
        "rule renewal-without-exec-contact",
    ]


def test_a_phone_shows_the_account_the_title_and_what_to_do_first():
    assert text(alert()).startswith(
        "🟠 Acme: Renews in 41 days, no exec contact for 22 days. "
        "Do: Ask Dana for a short check-in before the renewal talk. "
    )


def test_a_screen_reader_says_what_the_blocks_show():
    spoken = text(
        alert(playbook="https://wiki.example.com"), flag=12, by="Ana", state="acknowledged"
    )
    for part in (
        "Acknowledged by Ana. ", "High severity. ", "Why: the renewal is in 41 days; ",
        "Last executive contact: Dana Ruiz, CIO", "Since 12 Feb 2026", "clears when",
        "Playbook: https://wiki.example.com",
    ):  # fmt: skip
        assert part in spoken


def test_the_playbook_is_a_link_after_the_advice_and_bare_where_there_are_no_blocks():
    one = alert(playbook="https://wiki.example.com/a?b=1&c=2")
    assert texts(one)[4] == (
        "*Do*\nAsk Dana for a short check-in before the renewal talk.  "
        "<https://wiki.example.com/a?b=1&amp;c=2|Playbook>"
    )
    assert text(one).endswith(" Playbook: https://wiki.example.com/a?b=1&amp;c=2")


def test_a_playbook_needs_no_advice():
    one = alert(advice=None, playbook="https://wiki.example.com")
    assert texts(one)[4] == "<https://wiki.example.com|Playbook>"


def test_a_long_playbook_is_whole_however_long_the_advice():
    link = "https://a.example/" + "&" * 482
    one = alert(playbook=link, advice="&" * 2000, title="&" * 2000)
    shown = link.replace("&", "&amp;")
    assert texts(one)[4].endswith(f"  <{shown}|Playbook>")
    assert text(one).endswith(f" Playbook: {shown}")


@pytest.mark.parametrize("link", ["javascript:x", "https://a|<!channel>", "https://a b", ""])
def test_what_is_no_link_is_not_made_one(link: str):
    assert texts(alert(playbook=link)) == texts(alert())


@pytest.mark.parametrize(
    ("reason", "headline"),
    [
        (AlertReason.REOPENED, "🔴 Acme, again: Gone quiet"),
        (AlertReason.WORSE, "🔴 Acme, now critical: Gone quiet"),
        (AlertReason.AWAKE, "🔴 Acme, still open: Gone quiet"),
        (AlertReason.BACK, "🔴 Acme, back: Gone quiet"),
        (AlertReason.ASSIGNED, "🔴 Acme, now yours: Gone quiet"),
        (AlertReason.REMINDER, "🔴 Acme, still open: Gone quiet"),
        (AlertReason.ESCALATED, "🔴 Acme, not acknowledged: Gone quiet"),
        (AlertReason.RESOLVED, "✅ Acme, resolved: Gone quiet"),
    ],
)
def test_the_headline_says_why_it_comes_now(reason: AlertReason, headline: str):
    one = alert(reason=reason, title="Gone quiet", severity=Severity.CRITICAL)
    assert texts(one)[0] == headline


def test_every_severity_has_a_colour_and_a_word():
    for severity, sign in zip(Severity, "🔵🟡🟠🔴", strict=True):
        found = texts(alert(severity=severity))
        assert found[0].startswith(sign)
        assert found[1].startswith(f"*{severity.capitalize()}* · ")


def test_an_open_flag_can_be_acted_on_where_it_stands():
    (row,) = buttons(card(Card(told=(Told(alert=alert(), flag=12, state=State.OPEN),))))
    assert row == [
        "acknowledge/12", "snooze/12", "not_a_risk/12", "why/12", "assign/12", "fix_contact/12",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("state", "missing"),
    [
        (State.ACKNOWLEDGED, {"acknowledge/12"}),
        (State.SNOOZED, {"snooze/12", "not_a_risk/12"}),
        (State.DISMISSED, {"snooze/12", "not_a_risk/12"}),
    ],
)
def test_what_has_been_done_is_not_offered_again(state: State, missing: set[str]):
    (row,) = buttons(card(Card(told=(Told(alert=alert(), flag=12, state=state),))))
    assert not missing & set(row)
    assert "why/12" in row


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ({"state": "acknowledged", "by": "Sam Lee"}, "Acknowledged by Sam Lee"),
        (
            {"state": "acknowledged", "by": "Sam Lee", "assignee": "Ana Roy"},
            "Acknowledged by Sam Lee · Assigned to Ana Roy",
        ),
        (
            {"state": "snoozed", "by": "Sam Lee", "until": date(2026, 2, 25)},
            "Snoozed by Sam Lee until 25 Feb 2026",
        ),
        (
            {"state": "snoozed", "by": "Sam Lee"},
            "Snoozed by Sam Lee until the next contact with an executive",
        ),
        (
            {
                "state": "dismissed", "by": "Sam Lee", "note": "known_and_handled",
                "until": date(2026, 5, 19),
            },
            "Not a risk, says Sam Lee: known and handled · "
            "quiet until 19 May 2026, unless it gets worse",
        ),
        (
            {"state": "open", "by": "Sam Lee", "assignee": "Ana Roy"},
            "Assigned to Ana Roy by Sam Lee",
        ),
    ],
)  # fmt: skip
def test_everyone_sees_on_the_message_what_has_been_done(told: dict, line: str):
    told["state"] = State(told["state"])
    assert texts(alert(), flag=12, **told)[2] == f"👤 {line}"
    assert f" {line}. " in text(alert(), flag=12, **told)


@pytest.mark.parametrize(
    "reason", [AlertReason.REMINDER, AlertReason.ESCALATED, AlertReason.AWAKE, AlertReason.ASSIGNED]
)
def test_what_somebody_has_taken_up_is_not_said_to_wait_for_somebody(reason: AlertReason):
    one = alert(reason=reason, title="Quiet")
    assert texts(one, flag=12, state=State.OPEN)[0] != "🟠 Acme: Quiet"
    assert texts(one, flag=12, state=State.ACKNOWLEDGED)[0] == "🟠 Acme: Quiet"


def test_an_open_flag_that_nobody_has_touched_says_nothing_of_anybody():
    assert not any("👤" in each for each in texts(alert(), flag=12, state=State.OPEN))


def test_a_resolved_flag_is_green_says_what_cleared_it_and_asks_for_nothing():
    now = ("last contact with an executive: today (at most 15 days)",)
    one = resolved(title="Quiet", why=now, who=("Last executive contact: Dana Ruiz, CIO, today.",))
    message = card(Card(told=(Told(alert=one, flag=12, state=State.RESOLVED),)))
    assert said(message) == [
        "✅ Acme, resolved: Quiet",
        "enterprise · 20,000 EUR a month · renews 31 Mar 2026, in 41 days · owner sam",
        "*What cleared it*\n• last contact with an executive: today (at most 15 days)",
        "*Who*\n• Last executive contact: Dana Ruiz, CIO, today.",
        "Since 12 Feb 2026 · resolved 18 Feb 2026 · rule renewal-without-exec-contact",
    ]
    assert buttons(message) == []
    assert message.text.startswith(
        "✅ Acme, resolved: Quiet. Now: last contact with an executive: today (at most 15 days). "
    )


def test_an_alert_of_an_end_is_green_even_if_the_flags_state_is_not_known():
    assert texts(resolved(title="Quiet"))[0] == "✅ Acme, resolved: Quiet"


def test_several_flags_are_told_under_one_headline_each_with_its_buttons():
    other = alert(title="1 strong exec tie, 2 needed", severity=Severity.MEDIUM)
    both = Card(told=(Told(alert=alert(), flag=12), Told(alert=other, flag=13)))
    found = said(card(both))
    assert found[:3] == [
        "🟠 Acme: 2 open flags",
        "enterprise · 20,000 EUR a month · renews 31 Mar 2026, in 41 days · owner sam",
        "🟠 *Renews in 41 days, no exec contact for 22 days* (high)",
    ]
    assert "🟡 *1 strong exec tie, 2 needed* (medium)" in found
    assert [row[0] for row in buttons(card(both))] == ["acknowledge/12", "acknowledge/13"]
    assert card(both).text == (
        "🟠 Acme: 2 open flags. Renews in 41 days, no exec contact for 22 days. "
        "Do: Ask Dana for a short check-in before the renewal talk. 1 strong exec tie, 2 needed. "
        "Do: Ask Dana for a short check-in before the renewal talk."
    )


def test_people_are_named_once_for_all_flags_of_a_card():
    both = Card(told=(Told(alert=alert(), flag=1), Told(alert=alert(title="Other"), flag=2)))
    assert sum("Dana Ruiz" in each for each in said(card(both))) == 1


def test_of_many_flags_the_first_are_whole_the_next_a_line_each_and_the_rest_counted():
    number = MOST_WHOLE + 15 + 4
    told = tuple(Told(alert=alert(title=f"Flag {n}"), flag=n) for n in range(number))
    found = said(card(Card(told=told)))
    assert found[0] == f"🟠 Acme: {number} open flags"
    assert sum(each.startswith("*Why*") for each in found) == MOST_WHOLE
    assert sum(each.startswith("🟠 *Flag ") for each in found) == MOST_WHOLE + 15
    assert found[-1] == "and 4 more open flags"


def test_what_is_quiet_beside_open_flags_is_a_line_with_a_menu():
    quiet = Told(alert=alert(title="Old"), flag=2, state=State.SNOOZED, until=date(2026, 2, 25))
    message = card(Card(told=(Told(alert=alert(), flag=1, state=State.OPEN), quiet)))
    assert said(message)[-1] == "💤 *Old* (high)\nSnoozed until 25 Feb 2026"
    assert buttons(message)[-1] == ["acknowledge/2", "why/2", "assign/2", "fix_contact/2"]


def test_what_is_resolved_beside_an_open_flag_is_a_green_line_with_what_cleared_it():
    done = Told(alert=resolved(title="Old", why=("it is over",)), flag=2, state=State.RESOLVED)
    found = said(card(Card(told=(Told(alert=alert(), flag=1, state=State.OPEN), done))))
    assert found[0] == "🟠 Acme: Renews in 41 days, no exec contact for 22 days"
    assert found[-1] == "✅ Resolved 18 Feb 2026 · Old\nCleared by: it is over"


def test_when_the_last_of_several_flags_is_resolved_the_whole_card_is_green():
    done = [Told(alert=resolved(title=f"Flag {n}"), flag=n) for n in range(MOST_DONE + 2)]
    found = said(card(Card(told=tuple(done))))
    assert found[0] == f"✅ Acme: all {MOST_DONE + 2} flags resolved"
    assert sum(each.startswith("✅ Resolved 18 Feb 2026 · Flag") for each in found) == MOST_DONE
    assert found[-1] == "and 2 more resolved flags"


def test_a_renewal_check_lists_what_is_open_with_its_rules():
    one = renewal(
        OpenFlag("single-threaded", Severity.MEDIUM, "1 strong exec tie, 2 needed"),
        OpenFlag("no-users", Severity.LOW, "No user ties"),
    )
    assert texts(one)[0] == "📅 Acme, renewal check: Renews in 30 days"
    assert texts(one)[2:] == [
        "*Open*\n"
        "• 1 strong exec tie, 2 needed (medium, single-threaded)\n"
        "• No user ties (low, no-users)",
        "*How it stands*\n• adoption is 80%",
    ]
    assert text(one).startswith(
        "📅 Acme, renewal check: Renews in 30 days. "
        "2 open: 1 strong exec tie, 2 needed; No user ties."
    )


def test_a_renewal_check_with_nothing_open_says_so():
    assert "*Open*\nNothing is open." in texts(renewal())
    assert text(renewal()).startswith("📅 Acme, renewal check: Renews in 30 days. Nothing is open.")


def test_a_renewal_check_beside_flags_is_no_flag_and_does_not_list_them_again():
    check = renewal(
        OpenFlag("renewal-without-exec-contact", Severity.HIGH, "Told above"),
        OpenFlag("no-users", Severity.LOW, "No user ties"),
    )
    found = said(card(Card(told=(Told(alert=alert(), flag=12), Told(alert=check)))))
    assert found[0] == "🟠 Acme: Renews in 41 days, no exec contact for 22 days"
    assert found[-3:] == [
        "📅 *Renewal check: Renews in 30 days*",
        "*Open*\n• No user ties (low, no-users)",
        "*How it stands*\n• adoption is 80%",
    ]


def test_a_card_turns_green_though_a_renewal_check_stands_on_it():
    done = Told(alert=resolved(title="Quiet"), flag=12, state=State.RESOLVED)
    found = said(card(Card(told=(done, Told(alert=renewal())))))
    assert found[0] == "✅ Acme, resolved: Quiet"
    assert "📅 *Renewal check: Renews in 30 days*" in found


def test_a_flag_that_ended_unsaid_is_green_without_what_is_past():
    message = card(Card(told=(Told(alert=alert(why=()), flag=12, state=State.RESOLVED),)))
    assert said(message) == [
        "✅ Acme, resolved: Renews in 41 days, no exec contact for 22 days",
        "enterprise · 20,000 EUR a month · renews 31 Mar 2026, in 41 days · owner sam",
        "Since 12 Feb 2026 · resolved · rule renewal-without-exec-contact",
    ]
    assert buttons(message) == []


@pytest.mark.parametrize(
    ("renewal_date", "line"),
    [
        (date(2026, 2, 17), "renewal was 17 Feb 2026, 1 day ago"),
        (date(2026, 2, 18), "renews 18 Feb 2026, today"),
        (date(2026, 2, 19), "renews 19 Feb 2026, in 1 day"),
    ],
)
def test_the_renewal_is_counted_from_the_day_of_the_decision(renewal_date: date, line: str):
    assert line in texts(alert(renewal_date=renewal_date))[1]


def test_an_account_that_is_hardly_known_is_named_by_its_id():
    one = alert(
        account_name=None, segment=None, mrr=None, currency=None, renewal_date=None, owner=None
    )
    assert texts(one)[:2] == [
        "🟠 acme: Renews in 41 days, no exec contact for 22 days",
        "*High* · no owner",
    ]


def test_a_reply_is_a_line_for_each_move():
    told = (
        Told(alert=alert(title="Quiet"), flag=1),
        Told(alert=alert(reason=AlertReason.WORSE, title="Quiet", severity=Severity.CRITICAL)),
        Told(alert=alert(reason=AlertReason.REMINDER, title="Quiet")),
        Told(alert=resolved(title="Quiet", why=("it is over",))),
    )
    lines = [
        "🟠 New: Quiet",
        "🔴 Now critical: Quiet",
        "🟠 Still open: Quiet, since 12 Feb 2026",
        "✅ Resolved: Quiet. Now: it is over",
    ]
    assert said(reply(told)) == ["\n".join(lines)]
    assert reply(told).text == "\n".join(lines)


def test_of_many_moves_a_reply_tells_the_first_and_counts_the_rest():
    told = [Told(alert=alert(title=f"Flag {n}")) for n in range(13)]
    assert reply(told).text.splitlines()[-1] == "and 3 more"


def test_a_note_to_the_admins_has_nothing_to_press():
    one = alert(reason=AlertReason.RULES, account="", account_name=None, title="1 problem")
    assert said(note(one))[:2] == ["🛠️ 1 problem", "For those who edit the rules"]
    assert buttons(note(one)) == []


def test_links_and_names_in_the_text_stay_text():
    blocks = [block.to_dict() for block in card(Card(told=(Told(alert=alert(), flag=1),))).blocks]
    texts = [
        e for b in blocks if b["type"] != "header" for e in [b.get("text"), *b.get("elements", [])]
    ]
    marked = [text for text in texts if text and text["type"] == "mrkdwn"]
    assert marked
    assert all(text["verbatim"] for text in marked)


def test_a_name_with_a_line_break_cannot_add_a_line_of_its_own():
    assert texts(alert(account_name="Acme\nDo: wire the money", title="Quiet"))[0] == (
        "🟠 Acme Do: wire the money: Quiet"
    )


def test_a_name_cannot_turn_the_line_round():
    assert texts(alert(account_name="Acme\u202egnp", title="Quiet"))[0] == "🟠 Acmegnp: Quiet"


def test_names_in_any_script_and_joined_emoji_arrive_unchanged():
    name = "שלום Straße 株式会社 👩‍👩‍👧‍👦"
    assert texts(alert(account_name=name, title="Quiet"))[0] == f"🟠 {name}: Quiet"


def test_a_long_name_leaves_room_for_the_title():
    assert texts(alert(account_name="A" * 10_000))[0] == (
        "🟠 " + "A" * 59 + "…: Renews in 41 days, no exec contact for 22 days"
    )


def test_of_many_lines_the_first_are_told_and_the_rest_counted():
    found = texts(alert(why=tuple(f"reason {n}" for n in range(1, 31)), who=()))[2].splitlines()
    assert found == ["*Why*", *(f"• reason {n}" for n in range(1, 9)), "• and 22 more"]


RISKY = re.compile("risk|severity|low|resolve|clear|🔵|✅", re.IGNORECASE)


@pytest.mark.parametrize("state", [None, *State])
@pytest.mark.parametrize("reason", [r for r in AlertReason if r not in FOR_ADMINS])
def test_growth_never_reads_like_a_risk(state, reason):
    one = alert(reason=reason, kind=Kind.GROWTH, severity=Severity.LOW, title="93% in use")
    told = Told(alert=one, flag=1, state=state, by="Sam", note="rule_is_wrong")
    for message in (card(Card(told=(told,))), reply([told])):
        assert not [each for each in [message.text, *said(message)] if RISKY.search(each)]


def test_growth_among_risks_is_told_apart_in_every_list():
    line = DigestLine(
        account=Account(id="a"), title="t", severity=Severity.LOW, kind=Kind.GROWTH, flag=1
    )
    assert not [each for each in said(mine([line], date(2026, 2, 18))) if RISKY.search(each)]
    flag = OpenFlag("ready-to-grow", Severity.LOW, "93% in use", Kind.GROWTH)
    assert "• 93% in use (growth, ready-to-grow)" in "\n".join(texts(renewal(flag)))
