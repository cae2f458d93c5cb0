"""HubSpot's exports: of its interface, of its API, and of a warehouse."""

from tests.importing.files import document, events, short, table, taken


def test_companies_of_a_view(tmp_path):
    kind, found = events(
        table(
            tmp_path / "all-companies.csv",
            {
                "Record ID": "501",
                "Company name": "Acme",
                "Company owner": "Sam Lee",
                "Create Date": "2024-02-01 09:30",
                "Last Modified Date": "2026-05-01 10:00",
                "Company Domain Name": "acme.example",
                "Annual Recurring Revenue": "$24,000.00",
                "Renewal Date": "2026-09-30",
            },
        )
    )
    assert kind == "hubspot-companies"
    assert [short(one) for one in found] == [
        ("account", "501", "2024-02-01", {"name": "Acme"}),
        (
            "account",
            "501",
            "2026-05-01",
            {
                "name": "Acme",
                "owner": "Sam Lee",
                "mrr": 2000,
                "renewal_date": "2026-09-30",
                "domains": ["acme.example"],
            },
        ),
    ]


def test_companies_of_a_warehouse_without_those_deleted(tmp_path):
    kind, found = events(
        table(
            tmp_path / "company.csv",
            {"id": "7", "is_deleted": "false", "property_name": "Acme",
             "property_createdate": "2024-02-01 9:30:00", "property_hubspot_owner_id": "42"},
            {"id": "8", "is_deleted": "TRUE", "property_name": "Gone",
             "property_createdate": "2024-02-01 9:30:00"},
        )
    )  # fmt: skip
    assert kind == "hubspot-companies"
    assert {one["subject"] for one in found} == {"7"}
    assert found[1]["data"] == {"name": "Acme", "owner": "42"}


def test_contacts_belong_to_their_first_company_and_those_of_none_are_left_out(tmp_path):
    kind, rows = taken(
        table(
            tmp_path / "contacts.csv",
            {"Record ID": "9", "First Name": "Dana", "Last Name": "Ruiz", "Job Title": "CIO",
             "Email": "Dana@Acme.example", "Associated Company IDs": "501;502",
             "Last Modified Date": "2026-05-01 10:00"},
            {"Record ID": "10", "First Name": "", "Last Name": "Lost",
             "Last Modified Date": "2026-05-01 10:00"},
        )
    )  # fmt: skip
    assert kind == "hubspot-contacts"
    [one] = rows[0].events
    assert (one["subject"], one["tiewatchmember"]) == ("501", "9")
    assert one["data"] == {
        **{"contact": "9", "name": "Dana Ruiz", "title": "CIO", "emails": ["dana@acme.example"]},
    }
    assert (rows[1].events, rows[1].left_out) == ((), "the mapping skips it")


def test_deals_that_are_won_are_terms_and_others_are_not(tmp_path):
    deal = {"Record ID": "1", "Deal Name": "Acme 2026", "Deal Stage": "Closed won (Sales Pipeline)",
            "Close Date": "2026-01-15 12:00", "Amount": "12000",
            "Associated Company IDs": "500;501", "Associated Company IDs (Primary)": "501",
            "Contract End Date": "2027-01-15", "Seats": "40"}  # fmt: skip
    lost = deal | {"Record ID": "2", "Deal Stage": "Closed lost"}
    kind, found = events(table(tmp_path / "deals.csv", deal, lost))
    assert kind == "hubspot-deals"
    [one] = found
    assert short(one) == (
        "subscription",
        "501",
        "2026-01-15",
        {
            **{"subscription": "main", "status": "started", "mrr": 1000, "seats": 40},
            **{"term_start": "2026-01-15", "term_end": "2027-01-15"},
        },
    )


def test_deals_of_the_api_in_a_document(tmp_path):
    deal = {
        "id": "77",
        "properties": {"dealname": "A", "dealstage": "closedwon", "amount": "1200",
                       "closedate": "2026-01-15T00:00:00Z"},
        "associations": {"companies": {"results": [{"id": "501", "type": "deal_to_company"}]}},
    }  # fmt: skip
    kind, [one] = events(document(tmp_path / "deals.json", {"paging": {}, "results": [deal]}))
    assert kind == "hubspot-deals"
    assert (one["subject"], one["data"]["mrr"]) == ("501", 100)


