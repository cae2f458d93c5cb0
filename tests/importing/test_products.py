"""Exports of Salesforce, Zendesk and Intercom: what their records become."""

import pytest

from tests.importing.files import document, events, short, table, taken

SALESFORCE = [
    (
        "salesforce-accounts",
        {"Id": "001A", "Name": "Acme", "OwnerId": "005S", "Website": "https://www.acme.example/",
         "ParentId": "001P", "CreatedDate": "2023-01-02T03:04:05.000+0000",
         "LastModifiedDate": "2026-05-01T00:00:00.000+0000", "ARR__c": "24000",
         "Renewal_Date__c": "2026-09-30"},
        [
            ("account", "001A", "2023-01-02", {"name": "Acme"}),
            ("account", "001A", "2026-05-01", {
                "name": "Acme", "owner": "005S", "mrr": 2000, "renewal_date": "2026-09-30",
                "domains": ["acme.example"], "parent": "001P"}),
        ],
    ),
    (
        "salesforce-accounts",
        {"Account ID": "001A", "Account Name": "Acme", "Account Owner": "Sam Lee"},
        [("account", "001A", "2026-05-31", {"name": "Acme", "owner": "Sam Lee"})],
    ),
    (
        "salesforce-contacts",
        {"Id": "003D", "AccountId": "001A", "FirstName": "Dana", "LastName": "Ruiz",
         "Email": "dana@acme.example", "Title": "CIO", "No_Longer_at_Company__c": "true",
         "LastModifiedDate": "2026-05-01T00:00:00.000+0000"},
        [("contact", "001A", "2026-05-01", {
            "contact": "003D", "name": "Dana Ruiz", "title": "CIO",
            "emails": ["dana@acme.example"], "left": True})],
    ),
    (
        "salesforce-users",
        {"Id": "005S", "Username": "sam@ours", "Email": "sam@ours.example", "IsActive": "false",
         "FirstName": "Sam", "LastName": "Lee", "TimeZoneSidKey": "Europe/Berlin",
         "ManagerId": "005M", "AccountId": "", "SystemModstamp": "2026-05-01T00:00:00.000+0000"},
        [
            ("rep", None, "2026-05-01", {
                "rep": "005S", "name": "Sam Lee", "email": "sam@ours.example",
                "timezone": "Europe/Berlin", "manager": "005M"}),
            ("rep", None, "2026-05-01", {"rep": "005S", "left": True}),
        ],
    ),
    (
        "salesforce-opportunities",
        {"Id": "006A", "AccountId": "001A", "StageName": "7 - Signed", "IsWon": "true",
         "CloseDate": "2026-01-15", "Amount": "12000.0", "CurrencyIsoCode": "EUR"},
        [("subscription", "001A", "2026-01-15", {
            "subscription": "main", "status": "started", "mrr": 1000, "currency": "EUR",
            "term_start": "2026-01-15"})],
    ),
    (
        "salesforce-opportunities",
        {"Opportunity ID": "006A", "Account ID": "001A", "Stage": "Closed Lost",
         "Close Date": "2026-01-15"},
        [],
    ),
    (
        "salesforce-contracts",
        {"Id": "800A", "AccountId": "001A", "ContractNumber": "1", "StartDate": "2026-01-01",
         "EndDate": "2026-12-31", "Status": "Activated", "Seats__c": "40.0"},
        [("subscription", "001A", "2026-01-01", {
            "subscription": "800A", "status": "started", "seats": 40,
            "term_start": "2026-01-01", "term_end": "2026-12-31"})],
    ),
    (
        "salesforce-cases",
        {"Id": "500A", "CaseNumber": "1", "AccountId": "001A", "ContactId": "003D",
         "Status": "Closed", "Priority": "High", "IsEscalated": "false",
         "CreatedDate": "2026-02-01T00:00:00.000+0000",
         "ClosedDate": "2026-02-03T00:00:00.000+0000"},
        [
            ("ticket", "001A", "2026-02-01", {
                "ticket": "500A", "status": "opened", "priority": "high"}),
            ("ticket", "001A", "2026-02-03", {"ticket": "500A", "status": "resolved"}),
        ],
    ),
    (
        "salesforce-tasks",
        {"Id": "00TA", "WhoId": "003D", "OwnerId": "005S", "AccountId": "001A",
         "ActivityDate": "2026-02-01", "TaskSubtype": "Email", "IsClosed": "true"},
        [("interaction", "001A", "2026-02-01", {
            "channel": "email", "direction": "outbound", "reps": ["005S"], "contacts": ["003D"]})],
    ),
    (
        "salesforce-tasks",
        {"Id": "00TA", "WhoId": "00QL", "OwnerId": "005S", "AccountId": "",
         "ActivityDate": "2026-02-01", "TaskSubtype": "Call", "IsClosed": "true"},
        [],
    ),
    (
        "salesforce-events",
        {"Id": "00UA", "WhoId": "003D", "OwnerId": "005S", "AccountId": "001A",
         "StartDateTime": "2026-02-01T09:00:00.000+0000", "DurationInMinutes": "60",
         "IsChild": "false", "Type": "Meeting"},
        [("interaction", "001A", "2026-02-01", {
            "channel": "meeting", "reps": ["005S"], "contacts": ["003D"],
            "duration_minutes": 60})],
    ),
    (
        "salesforce-events",
        {"Id": "00UB", "WhoId": "003D", "OwnerId": "005S", "AccountId": "001A",
         "StartDateTime": "2026-02-01T09:00:00.000+0000", "DurationInMinutes": "60",
         "IsChild": "true", "Type": "Meeting"},
        [],
    ),
]  # fmt: skip
ZENDESK = [
    (
        "zendesk-organizations",
        {"id": 37, "name": "Acme", "shared_tickets": False, "shared_comments": False,
         "domain_names": ["acme.example"], "created_at": "2023-01-02T00:00:00Z",
         "updated_at": "2026-05-01T00:00:00Z"},
        [
            ("account", "37", "2023-01-02", {"name": "Acme"}),
            ("account", "37", "2026-05-01", {"name": "Acme", "domains": ["acme.example"]}),
        ],
    ),
    (
        "zendesk-users",
        {"id": 9, "name": "Dana", "email": "dana@acme.example", "role": "end-user",
         "organization_id": 37, "updated_at": "2026-05-01T00:00:00Z"},
        [("contact", "37", "2026-05-01", {
            "contact": "9", "name": "Dana", "emails": ["dana@acme.example"]})],
    ),
    (
        "zendesk-users",
        {"id": 5, "name": "Sam", "email": "sam@ours.example", "role": "agent",
         "organization_id": None, "updated_at": "2026-05-01T00:00:00Z"},
        [("rep", None, "2026-05-01", {"rep": "5", "name": "Sam", "email": "sam@ours.example"})],
    ),
    (
        "zendesk-tickets",
        {"id": 3, "requester_id": 9, "submitter_id": 9, "organization_id": None,
         "status": "closed", "priority": "urgent", "type": "incident",
         "created_at": "2026-02-01T00:00:00Z", "updated_at": "2026-02-09T00:00:00Z",
         "metric_set": {"solved_at": "2026-02-03T00:00:00Z"}},
        [
            ("ticket", None, "2026-02-01", {
                "ticket": "3", "status": "opened", "priority": "urgent", "topic": "incident"}),
            ("ticket", None, "2026-02-03", {"ticket": "3", "status": "resolved"}),
        ],
    ),
    (
        "zendesk-tickets",
        {"Summation column": "1", "Id": "3", "Requester": "Dana", "Requester id": "9",
         "Status": "Closed", "Priority": "Urgent", "Ticket type": "Incident",
         "Created at": "2026-02-01 10:00", "Updated at": "2026-02-09 10:00",
         "Organization": "Acme", "Solved at": "2026-02-03 10:00"},
        [
            ("ticket", None, "2026-02-01", {
                "ticket": "3", "status": "opened", "priority": "urgent", "topic": "incident"}),
            ("ticket", None, "2026-02-03", {"ticket": "3", "status": "resolved"}),
        ],
    ),
]  # fmt: skip
INTERCOM = [
    (
        "intercom-companies",
        {"id": "5f", "company_id": "acme", "name": "Acme", "monthly_spend": 2000,
         "website": "acme.example", "created_at": 1672617600, "updated_at": 1777593600},
        [
            ("account", "acme", "2023-01-02", {"name": "Acme"}),
            ("account", "acme", "2026-05-01", {
                "name": "Acme", "mrr": 2000, "domains": ["acme.example"]}),
        ],
    ),
    (
        "intercom-contacts",
        {"Name": "Dana", "Email": "dana@acme.example", "User ID": "9", "Company ID": "acme",
         "Last seen": "2026-05-01 10:00:00 UTC"},
        [("contact", "acme", "2026-05-31", {
            "contact": "9", "name": "Dana", "emails": ["dana@acme.example"]})],
    ),
    (
        "intercom-admins",
        {"id": "42", "name": "Sam", "email": "sam@ours.example", "job_title": "CSM"},
        [("rep", None, "2026-05-31", {"rep": "42", "name": "Sam", "email": "sam@ours.example"})],
    ),
    (
        "intercom-conversations",
        {"id": "8", "created_at": 1769904000, "updated_at": 1770076800, "state": "closed",
         "priority": "priority", "admin_assignee_id": 42,
         "source": {"author": {"type": "user", "id": "9"}},
         "contacts": {"contacts": [{"id": "9"}]},
         "statistics": {"last_close_at": 1770076800}},
        [
            ("ticket", None, "2026-02-01", {
                "ticket": "8", "status": "opened", "priority": "priority"}),
            ("ticket", None, "2026-02-03", {"ticket": "8", "status": "resolved"}),
            ("interaction", None, "2026-02-01", {
                "channel": "chat", "direction": "inbound", "reps": ["42"], "contacts": ["9"]}),
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "record", "expected"), [*SALESFORCE, *ZENDESK, *INTERCOM])
def test_what_a_record_becomes(tmp_path, kind, record, expected):
    for write, name in ((document, "a.json"), (table, "a.csv")):
        if write is table and any(isinstance(value, dict | list) for value in record.values()):
            continue
        file = (
            write(tmp_path / name, [record])
            if write is document
            else write(tmp_path / name, record)
        )
        known, found = events(file)
        assert known == kind
        assert [short(one) for one in found] == expected


def test_who_asks_for_help_names_the_account_where_the_ticket_does_not(tmp_path):
    record = next(record for kind, record, _ in ZENDESK if kind == "zendesk-tickets")
    _, found = events(document(tmp_path / "a.json", {"tickets": [record], "count": 1}))
    assert {one["tiewatchmember"] for one in found} == {"9"}


def test_columns_of_a_warehouse_and_of_the_interface_are_the_same(tmp_path):
    ours = {"Id": "003D", "AccountId": "001A", "LastName": "Ruiz", "Email": "d@a.example"}
    theirs = {"id": "003D", "account_id": "001A", "last_name": "Ruiz", "email": "d@a.example"}
    shown = {
        "Contact ID": "003D",
        "Account ID": "001A",
        "Last Name": "Ruiz",
        "Email": "d@a.example",
    }
    found = [events(table(tmp_path / "a.csv", record)) for record in (ours, theirs, shown)]
    assert found[0] == found[1] == found[2]


def test_the_same_record_is_the_same_event_and_a_changed_one_another(tmp_path):
    case = dict(SALESFORCE[8][1])
    [(_, first)] = [events(table(tmp_path / "a.csv", case))]
    [(_, again)] = [events(table(tmp_path / "a.csv", case))]
    assert first == again
    user = dict(SALESFORCE[3][1])
    ids = {
        one["id"]
        for name in ("Sam", "Samuel")
        for one in events(table(tmp_path / "b.csv", user | {"FirstName": name}))[1]
        if "left" not in one["data"]
    }
    assert len(ids) == 2


def test_leads_are_not_taken_for_accounts(tmp_path):
    account = {"Id": "001A", "Name": "Acme", "OwnerId": "005S", "Website": "acme.example"}
    assert events(table(tmp_path / "a.csv", account))[0] == "salesforce-accounts"
    lead = account | {"Company": "Acme", "IsConverted": "false"}
    assert events(table(tmp_path / "a.csv", lead)) == ("salesforce-leads", [])


def test_an_id_that_a_spreadsheet_has_shortened_is_not_taken_for_another_ones(tmp_path):
    user = SALESFORCE[3][1] | {"Id": "1.23457E+14", "Notes": "1.23457E+14"}
    _, [row] = taken(table(tmp_path / "a.csv", user))
    [fault] = row.faults
    assert (fault.column, row.events) == ("Id", ())
    assert "what a spreadsheet leaves of a long number" in fault.problem
    assert taken(table(tmp_path / "a.csv", user | {"Id": "E+1.2E+14"}))[1][0].faults == ()


def test_a_row_with_a_problem_is_refused_whole_and_its_column_named(tmp_path):
    bad = SALESFORCE[0][1] | {"ARR__c": "a lot", "CreatedDate": "last year", "Notes": "private"}
    _, [row] = taken(table(tmp_path / "a.csv", bad))
    assert row.events == ()
    assert [(fault.column, fault.problem[:30]) for fault in row.faults] == [
        ("CreatedDate", "'time' must be a time like 202"),
        ("ARR__c", "'mrr' must be a number, 0 or m"),
    ]
    assert row.refused is not None
    assert row.refused.way == "imports/salesforce-accounts"
    assert '(in "a.csv:2:ARR__c")' in row.refused.problems[1]
    assert "a lot" in row.refused.body
    assert "private" not in row.refused.body, "what the mapping does not read is nobody's business"
