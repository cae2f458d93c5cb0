"""Webhooks: who sent them, and what they become."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.conftest import Gateway, Make
from tests.pipeline import rows
from worker.capture.hooks import messages_in, take
from worker.capture.proofs import NotProven, prove
from worker.capture.retrying import again
from worker.capture.taking import Taken
from worker.core.addresses import NO_PEOPLE, People
from worker.core.mapping import Capture, Verification
from worker.rulefiles import load_capture
from worker.shipped import rules_dir
from worker.store import tables
from worker.store.quarantine import Kept

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
STAMP = int(NOW.timestamp())
BODY = b'{"a": 1}'
SECRET = "a secret of ours"
URL = "https://tiewatch.example/v1/hooks/x?y=1"
HOOKS = load_capture(rules_dir() / "capture.yaml").hooks


def mac(signed: bytes, algorithm: str = "sha256") -> bytes:
    return hmac.new(SECRET.encode(), signed, getattr(hashlib, algorithm)).digest()


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


INTERCOM = Verification("hmac-sha1", "X-Hub-Signature", "sha1=")
PLAIN = Verification("hmac-sha256", "X-Signature")
DATED = Verification("hmac-sha256", "X-Signature", timestamp="X-Time")


def scheme_of(part: Any) -> str:
    return str(getattr(part, "scheme", ""))


SIGNED = [
    (INTERCOM, {"x-hub-signature": f"sha1={mac(BODY, 'sha1').hex()}"}),
    (PLAIN, {"x-signature": mac(BODY).hex()}),
    (PLAIN, {"x-signature": b64(mac(BODY))}),
    (DATED, {"x-signature": mac(f"{STAMP}".encode() + BODY).hex(), "x-time": str(STAMP)}),
    (
        Verification("hubspot"),
        {
            "x-hubspot-request-timestamp": f"{STAMP}000",
            "x-hubspot-signature-v3": b64(
                mac(f"POST{URL}".encode() + BODY + f"{STAMP}000".encode())
            ),
        },
    ),
    (
        Verification("zendesk"),
        {
            "x-zendesk-webhook-signature-timestamp": NOW.isoformat(),
            "x-zendesk-webhook-signature": b64(mac(NOW.isoformat().encode() + BODY)),
        },
    ),
    (
        Verification("calendly"),
        {"calendly-webhook-signature": f"t={STAMP},v1={mac(f'{STAMP}.'.encode() + BODY).hex()}"},
    ),
]


@pytest.mark.parametrize(("verify", "headers"), SIGNED, ids=scheme_of)
def test_what_is_signed_with_the_secret_is_taken_and_nothing_else(verify, headers):
    prove(verify, SECRET, headers, BODY, URL, NOW)
    with pytest.raises(NotProven):
        prove(verify, "another secret", headers, BODY, URL, NOW)
    with pytest.raises(NotProven):
        prove(verify, SECRET, headers, BODY + b" ", URL, NOW)
    for name in headers:
        with pytest.raises(NotProven):
            prove(verify, SECRET, headers | {name: ""}, BODY, URL, NOW)
        with pytest.raises(NotProven):
            prove(verify, SECRET, headers | {name: "ü,=.é"}, BODY, URL, NOW)


@pytest.mark.parametrize(("verify", "headers"), SIGNED[3:], ids=scheme_of)
def test_what_was_signed_long_ago_is_not_taken(verify, headers):
    prove(verify, SECRET, headers, BODY, URL, NOW + timedelta(seconds=299))
    for seconds in (-301, 301):
        with pytest.raises(NotProven, match="300 seconds"):
            prove(verify, SECRET, headers, BODY, URL, NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"webhook-id": "a", "webhook-timestamp": "1", "webhook-signature": "v1,x"},
        {"webhook-id": "a", "webhook-timestamp": "noon", "webhook-signature": "v1,x"},
        {"webhook-id": "a", "webhook-timestamp": f"{STAMP}", "webhook-signature": "v1"},
        {"webhook-id": "a", "webhook-timestamp": "9" * 30, "webhook-signature": "v1,x"},
    ],
)
@pytest.mark.parametrize("secret", ["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_", "é"])
def test_standard_webhooks_that_are_not_signed_are_not_taken(headers, secret):
    with pytest.raises(NotProven):
        prove(Verification(), secret, headers, BODY, URL, NOW)


HUBSPOT = [
    {
        "eventId": 100,
        "subscriptionId": 1,
        "occurredAt": 1772668800000,
        "subscriptionType": "company.propertyChange",
        "objectId": 123,
        "propertyName": "name",
        "propertyValue": "Acme",
    },
    {"eventId": 101, "subscriptionType": "deal.creation", "objectId": 9},
]
ZENDESK = {
    "type": "zen:event-type:ticket.created",
    "id": "cbe4028c",
    "time": "2026-03-05T00:00:00.5Z",
    "detail": {"id": "5158", "organization_id": "8178", "priority": "HIGH", "status": "NEW"},
}
INTERCOM_SENT = {
    "type": "notification_event",
    "id": "notif_1",
    "topic": "company.created",
    "created_at": 1772668800,
    "data": {"item": {"company_id": "acme", "name": "Acme", "monthly_spend": 12}},
}
CALENDLY = {
    "event": "invitee.canceled",
    "created_at": "2026-03-05T00:00:00.000000Z",
    "payload": {
        "email": "Dana@Acme.test",
        "name": "Dana",
        "scheduled_event": {
            "event_memberships": [{"user_email": "Sam@Us.test"}, {"user_email": "ann@us.test"}]
        },
    },
}


@pytest.mark.parametrize(
    ("name", "payload", "expected"),
    [
        ("hubspot", HUBSPOT, {"type": "account", "subject": "123", "data": {"name": "Acme"}}),
        (
            "zendesk",
            ZENDESK,
            {
                "type": "ticket",
                "subject": "8178",
                "data": {"ticket": "5158", "status": "opened", "priority": "high"},
            },
        ),
        (
            "intercom",
            INTERCOM_SENT,
            {"type": "account", "subject": "acme", "data": {"name": "Acme", "mrr": 12}},
        ),
        (
            "calendly",
            CALENDLY,
            {
                "type": "interaction",
                "tiewatchpeople": "email",
                "data": {
                    "channel": "meeting",
                    "status": "cancelled",
                    "reps": ["sam@us.test", "ann@us.test"],
                    "contacts": ["dana@acme.test"],
                },
            },
        ),
    ],
)
def test_the_shipped_mappings(name, payload, expected):
    hook = HOOKS[name]
    taken = take(messages_in(payload, hook), name, hook, NO_PEOPLE, NOW)
    assert taken.refused == []
    [event] = taken.events
    assert {key: event[key] for key in expected} == expected
    assert datetime.fromisoformat(event["time"]).date() == NOW.date()


def test_who_of_the_people_in_a_webhook_is_ours_capture_yaml_says():
    ours = People(internal=frozenset({"us.test"}))
    one_of_ours = CALENDLY | {"payload": CALENDLY["payload"] | {"email": "ann@us.test"}}
    taken = take([CALENDLY, one_of_ours], "calendly", HOOKS["calendly"], ours, NOW)
    assert [event["data"]["contacts"] for event in taken.events] == [["dana@acme.test"]]
    assert taken.ignored == 1


def test_the_same_message_again_is_the_same_event():
    for name, payload in (("calendly", CALENDLY), ("zendesk", ZENDESK)):
        hook = HOOKS[name]
        one, other = (take([payload], name, hook, NO_PEOPLE, NOW) for _ in range(2))
        assert one == other


CAPTURE = """
hooks:
  shop:
    verify: {scheme: hmac-sha256, header: X-Shop}
    id: $.id
    time: $.at
    events: [{type: usage, subject: $.account, count: $.count}]
  crm:
    verify: key
    time: $.at
    events: [{type: account, subject: $.account, name: $.name}]
