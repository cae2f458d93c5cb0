"""What Segment's calls become, and whose account they go to."""

import json
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from tests.gateway.conftest import Gateway, Make
from tests.pipeline import flags, rows
from tests.today import NOW
from worker.capture.retrying import again
from worker.capture.segment import event_in, messages_in, take
from worker.core.mapping import Capture
from worker.rulefiles import load_capture
from worker.shipped import rules_dir
from worker.store import tables
from worker.store.quarantine import Kept

TIME = NOW.isoformat()
SHIPPED = load_capture(rules_dir() / "capture.yaml")


def call(kind: str, id_: str = "m-1", **more: Any) -> dict[str, Any]:
    return {"type": kind, "messageId": id_, "userId": "lee", "timestamp": TIME} | more


def becomes(message: Any, capture: Capture = SHIPPED) -> dict[str, Any] | None:
    found = event_in(message, "app", capture, NOW)
    assert found.problem is None
    return found.event


HEAD = {"id": "m-1", "source": "app", "specversion": "1.0", "time": TIME, "tiewatchmember": "lee"}


def test_a_track_call_is_usage_of_a_feature_of_its_name():
    data = {"user": "lee", "feature": "Report Opened"}
    assert becomes(call("track", event="Report Opened")) == HEAD | {"type": "usage", "data": data}


def test_a_track_call_becomes_what_the_mapping_says():
    properties = {"subscription": "main", "mrr": "900", "term_end": "2027-03-01T10:00:00Z"}
    event = becomes(call("track", event="Invoice Paid", properties=properties))
    assert event is not None
    assert event["type"] == "subscription"
    assert event["data"] == {
        **{"subscription": "main", "status": "renewed", "mrr": 900, "term_end": "2027-03-01"}
    }


@pytest.mark.parametrize("name", ["Experiment Viewed", "Debug anything"])
def test_what_the_mapping_ignores_is_nothing(name):
    assert becomes(call("track", event=name)) is None


def test_an_identify_call_is_a_contact_and_a_group_call_an_account():
    traits = {"name": "Lee Park", "jobTitle": "CIO", "email": "lee@acme.test", "shoe": 43}
    person = becomes(call("identify", traits=traits))
    assert person is not None
    assert person["data"] == {
        **{"contact": "lee", "name": "Lee Park", "title": "CIO", "emails": ["lee@acme.test"]}
    }
    traits = {"name": "Acme", "seats": "40", "website": "https://www.acme.test/about"}
    account = becomes(call("group", groupId="acme", traits=traits))
    assert account is not None
    assert (account["type"], account["subject"], account["tiewatchmember"]) == (
        *("account", "acme", "lee"),
    )
    assert account["data"] == {"name": "Acme", "seats": 40, "domains": ["acme.test"]}


def test_somebody_unknown_of_an_account_unknown_is_of_no_use():
    message = call("track", event="Opened", anonymousId="x")
    del message["userId"]
    assert becomes(message) is None
    event = becomes(message | {"context": {"groupId": "acme"}})
    assert event is not None
    assert event["subject"] == "acme"
    assert event["data"] == {"feature": "Opened"}


def test_the_group_of_one_call_is_not_the_group_of_its_user():
    event = becomes(call("track", event="Opened", context={"groupId": "beta"}))
    assert event is not None
    assert event["subject"] == "beta"
    assert "tiewatchmember" not in event


def test_a_message_without_an_id_has_one_made_from_what_is_in_it():
    message = call("track", event="Opened")
    del message["messageId"]
    one, other = becomes(message | {"sentAt": "1"}), becomes(message | {"sentAt": "2"})
    assert one is not None
    assert other is not None
    assert one["id"] == other["id"]
    third = becomes(message | {"event": "Closed"})
    assert third is not None
    assert third["id"] != one["id"]


def test_a_message_without_a_time_that_comes_again_is_a_duplicate(gateway: Gateway) -> None:
    for _ in range(2):
        gateway.post("/v1/group", {"userId": "lee", "groupId": "acme", "messageId": "g"})
        gateway.work()
    assert len(rows(gateway.engine, tables.events)) == 1
    assert rows(gateway.engine, tables.quarantine) == []


def test_a_message_without_a_time_is_of_when_it_came_however_late_it_is_taken_in():
    came = NOW - timedelta(days=9)
    message = json.dumps({"type": "group", "userId": "lee", "groupId": "acme"})
    [event] = again(Kept("k", "app", None, ("bad",), message, "segment", came), SHIPPED, NOW).events
    assert event["time"] == came.isoformat()


def test_a_batch_says_its_context_for_all_of_its_messages():
    batch = {"batch": [call("track"), call("track", context={"a": 1})], "context": {"groupId": "g"}}
    first, second = messages_in(batch)
    assert (first["context"], second["context"]) == ({"groupId": "g"}, {"a": 1})


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ("text", "a JSON object"),
        ({"type": "dance"}, "'type' must be one of"),
        (call("track", timestamp="yesterday"), "'time' must be"),
        (call("group", groupId="acme", traits={"seats": "many"}), "'seats' must be"),
    ],
)
def test_a_message_with_a_problem_is_kept_as_it_came(message, problem):
    taken = take([message], "app", SHIPPED, NOW)
    [bad] = taken.refused
    assert problem in "; ".join(bad.problems)
    assert bad.way == "segment"


MESSAGES = [
    call("track", "t1", event="A"),
    call("track", "t2", event="B"),
    call("identify", "i1", traits={"name": "Lee"}),
    call("group", "g1", groupId="acme"),
]


