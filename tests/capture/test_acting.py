"""Acting in Slack: from a click to the flag, and what whoever clicked gets to see."""

import pytest
from sqlalchemy import insert

from tests.capture.conftest import NOW, D, Office
from tests.capture.workspace import Call, chosen, wait_until
from tests.pipeline import alerts, event, rows, take_in
from worker.core.alerts import AlertReason
from worker.slack.actions import option_value
from worker.store import tables
from worker.store.database import writing


def opened(office: Office, action: str, user: str = "USAM") -> Call:
    """The window that a button opens."""
    assert office.person(user).press(f"{action}/{office.flag}").status == 200
    return office.slack.made("views.open")[-1]


def heard(office: Office, number: int = 1) -> str:
    """What they were told last, that nobody else sees."""
    call = office.slack.made("respond", number)[-1]
    assert call.body["response_type"] == "ephemeral"
    assert call.body["replace_original"] is False
    return str(call.body["text"])


def test_acknowledge_moves_the_flag_says_so_and_has_it_shown(office):
    office.person("USAM").press(f"acknowledge/{office.flag}")
    assert heard(office).startswith("Acknowledged")
    assert office.state == "acknowledged"
    assert office.deliveries == [NOW]


@pytest.mark.parametrize(
    ("span", "until", "says"),
    [
        ("1_day", None, "Snoozed until 19 Feb 2026"),
        ("1_week", None, "Snoozed until 25 Feb 2026"),
        ("until_date", "2026-03-20", "Snoozed until 20 Mar 2026"),
        ("until_exec_contact", None, "Snoozed until the next contact with an executive"),
    ],
)
def test_a_snooze_lasts_for_as_long_as_was_chosen(office, span, until, says):
    window = opened(office, "snooze")
    answer = office.person("USAM").submit(
        window,
        snooze_for=chosen(span),
        until={"selected_date": until},
        note={"value": "on holiday"},
    )
    assert (answer.status, answer.body) == (200, b"")
    assert heard(office).startswith(says)
    assert office.state == "snoozed"
    (kept,) = office.answers
    assert (kept["action"], kept["reason"], kept["note"]) == ("snooze", span, "on holiday")


@pytest.mark.parametrize("until", [None, "2026-02-18", "2025-12-31", "2027-06-01"])
def test_a_date_that_will_not_do_is_said_in_the_window(office, until):
    window = opened(office, "snooze")
    answer = office.person("USAM").submit(
        window, snooze_for=chosen("until_date"), until={"selected_date": until}
    )
    assert answer.json["response_action"] == "errors"
    assert list(answer.json["errors"]) == ["until"]
    assert (office.state, office.answers) == ("open", [])


def test_a_renewal_that_is_not_known_cannot_be_waited_for(office):
    window = opened(office, "snooze")
    office.person("USAM").submit(window, snooze_for=chosen("until_renewal"))
    assert "choose a date" in heard(office)
    assert office.state == "open"


@pytest.mark.parametrize(
    "reason", ["wrong_data", "not_an_exec", "known_and_handled", "rule_is_wrong"]
)
def test_not_a_risk_is_kept_with_its_reason(office, reason):
    window = opened(office, "not_a_risk")
    office.person("USAM").submit(window, reason=chosen(reason))
    assert heard(office).startswith("Dismissed; you hear of it again if it still holds on ")
    assert office.state == "dismissed"
    assert [row["reason"] for row in office.answers] == [reason]


def test_a_note_that_breaks_off_within_an_emoji_is_kept_but_for_that(office):
    window = opened(office, "not_a_risk")
    person = office.person("USAM")
    person.submit(window, reason=chosen("known_and_handled"), note={"value": "ok \ud83d\x00"})
    assert heard(office).startswith("Dismissed")
    assert [row["note"] for row in office.answers] == ["ok \ufffd\ufffd"]


def test_a_window_that_is_submitted_twice_counts_once(office):
    window = opened(office, "not_a_risk")
    for number in (1, 2):
        person = office.person("USAM")
        person.submit(window, "V9", reason=chosen("wrong_data"))
        heard(office, number)
    assert len(office.answers) == 1


def test_what_is_assigned_is_told_to_them_and_theirs_to_answer(office):
    window = opened(office, "assign")
    office.person("USAM").submit(window, assignee=chosen(option_value("lee")))
    assert "lee" in heard(office)
    assert alerts(office.engine)[-1].reason is AlertReason.ASSIGNED
    office.person("ULEE").press(f"acknowledge/{office.flag}")
    assert heard(office, 2).startswith("Acknowledged")
    assert office.state == "acknowledged"


