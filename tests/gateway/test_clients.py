"""Published libraries against a running gateway, over a network that fails: all lands once."""

import json
import shutil
import subprocess
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from rudderstack.analytics.client import Client as RudderStack
from segment.analytics.client import Client as Segment
from standardwebhooks.webhooks import Webhook

from tests.gateway.conftest import Gateway, Make
from tests.gateway.unreliable import LOSE, PASS, REFUSE, unreliable
from tests.pipeline import rows
from tests.today import NOW
from worker.store import tables


def say_all(client: Any) -> None:
    """What a product says of a user: who they are, whose they are, and what they do."""
    client.identify("lee", {"name": "Lee Park", "title": "CIO", "email": "lee@acme.test"})
    for number in range(250):
        client.track("lee", "Report Opened", {"number": number})
    client.group("lee", "acme", {"name": "Acme", "seats": 40})
    client.page("lee", None, "Home")
    client.track("lee", "Invoice Paid", {"subscription": "main", "mrr": 900})


def landed(gateway: Gateway) -> dict[str, int]:
    gateway.work()
    found: dict[str, int] = {}
    for row in rows(gateway.engine, tables.events):
        assert row["account"] == "acme"
        found[row["type"]] = found.get(row["type"], 0) + 1
    return found


ALL = {"contact": 1, "usage": 251, "account": 1, "subscription": 1}


def check(gateway: Gateway, seen: list[str]) -> None:
    assert landed(gateway) == ALL
    assert [one.split()[0] for one in seen[:3]] == [REFUSE, LOSE, PASS]
    assert rows(gateway.engine, tables.waiting_events) == []
    assert rows(gateway.engine, tables.quarantine) == []
    [account] = rows(gateway.engine, tables.accounts)
    assert (account["name"], account["seats"]) == ("Acme", 40)
    [contact] = rows(gateway.engine, tables.contacts)
    assert (contact["name"], contact["title"]) == ("Lee Park", "CIO")
    assert sum(row["count"] for row in rows(gateway.engine, tables.usage_days)) == 251


@pytest.mark.timeout(90)
@pytest.mark.parametrize("gzip", [False, True])
def test_segments_python_library(
    make: Make, database_url: str, broker_url: str, gzip: bool
) -> None:
    gateway = make(database_url, broker_url)
    with gateway.live() as url, unreliable(url, REFUSE, LOSE) as front:
        client = Segment(gateway.key, host=front.url, gzip=gzip, max_retries=5)
        say_all(client)
        client.shutdown()
    check(gateway, front.seen)


@pytest.mark.timeout(90)
def test_rudderstacks_python_library(gateway: Gateway) -> None:
    with gateway.live() as url, unreliable(url, REFUSE, LOSE) as front:
        client = RudderStack(gateway.key, host=front.url, gzip=True)
        say_all(client)
        client.shutdown()
    check(gateway, front.seen)


@pytest.mark.node
@pytest.mark.timeout(300)
def test_segments_node_library(gateway: Gateway, tmp_path: Path) -> None:
    for file in (Path(__file__).parent / "node").iterdir():
        shutil.copy(file, tmp_path)
    run = partial(subprocess.run, cwd=tmp_path, check=True, timeout=120)
    run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"])
    with gateway.live() as url, unreliable(url, REFUSE, LOSE) as front:
        run(["node", "send.js", front.url, gateway.key])
    assert {one.split()[0] for one in front.seen} == {REFUSE, LOSE, PASS}
    check(gateway, [REFUSE, LOSE, PASS])


def usage(id_: str) -> CloudEvent:
    attributes = {
        "id": id_,
        "source": "app",
        "type": "usage",
        "time": NOW,
        "subject": "acme",
        "specversion": "1.0",
        "datacontenttype": "application/json",
    }
    return CloudEvent(attributes, {"user": "lee", "feature": "reports"})


@pytest.mark.parametrize("as_request", [to_binary_event, to_structured_event])
def test_the_cloudevents_library(gateway: Gateway, as_request: Any) -> None:
    message = as_request(usage("e-1"))
    with gateway.live() as url, unreliable(url, LOSE) as front:
        for _ in range(2):
            headers = {**message.headers, "Authorization": f"Bearer {gateway.key}"}
            answer = httpx2.post(f"{front.url}/v1/events", content=message.body, headers=headers)
    assert answer.json()["accepted"] == 1
    gateway.work()
    [event] = rows(gateway.engine, tables.events)
    assert (event["source"], event["id"], event["account"]) == ("app", "e-1", "acme")
    assert json.loads(event["body"])["data"] == {"user": "lee", "feature": "reports"}


SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

CAPTURE = """
hooks:
  shop:
    verify: standard
    id: $.id
    time: $.at
    events:
      - {type: usage, subject: $.account, feature: $.what}
"""


def test_the_standard_webhooks_library(
    make: Make, sqlite_url: str, broker_url: str, tmp_path: Any
) -> None:
    (tmp_path / "capture.yaml").write_text(CAPTURE)
    gateway = make(sqlite_url, broker_url, RULES_DIR=tmp_path, HOOK_SECRET_SHOP=SECRET)
    body = json.dumps({"at": NOW.timestamp(), "account": "acme", "what": "export"})
    with gateway.live() as url, unreliable(url, LOSE) as front:
        for id_ in ("msg_1", "msg_1", "msg_2"):
            headers = {
                "webhook-id": id_,
                "webhook-timestamp": str(int(datetime.now().timestamp())),
                "webhook-signature": Webhook(SECRET).sign(id_, datetime.now(), body),
            }
            sent = httpx2.post(f"{front.url}/v1/hooks/shop", content=body, headers=headers)
    assert sent.status_code == 200, sent.text
    gateway.work()
    found = [
        (row["source"], row["id"], row["account"]) for row in rows(gateway.engine, tables.events)
    ]
    assert found == [("shop", f"shop/{id_}/usage/export", "acme") for id_ in ("msg_1", "msg_2")]
