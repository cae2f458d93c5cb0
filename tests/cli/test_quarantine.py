"""`tiewatch quarantine`, `keys` and `capture`: from what went wrong to what is right."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.cli.conftest import Tiewatch, lines
from tests.pipeline import event, rows
from worker.core.events import Quarantined
from worker.running.runtime import clock
from worker.store import event_log, tables
from worker.store.database import writing

TODAY = clock().date()
BAD = event("interaction", TODAY, channel="email", reps=["sam"], contacts=["dana"])


def in_quarantine(engine: Engine) -> list[str]:
    return [row["event_id"] for row in rows(engine, tables.quarantine)]


@pytest.fixture
def quarantined(tiewatch: Tiewatch, folder: Path, embedded: Engine) -> Engine:
    """Three events in quarantine: two without a direction, one of an unknown type."""
    bad = [BAD | {"id": "a"}, BAD | {"id": "b"}, event("dance", TODAY) | {"id": "c"}]
    (folder / "bad.jsonl").write_text(lines(*bad, event("usage", TODAY)))
    assert tiewatch("ingest", "--direct", "bad.jsonl").status == 2
    return embedded


def test_reasons_are_listed_with_the_most_frequent_first(tiewatch, quarantined):
    found = tiewatch("quarantine", "list", "--json").json
    assert [(one["events"], one["sources"]) for one in found] == [(2, ["crm"]), (1, ["crm"])]
    assert found[0]["reason"].startswith("'direction' is missing")
    assert "'direction' is missing" in tiewatch("quarantine", "list").out


def test_an_entry_is_shown_whole(tiewatch, quarantined):
    [one] = tiewatch("quarantine", "show", "--reason", "unknown type", "--json").json
    assert one["event"] == "c"
    assert json.loads(one["body"])["type"] == "dance"
    assert "dance" in tiewatch("quarantine", "show", one["id"]).out
    refused = tiewatch("quarantine", "show", "zz")
    assert refused.status == 2
    assert "no entry in quarantine" in refused.err


def test_a_retry_leaves_what_still_has_problems(tiewatch, quarantined):
    done = tiewatch("quarantine", "retry", "--all", "--json")
    assert (done.status, done.json) == (1, {"taken_in": 0, "remain": 3})
    assert sorted(in_quarantine(quarantined)) == ["a", "b", "c"]


def test_what_is_dropped_is_gone(tiewatch, quarantined):
    assert tiewatch("quarantine", "drop").status == 2
    assert tiewatch("quarantine", "drop", "--reason", "direction", "--json").json == {"dropped": 2}
    assert in_quarantine(quarantined) == ["c"]


CAPTURE = """
hooks:
  shop:
    id: $.id
    time: $.at
    events: [{{type: usage, subject: $.account, count: {count}}}]
"""


def test_after_a_mapping_is_mended_old_messages_are_taken_in_once(
    tiewatch: Tiewatch, folder: Path, embedded: Engine
) -> None:
    (folder / "rules").mkdir()
    (folder / "rules" / "all.yaml").write_text("rules: []\n")
    mapping = folder / "rules" / "capture.yaml"
    tiewatch("db", "upgrade")
    sale: dict[str, Any] = {"id": 1, "at": f"{TODAY}T00:00:00Z", "account": "acme", "n": {"of": 5}}
    bad = [
        Quarantined("shop", f"{n}", ("bad",), json.dumps(sale | {"id": n}), "hooks/shop")
        for n in range(3)
    ]
    with writing(embedded) as db:
        event_log.quarantine(db, bad, clock())
    mapping.write_text(CAPTURE.format(count="$.n"))
    (folder / "rules" / "all.yaml").write_text(RULES)
    assert tiewatch("quarantine", "retry", "--all").status == 1
    assert len(in_quarantine(embedded)) == 3
    mapping.write_text(CAPTURE.format(count="$.n.of"))
    done = tiewatch("quarantine", "retry", "--all", "--json")
    assert done.json == {"taken_in": 3, "remain": 0}
    assert in_quarantine(embedded) == []
    with writing(embedded) as db:  # as if it had stopped just before they left
        event_log.quarantine(db, bad, clock())
    assert tiewatch("quarantine", "retry", "--all").status == 0
    assert in_quarantine(embedded) == []
    [day] = rows(embedded, tables.usage_days)
    assert day["count"] == 15


RULES = """
rules:
  - {id: used, title: Used, severity: low, when: {usage_30d: at least 1}}
"""


def test_a_message_is_tried_without_storing_anything(tiewatch: Tiewatch, folder: Path) -> None:
    (folder / "payload.json").write_text(
        json.dumps({"type": "track", "userId": "lee", "event": "Opened", "timestamp": "2026-03-05"})
    )
    done = tiewatch("capture", "try", "segment", "payload.json")
    assert done.status == 0, done
    assert done.json[0]["data"] == {"user": "lee", "feature": "Opened"}
    (folder / "payload.json").write_text('{"type": "dance"}')
    failed = tiewatch("capture", "try", "segment", "payload.json", "--json")
    assert failed.status == 1
    assert "'type' must be one of" in failed.json["problems"][0]["problems"][0]
    unknown = tiewatch("capture", "try", "shop", "payload.json")
    assert unknown.status == 2
    assert "segment, hubspot, zendesk, intercom, calendly" in unknown.err
    assert not (folder / ".tiewatch").exists()


def test_a_key_is_shown_once_and_can_be_revoked(tiewatch: Tiewatch, embedded: Engine) -> None:
    made = tiewatch("keys", "create", "crm", "--scope", "events", "--json").json
    assert made["name"] == "crm"
    assert made["key"].startswith("tw_")
    assert made["key"].rpartition("_")[2] not in str(rows(embedded, tables.api_keys))
    tiewatch("keys", "create", "crm", "--source", "salesforce")
    listed = tiewatch("keys", "list", "--json").json
    assert [(one["source"], one["scopes"]) for one in listed] == [
        ("crm", ["events"]),
        ("salesforce", ["events", "hooks", "segment"]),
    ]
    assert all(one["last_used_at"] is None and one["revoked_at"] is None for one in listed)
    assert tiewatch("keys", "revoke", listed[0]["id"]).out == "Revoked.\n"
    assert tiewatch("keys", "revoke", "crm").out == "Revoked.\n"
    assert tiewatch("keys", "revoke", "crm").status == 2
    assert tiewatch("keys", "create", "No Name").status == 2
    assert "revoked" in tiewatch("keys", "list").out


def test_doctor_tells_of_events_that_wait_for_an_account(tiewatch: Tiewatch, folder: Path) -> None:
    waits = event("usage", TODAY, account=None, user="lee") | {"tiewatchmember": "lee"}
    (folder / "waits.jsonl").write_text(lines(waits))
    done = tiewatch("ingest", "--direct", "waits.jsonl", "--json")
    assert done.json == {
        "received": 0,
        "applied": 0,
        "duplicates": 0,
        "quarantined": 0,
        "waiting": 1,
    }
    found = {one["subject"]: one["detail"] for one in tiewatch("doctor", "--json").json}
    assert found["waiting events"].startswith("1 events wait")