@pytest.mark.parametrize("order", list(permutations(range(4)))[::5])
def test_whenever_the_group_arrives_all_of_the_users_events_go_to_it_once(
    make: Make, database_url: str, broker_url: str, order: tuple[int, ...]
) -> None:
    gateway = make(database_url, broker_url)
    for place in (*order, *order):  # and all of it again
        sent = gateway.post("/v1/batch", {"batch": [MESSAGES[place]]})
        assert sent.json()["accepted"] == 1
        gateway.work()
    found = rows(gateway.engine, tables.events)
    assert {(row["id"], row["account"]) for row in found} == {
        *(("t1", "acme"), ("t2", "acme"), ("i1", "acme"), ("g1", "acme")),
    }
    assert rows(gateway.engine, tables.quarantine) == []
    assert rows(gateway.engine, tables.waiting_events) == []
    [day] = rows(gateway.engine, tables.usage_days)
    assert day["count"] == 2


def test_a_user_who_changes_groups_belongs_to_the_latest_whatever_arrives_first(
    gateway: Gateway,
) -> None:
    late = call("group", "g2", groupId="beta", timestamp=TIME)
    early = call("group", "g1", groupId="acme", timestamp="2026-01-01T00:00:00Z")
    for message in (late, early, call("track", "t1", event="A")):
        gateway.post("/v1/batch", {"batch": [message]})
        gateway.work()
    found = {row["id"]: row["account"] for row in rows(gateway.engine, tables.events)}
    assert found == {"g1": "acme", "g2": "beta", "t1": "beta"}


def test_what_was_applied_already_moves_with_a_user_who_changes_groups(gateway: Gateway) -> None:
    early = call("group", "g1", groupId="acme", timestamp="2026-01-01T00:00:00Z")
    late = call("group", "g2", groupId="beta", timestamp=TIME)
    used = call("track", "t1", event="A", timestamp=(NOW - timedelta(1)).isoformat())
    for message in (early, used, late, early):
        gateway.post("/v1/batch", {"batch": [message]})
        gateway.work()
    found = {row["id"]: row["account"] for row in rows(gateway.engine, tables.events)}
    assert found == {"g1": "acme", "g2": "beta", "t1": "beta"}
    assert [row["account"] for row in rows(gateway.engine, tables.usage_days)] == ["beta"]
    assert flags(gateway.engine) == {"beta": ["used"]}


def test_an_alias_call_makes_one_person_of_two_ids_whatever_arrives_first(
    gateway: Gateway,
) -> None:
    """`lee@old` has used the product and never been in a group; `lee` is of acme."""
    used = call("track", "t1", event="A", userId="lee@old")
    same = call("alias", "a1", previousId="lee@old")
    group = call("group", "g1", groupId="acme")
    for order in permutations((used, same, group)):
        number = order.index(used), order.index(same)
        for message in order:
            sent = message | {"messageId": f"{message['messageId']} {number}"}
            gateway.post("/v1/batch", {"batch": [sent]})
            gateway.work()
    found = rows(gateway.engine, tables.events)
    assert {(row["type"], row["account"]) for row in found} == {
        *(("usage", "acme"), ("contact", "acme"), ("account", "acme")),
    }
    assert len(found) == 18
    assert {row["contact"] for row in rows(gateway.engine, tables.feature_days)} == {"lee"}
    assert rows(gateway.engine, tables.waiting_events) == []


def test_an_alias_of_nobody_is_of_no_use():
    assert becomes(call("alias")) is None
    nameless = call("alias", previousId="x")
    del nameless["userId"]
    assert becomes(nameless) is None


def test_users_of_another_source_are_others(gateway: Gateway) -> None:
    other = {"Authorization": f"Bearer {gateway.key_for('other')}"}
    gateway.post("/v1/group", call("group", "g1", groupId="acme"))
    gateway.post("/v1/track", call("track", "t1", event="A"), headers=other)
    gateway.work()
    assert [row["id"] for row in rows(gateway.engine, tables.events)] == ["g1"]
    assert [row["source"] for row in rows(gateway.engine, tables.waiting_events)] == ["other"]


def test_each_call_has_its_own_path(gateway: Gateway) -> None:
    for kind in ("track", "identify", "group", "page", "screen", "alias"):
        message = {"userId": "lee", "timestamp": TIME, "event": "A", "name": "B", "groupId": "acme"}
        answer = gateway.post(f"/v1/{kind}", message)
        assert answer.status_code == 200, answer.text
        assert answer.json()["quarantined"] == 0
    assert gateway.post("/v1/import", {"batch": []}).json()["success"]
    for path, body in (("/v1/batch", {}), ("/v1/batch", []), ("/v1/track", [])):
        assert gateway.post(path, body).status_code == 400
    assert gateway.post("/v1/batch", {"batch": [{}] * 1_001}).status_code == 413


def test_the_key_may_be_in_the_body_as_some_libraries_send_it(gateway: Gateway) -> None:
    batch = {"batch": [call("track", event="A")]}
    for key, status in ((gateway.key, 200), ("wrong", 401), (7, 401)):
        answer = gateway.client.post("/v1/batch", json=batch | {"writeKey": key})
        assert answer.status_code == status, answer.text
    wrong = {"Authorization": "Bearer wrong"}
    answer = gateway.client.post("/v1/batch", json=batch | {"writeKey": gateway.key}, headers=wrong)
    assert answer.status_code == 401


def test_a_date_that_could_be_two_is_quarantined_and_its_batch_taken(gateway: Gateway) -> None:
    unclear = call("group", groupId="acme", traits={"renewalDate": "01/02/2026"})
    answer = gateway.post("/v1/batch", {"batch": [unclear, call("track", "m-2", event="x")]})
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    [problem] = answer.json()["problems"]
    assert problem["problems"] == [
        "'renewal_date' must be a date like 2026-03-31, not \"01/02/2026\""
    ]