def test_of_many_reps_those_are_offered_who_fit_what_is_typed(office):
    with writing(office.engine) as db:
        named = [{"rep": f"r{n}", "name": f"Rep {n}", "email": f"{n}@x.com"} for n in range(150)]
        db.execute(insert(tables.reps), named)
    window = opened(office, "assign")
    sam = office.person("USAM")
    assert len(sam.type(window, "assignee", "").json["options"]) == 100
    (found,) = sam.type(window, "assignee", "rep 149").json["options"]
    assert found["text"]["text"] == "Rep 149"
    assert sam.type(window, "assignee", "nobody").json["options"] == []
    assert office.person("UGUEST").type(window, "assignee", "").json["options"] == []
    sam.submit(window, assignee={"selected_option": {"value": found["value"]}})
    assert heard(office).startswith("Given to r149")


def test_of_many_contacts_those_are_offered_who_fit_what_is_typed(office):
    many = (event("contact", D, contact=f"c{n}", name=f"Person {n}") for n in range(150))
    take_in(office.engine, office.book, D, *many)
    window = opened(office, "fix_contact")
    (found,) = office.person("USAM").type(window, "contact", "person 149").json["options"]
    assert found["value"] == "c149"


def test_a_contact_is_put_right_by_an_event_and_the_rules_look_again(office):
    assert {row["rule"]: row["state"] for row in rows(office.engine, tables.flags)} == {
        "silence": "open",
        "no-exec": "open",
    }
    window = opened(office, "fix_contact")
    answer = office.person("USAM").submit(
        window, "V7", contact=chosen(option_value("dana")), level=chosen("vp")
    )
    assert answer.status == 200
    assert heard(office) == "Noted. dana: level: vp."
    assert {row["rule"]: row["state"] for row in rows(office.engine, tables.flags)} == {
        "silence": "open",
        "no-exec": "resolved",
    }
    (kept,) = [row for row in rows(office.engine, tables.events) if row["source"] == "slack"]
    assert (kept["id"], kept["type"], kept["account"]) == ("window/V7", "contact", "acme")
    office.person("USAM").submit(
        window, "V7", contact=chosen(option_value("dana")), level=chosen("vp")
    )
    heard(office, 2)
    assert len(office.answers) == 1


def test_a_contact_who_has_left_is_marked_so(office):
    window = opened(office, "fix_contact")
    office.person("USAM").submit(
        window,
        contact=chosen(option_value("dana")),
        left={"selected_options": [{"value": "left"}]},
    )
    assert heard(office) == "Noted. dana: left: yes."
    assert [row["gone"] for row in rows(office.engine, tables.contacts)] == [True]


@pytest.mark.parametrize(
    "fields",
    [
        {"contact": chosen(option_value("dana"))},
        {"contact": chosen("nobody"), "level": chosen("vp")},
        {"contact": chosen(option_value("dana")), "level": chosen("king")},
    ],
)
def test_a_fix_that_fixes_nothing_changes_nothing(office, fields):
    window = opened(office, "fix_contact")
    office.person("USAM").submit(window, **fields)
    assert heard(office)
    assert office.answers == []
    assert [row["level"] for row in rows(office.engine, tables.contacts)] == [None]


@pytest.mark.parametrize("action", ["acknowledge", "snooze", "not_a_risk", "assign", "fix_contact"])
def test_who_may_not_answer_is_told_who_may_and_gets_no_window(office, action):
    office.person("ULEE").press(f"{action}/{office.flag}")
    assert heard(office) == "Only Sam Ito or Kim Wu may answer this flag."
    assert [call.method for call in office.slack.calls] == ["respond"]
    assert (office.state, office.answers) == ("open", [])


@pytest.mark.parametrize(
    ("profile", "known"),
    [
        ({"team_id": "T1"}, True),
        ({"team_id": "T2"}, False),
        ({"team_id": "T1", "deleted": True}, False),
        ({"team_id": "T1", "is_bot": True}, False),
    ],
)
def test_a_rep_without_a_slack_user_is_recognised_by_e_mail_within_the_workspace(
    office, profile, known
):
    office.slack.people["UKIM"] = {"profile": {"email": "kim@Example.com"}} | profile
    for number in (1, 2):
        office.person("UKIM").press(f"acknowledge/{office.flag}")
        heard(office, number)
    assert office.state == ("acknowledged" if known else "open")
    looked_up = [call for call in office.slack.calls if call.method == "users.info"]
    assert len(looked_up) == (1 if known else 2)