def test_tickets_open_and_close(tmp_path):
    kind, found = events(
        table(
            tmp_path / "tickets.csv",
            {"Ticket ID": "3", "Ticket name": "Slow", "Ticket status": "Closed", "Priority": "HIGH",
             "Create date": "2026-02-01 08:00", "Close date": "2026-02-03 08:00",
             "Associated Company IDs": "501", "Associated Contact IDs": "9"},
        )
    )  # fmt: skip
    assert kind == "hubspot-tickets"
    assert [short(one) for one in found] == [
        ("ticket", "501", "2026-02-01", {"ticket": "3", "status": "opened", "priority": "high"}),
        ("ticket", "501", "2026-02-03", {"ticket": "3", "status": "resolved"}),
    ]


def test_calls_meetings_and_mails_are_interactions_and_what_is_to_come_is_not(tmp_path):
    people = {"Activity assigned to": "Sam Lee", "Associated Contact IDs": "9;11",
              "Associated Company IDs": "501"}  # fmt: skip
    calls = [
        {"Record ID": "1", "Call title": "Hello", "Call outcome": "Connected",
         "Activity date": "2026-02-01 08:00", **people},
        {"Record ID": "2", "Call title": "Hello", "Call outcome": "No answer",
         "Activity date": "2026-02-01 08:00", **people},
    ]  # fmt: skip
    kind, found = events(table(tmp_path / "calls.csv", *calls))
    assert kind == "hubspot-calls"
    assert [short(one)[3] for one in found] == [
        {"channel": "call", "reps": ["Sam Lee"], "contacts": ["9", "11"]}
    ]
    meetings = [
        {"Record ID": "3", "Meeting name": "QBR", "Meeting start time": when,
         "Meeting outcome": outcome, **people}
        for when, outcome in (
            ("2026-03-01 08:00", "Completed"), ("2026-03-02 08:00", "No Show"),
            ("2026-03-03 08:00", "Canceled"), ("2026-06-02 08:00", "Scheduled"),
        )
    ]  # fmt: skip
    kind, rows = taken(table(tmp_path / "meetings.csv", *meetings))
    assert kind == "hubspot-meetings"
    assert [[one["data"].get("status") for one in row.events] for row in rows] == [
        [None], ["no_show"], [], [],
    ]  # fmt: skip
    assert [row.left_out for row in rows] == [
        *(None, None, "nothing in the mapping is for it", "it is still to come"),
    ]
    mails = [
        {"Record ID": str(n), "Email direction": way, "Activity date": "2026-03-01 08:00", **people}
        for n, way in enumerate(("Incoming email", "Outgoing email"))
    ]
    kind, found = events(table(tmp_path / "mails.csv", *mails))
    assert kind == "hubspot-emails"
    assert [one["data"]["direction"] for one in found] == ["inbound", "outbound"]


def test_owners_are_reps(tmp_path):
    owner = {"owner_id": "42", "portal_id": "1", "email": "SAM@ours.example",
             "first_name": "Sam", "last_name": "Lee", "updated_at": "2026-01-01 00:00"}  # fmt: skip
    kind, [one] = events(table(tmp_path / "owner.csv", owner))
    assert (kind, one["data"]) == (
        "hubspot-owners",
        {"rep": "42", "name": "Sam Lee", "email": "sam@ours.example"},
    )


NO_ANSWER, QUALIFIED = "73a0d17f-1163-4015-bdd5-ec830791da20", "one of the portal's own"


def activity(**properties: str) -> dict[str, object]:
    """One of the API's activities of a contact."""
    return {
        "id": "5",
        "properties": {"hs_timestamp": "2026-02-01T08:00:00Z", "hubspot_owner_id": "42"}
        | properties,
        "associations": {
            "companies": {"results": [{"id": "501"}]},
            "contacts": {"results": [{"id": "9"}, {"id": "11"}]},
        },
    }


def test_a_call_of_the_api_that_nobody_answered_is_no_contact(tmp_path):
    calls = [
        activity(hs_call_title="Hello", hs_call_disposition=outcome)
        for outcome in ("", QUALIFIED, NO_ANSWER)
    ]
    kind, rows = taken(document(tmp_path / "calls.json", {"results": calls}))
    assert kind == "hubspot-calls"
    assert [len(row.events) for row in rows] == [1, 1, 0]
    assert rows[0].events[0]["data"]["contacts"] == ["9", "11"]


def test_a_mail_of_the_api_says_which_way_it_went_or_is_left_out(tmp_path):
    mails = [
        activity(hs_email_direction=way)
        for way in ("INCOMING_EMAIL", "EMAIL", "FORWARDED_EMAIL", "")
    ]
    kind, rows = taken(document(tmp_path / "mails.json", {"results": mails}))
    assert kind == "hubspot-emails"
    ways = [[one["data"]["direction"] for one in row.events] for row in rows]
    assert ways == [["inbound"], ["outbound"], ["outbound"], []]