"""


@pytest.fixture
def shop(make: Make, sqlite_url: str, broker_url: str, tmp_path: Any) -> Gateway:
    (tmp_path / "capture.yaml").write_text(CAPTURE)
    return make(sqlite_url, broker_url, RULES_DIR=tmp_path, HOOK_SECRET_SHOP=SECRET)


def deliver(shop: Gateway, payload: Any) -> Any:
    body = json.dumps(payload).encode()
    headers = {"X-Shop": mac(body).hex(), "Authorization": ""}
    return shop.client.post("/v1/hooks/shop", content=body, headers=headers)


SALE = {"id": 1, "at": "2026-03-05T00:00:00Z", "account": "acme", "count": 2}


def test_a_webhook_is_applied_under_its_own_name(shop: Gateway) -> None:
    assert deliver(shop, SALE).json()["accepted"] == 1
    assert deliver(shop, SALE).json()["accepted"] == 1
    shop.work()
    [event] = rows(shop.engine, tables.events)
    assert (event["source"], event["id"], event["account"]) == ("shop", "shop/1/usage", "acme")


def test_a_webhook_without_a_time_that_comes_again_is_a_duplicate(shop: Gateway) -> None:
    undated = {name: value for name, value in SALE.items() if name != "at"}
    for count in (2, 2, 3):
        deliver(shop, undated | {"count": count})
        shop.work()
    assert len(rows(shop.engine, tables.events)) == 1
    [other] = rows(shop.engine, tables.quarantine)  # which is another one, and told
    assert json.loads(other["body"])["data"] == {"count": 3}


def test_a_webhook_that_is_not_signed_is_told_nothing_of_why(shop: Gateway) -> None:
    for headers in ({}, {"X-Shop": "00"}):
        answer = shop.client.post("/v1/hooks/shop", json=SALE, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_proven")
    assert shop.client.post("/v1/hooks/nothing", json=SALE).status_code == 404


def test_a_webhook_with_a_key_is_of_the_keys_source(shop: Gateway) -> None:
    assert shop.post("/v1/hooks/crm", SALE | {"name": "Acme"}).json()["accepted"] == 1
    assert shop.client.post("/v1/hooks/crm", json=SALE).status_code == 401
    shop.work()
    assert rows(shop.engine, tables.events)[0]["source"] == "app"


def test_a_payload_with_a_problem_is_kept_as_it_came(shop: Gateway) -> None:
    answer = deliver(shop, SALE | {"count": -1}).json()
    assert answer["quarantined"] == 1
    shop.work()
    [kept] = rows(shop.engine, tables.quarantine)
    assert (kept["way"], kept["source"]) == ("hooks/shop", "shop")
    assert json.loads(kept["body"]) == SALE | {"count": -1}


LOGIN = "{type: usage, subject: $.account, feature: login}"
SPENT = (
    "{type: subscription, subject: $.account, subscription: main, status: changed, mrr: $.spent}"
)
NAMED = "{type: account, subject: $.account, name: $.name}"
MET = "{type: interaction, subject: $.account, channel: meeting, reps: $.by, contacts: $.met}"
CALLED = MET.replace("{", "{id: before it, ", 1).replace("meeting", "call")
TOLD = {"id": 1, "at": "2026-03-05T00:00:00Z", "account": "acme", "name": "Acme", "spent": 7,
        "by": "sam", "met": "dana"}  # fmt: skip


def told(folder: Path, message: Any, *shapes: str) -> Taken:
    """What a message becomes with these events in the mapping."""
    file = folder / "capture.yaml"
    file.write_text(f"hooks: {{own: {{id: $.id, time: $.at, events: [{', '.join(shapes)}]}}}}\n")
    return take([message], "own", load_capture(file).hooks["own"], NO_PEOPLE, NOW)


def test_a_message_that_comes_again_after_the_mapping_has_grown_counts_once(tmp_path):
    before = told(tmp_path, TOLD, MET, SPENT, NAMED).events
    after = told(tmp_path, TOLD, LOGIN, CALLED, NAMED, SPENT, MET).events
    assert [event for event in before if event not in after] == []
    assert sorted({event["id"] for event in after} - {event["id"] for event in before}) == [
        *("own/1/interaction/before it", "own/1/usage/login")
    ]
    assert len({event["id"] for event in after}) == 5


def test_messages_that_read_the_same_are_told_apart_by_what_they_were_sent_as(tmp_path):
    hook, message = HOOKS["calendly"], CALENDLY | {"created_at": "2026-03-05T00:00:00Z"}
    ids = [
        [event["id"] for event in take(sent, "x", hook, NO_PEOPLE, NOW, as_).events]
        for sent, as_ in (
            *(([message], "msg_1"), ([message], "msg_1"), ([message], "msg_2"), ([message], None)),
            ([message, message | {"n": 1}], "msg_3"),
        )
    ]
    assert ids[0] == ids[1] == ["calendly/msg_1/interaction"]
    assert len({id_ for some in ids for id_ in some}) == 5
    assert [one.rpartition("/")[0].rpartition("/")[0] for one in ids[-1]] == ["calendly/msg_3"] * 2


def test_a_message_keeps_what_it_was_sent_as_until_its_mapping_is_mended(tmp_path):
    broken = CALENDLY | {"created_at": "yesterday"}
    [bad] = take([broken], "x", HOOKS["calendly"], NO_PEOPLE, NOW, "msg_1").refused
    kept = Kept("k", bad.source, bad.id, bad.problems, bad.body, bad.way, NOW)
    mended = replace(HOOKS["calendly"], time=())
    [event] = again(kept, Capture(hooks={"calendly": mended}), NOW).events
    assert event["id"] == "calendly/msg_1/interaction"


def test_a_message_without_a_time_is_of_when_it_came_however_late_it_is_taken_in():
    hook, came = replace(HOOKS["calendly"], time=()), NOW - timedelta(days=9)
    kept = Kept("k", "x", "msg_1", ("bad",), json.dumps(CALENDLY), "hooks/calendly", came)
    [event] = again(kept, Capture(hooks={"calendly": hook}), NOW).events
    assert event["time"] == came.isoformat()
    ahead = CALENDLY | {"created_at": (came + timedelta(days=2)).isoformat()}  # and not any more
    [event] = again(replace(kept, body=json.dumps(ahead)), Capture(hooks=HOOKS), NOW).events
    assert event["time"] == ahead["created_at"]


@pytest.mark.parametrize("odd", ["a\x00b", "\ud83d", "a\nb"])
def test_a_message_whose_id_cannot_be_shown_is_taken_under_one_made_from_it(tmp_path, odd):
    [event] = told(tmp_path, TOLD | {"id": odd}, NAMED).events
    assert event["id"].isprintable()
    assert event == told(tmp_path, TOLD | {"id": odd}, NAMED).events[0]
    assert event["id"] != told(tmp_path, TOLD | {"id": odd * 2}, NAMED).events[0]["id"]


def test_two_events_of_a_message_that_only_their_order_tells_apart_are_a_problem_of_it(tmp_path):
    met, called = (
        one.replace("}", f", when: {{{path}: '*'}}}}")
        for one, path in ((MET, "$.met"), (MET.replace("meeting", "call"), "$.by"))
    )
    taken = told(tmp_path, TOLD, met, called, NAMED)
    [refused] = taken.refused
    assert taken.events == []
    assert "give one of them an 'id' in the mapping" in refused.problems[0]


def test_a_date_that_could_be_two_is_a_problem_of_its_message(tmp_path):
    dated = NAMED.replace("}", ", renewal_date: $.renews}")
    taken = told(tmp_path, TOLD | {"renews": "01/02/2026"}, dated)
    assert taken.problems[0].problems == (
        "'renewal_date' must be a date like 2026-03-31, not \"01/02/2026\"",
    )
    [event] = told(tmp_path, TOLD | {"renews": "13/02/2026"}, dated).events
    assert event["data"]["renewal_date"] == "2026-02-13"


def test_one_message_where_a_list_is_usual_is_one():
    for payload in (HUBSPOT[0], HUBSPOT[:1]):
        taken = take(messages_in(payload, HOOKS["hubspot"]), "h", HOOKS["hubspot"], NO_PEOPLE, NOW)
        assert [event["subject"] for event in taken.events] == ["123"]


def test_an_event_of_a_webhook_may_have_a_time_of_its_own(tmp_path):
    dated = LOGIN.replace("{", "{time: $.since, ", 1)
    [one, other] = told(tmp_path, TOLD | {"since": "2026-02-01"}, dated, MET).events
    assert (one["time"][:10], other["time"][:10]) == ("2026-02-01", "2026-03-05")