def test_why_opens_at_once_and_then_explains(office):
    office.person("USAM").press(f"why/{office.flag}")
    (waiting,), (filled,) = office.slack.made("views.open"), office.slack.made("views.update")
    assert "Looking" in waiting.said
    assert filled.body["view_id"]
    assert "last contact: 6 days ago (over 5 days)" in filled.said


def test_an_accounts_card_shows_its_ties_its_last_contacts_and_what_is_open(office):
    for words in ("acme", "ACME <corp>", " ACME &lt;corp&gt; "):
        office.person("USAM").command(words)
    by_id, *by_name = office.slack.made("respond", 3)
    assert [call.body["blocks"] for call in by_name] == [by_id.body["blocks"]] * 2
    for part in ("Acme &lt;Corp&gt;", "Dana Ruiz", "No contact for 6 days", "Sam Ito"):
        assert part in by_id.said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("", "/tiewatch mine"),
        ("help", "/tiewatch mine"),
        ("acm", "no account"),
        ("\x00", "no account"),
    ],
)
def test_a_command_that_cannot_be_done_says_what_can(office, words, says):
    assert office.person("USAM").command(words).status == 200
    assert says in heard(office)


def test_mine_lists_the_flags_that_are_mine_to_answer(office):
    office.person("USAM").command("mine")
    assert "No contact for 6 days" in office.slack.made("respond")[-1].said
    with writing(office.engine) as db:
        db.execute(tables.flags.update().values(assignee="lee"))
    office.person("USAM").command("mine")
    assert "No contact" not in office.slack.made("respond", 2)[-1].said
    office.person("ULEE").command("mine")
    assert "No contact for 6 days" in office.slack.made("respond", 3)[-1].said


@pytest.mark.parametrize("words", ["mine", "acme"])
def test_a_guest_is_shown_nothing(office, words):
    office.person("UGUEST").command(words)
    assert "does not know you" in heard(office)


@pytest.mark.parametrize("action", ["why", "account"])
def test_a_guest_is_explained_nothing(office, action):
    subject = "acme" if action == "account" else office.flag
    office.person("UGUEST").press(f"{action}/{subject}")
    assert "does not know you" in heard(office)


def test_home_shows_my_accounts_my_flags_and_what_changed(office):
    assert office.person("USAM").open_home().status == 200
    (shown,) = office.slack.made("views.publish")
    assert shown.body["user_id"] == "USAM"
    for part in ("Acme &lt;Corp&gt;", "No contact for 6 days"):
        assert part in shown.said


def test_an_answer_given_in_home_is_shown_there(office):
    person = office.person("USAM")
    at_home = {"view": {"type": "home", "id": "V1"}, "container": {"type": "view", "view_id": "V1"}}
    click = person.click(f"acknowledge/{office.flag}") | at_home
    del click["response_url"]
    person.send(click)
    office.slack.made("views.publish")
    assert office.state == "acknowledged"


def test_home_of_a_stranger_shows_nobodys_accounts(office):
    office.person("UGUEST").open_home()
    (shown,) = office.slack.made("views.publish")
    assert "Acme" not in shown.said


def test_a_flag_that_is_over_is_said_to_be(office):
    flag = office.flag
    take_in(office.engine, office.book, D, event("account", D, name="Acme", lifecycle="active"))
    with writing(office.engine) as db:
        db.execute(tables.flags.update().values(state="resolved", resolved_on=D))
    for number, action in enumerate(("acknowledge", "snooze"), start=1):
        office.person("USAM").press(f"{action}/{flag}")
        assert "flag" in heard(office, number)
    assert office.answers == []


@pytest.mark.parametrize("value", ["", "link", "acknowledge/x", "acknowledge/", "dance/1", "why/"])
def test_a_button_that_means_nothing_is_acknowledged_and_that_is_all(office, value):
    assert office.person("USAM").press(value).status == 200
    assert office.state == "open"


def test_an_answer_has_every_conversation_on_the_account_shown_again(office):
    with writing(office.engine) as db:
        db.execute(
            insert(tables.conversations).values(
                account="acme",
                recipient="rep:sam",
                address="USAM",
                channel="D1",
                root_ts="1.1",
                begun_at=NOW,
            )
        )
    office.person("USAM").press(f"acknowledge/{office.flag}")
    wait_until(lambda: bool(rows(office.engine, tables.messages)))
    (message,) = rows(office.engine, tables.messages)
    assert (message["recipient"], message["kind"]) == ("rep:sam", "update")
