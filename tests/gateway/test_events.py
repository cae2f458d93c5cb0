"""Events over HTTP: every mode, every limit, and what is answered."""

import gzip
import json
import logging
import zlib
from typing import Any

import httpx2
import pytest

from tests.gateway.conftest import Gateway, Make
from tests.pipeline import event, rows
from tests.today import TODAY
from worker.store import tables
from worker.store.api_keys import Scope

EVENTS = "/v1/events"


def used(id_: str, **more: Any) -> dict[str, Any]:
    return event("usage", TODAY, user="lee") | {"id": id_} | more


def ids(gateway: Gateway) -> list[tuple[str, str]]:
    return [(row["source"], row["id"]) for row in rows(gateway.engine, tables.events)]


def test_one_event_is_applied_and_the_key_says_where_it_is_from(make, database_url, broker_url):
    gateway = make(database_url, broker_url)
    sent = {name: value for name, value in used("a").items() if name != "source"}
    answer = gateway.post(EVENTS, sent)
    assert answer.status_code == 202
    assert answer.json() == {
        **{"success": True, "accepted": 1, "quarantined": 0, "ignored": 0, "problems": []}
    }
    gateway.work()
    assert ids(gateway) == [("app", "a")]
    assert [row["day"] for row in rows(gateway.engine, tables.usage_days)] == [TODAY.toordinal()]


@pytest.mark.parametrize(
    ("said", "stored"),
    [("app", "app"), ("app/web", "app/web"), ("crm", "app/crm"), ("/crm", "app/crm")],
)
def test_an_events_own_source_stays_below_that_of_the_key(gateway, said, stored):
    gateway.post(EVENTS, used("a", source=said))
    gateway.work()
    assert ids(gateway) == [(stored, "a")]


def test_an_array_and_a_batch_are_taken_in_as_one_message(gateway):
    for kind in ("application/json", "application/cloudevents-batch+json"):
        body = json.dumps([used(f"{kind}-{n}") for n in range(3)])
        answer = gateway.post(EVENTS, content=body, headers={"Content-Type": kind})
        assert answer.json()["accepted"] == 3
    assert gateway.queued() == 2


def test_a_structured_event_may_bring_its_data_in_base64(gateway):
    packed = used("a") | {"data_base64": "eyJjb3VudCI6IDd9"}  # {"count": 7}
    del packed["data"]
    kind = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
    assert gateway.post(EVENTS, content=json.dumps(packed), headers=kind).json()["accepted"] == 1
    gateway.work()
    assert rows(gateway.engine, tables.usage_days)[0]["count"] == 7


def test_in_binary_mode_the_attributes_are_headers(gateway):
    headers = {
        "ce-specversion": "1.0",
        "ce-id": "a%20b",
        "ce-source": "/mycontext",
        "ce-type": "usage",
        "ce-time": f"{TODAY}T03:56:24Z",
        "ce-subject": "acme",
        "Content-Type": "application/json; charset=utf-8",
    }
    assert gateway.post(EVENTS, content=b'{"count": 2}', headers=headers).json()["accepted"] == 1
    gateway.work()
    assert ids(gateway) == [("app/mycontext", "a b")]


def test_lines_are_events_and_one_that_is_no_json_is_quarantined_alone(gateway):
    body = f"{json.dumps(used('a'))}\n\nno json\r\n{json.dumps(used('b'))}"
    kind = {"Content-Type": "application/x-ndjson"}
    answer = gateway.post(EVENTS, content=body, headers=kind)
    assert answer.status_code == 202
    assert answer.json()["accepted"] == 2
    [problem] = answer.json()["problems"]
    assert (problem["index"], problem["id"]) == (1, None)
    assert "not valid JSON" in problem["problems"][0]
    gateway.work()
    assert ids(gateway) == [("app/crm", "a"), ("app/crm", "b")]
    [kept] = rows(gateway.engine, tables.quarantine)
    assert (kept["source"], kept["body"]) == ("app", "no json")


def test_bad_events_of_a_batch_are_quarantined_with_every_problem(gateway):
    bad = event("interaction", TODAY, channel="email", contacts=[]) | {"id": "bad"}
    answer = gateway.post(EVENTS, [used("a"), bad])
    [problem] = answer.json()["problems"]
    assert problem["index"] == 1
    assert problem["id"] == "bad"
    assert any("'reps' is missing" in one for one in problem["problems"])
    assert any("'direction' is missing" in one for one in problem["problems"])
    gateway.work()
    assert [row["event_id"] for row in rows(gateway.engine, tables.quarantine)] == ["bad"]
    counted = rows(gateway.engine, tables.batches)[0]
    assert (counted["received"], counted["applied"], counted["quarantined"]) == (2, 1, 1)


def test_gzip_is_unpacked(gateway):
    body = gzip.compress(json.dumps([used("a"), used("b")]).encode())
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert gateway.post(EVENTS, content=body, headers=headers).json()["accepted"] == 2


def test_the_same_events_again_are_duplicates(gateway):
    for _ in range(3):
        gateway.post(EVENTS, [used("a"), used("b")])
    gateway.work()
    assert len(ids(gateway)) == 2
    assert rows(gateway.engine, tables.usage_days)[0]["count"] == 2


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"{", JSON, 400, "not_json"),
        (b'"text"', JSON, 400, "no_event"),
        (b"{}", {"Content-Type": "application/cloudevents-batch+json"}, 400, "no_batch"),
        (b"[" * 100_000, JSON, 400, "not_json"),
        (b"1" * 10_000, JSON, 400, "not_json"),
        (b"{}", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "content_type"),
        (b"{}", {}, 415, "content_type"),
        (b"{}", {"Content-Type": "application/json; charset=latin-1"}, 415, "charset"),
        (b"{}", JSON | {"Content-Encoding": "br"}, 415, "encoding"),
        (b"{}", JSON | {"Content-Encoding": "gzip"}, 400, "gzip"),
        (gzip.compress(b"{}")[:-3], JSON | {"Content-Encoding": "gzip"}, 400, "gzip"),
        (gzip.compress(b"[]") * 2, JSON | {"Content-Encoding": "gzip"}, 400, "gzip"),
        (json.dumps([{}] * 1_001).encode(), JSON, 413, "too_many"),
        (b"{}\n" * 1_001, {"Content-Type": "application/x-ndjson"}, 413, "too_many"),
        (b" " * 5_000_001, JSON, 413, "too_large"),
        (gzip.compress(b" " * 50_000_000), JSON | {"Content-Encoding": "gzip"}, 413, "too_large"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_a_body_that_cannot_be_read_as_a_whole_is_refused(gateway, content, headers, status, code):
    answer = gateway.post(EVENTS, content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert gateway.queued() == 0


def test_a_body_without_a_length_is_bounded_too(gateway):
    def chunks():
        for _ in range(60):
            yield b" " * 100_000

    answer = gateway.post(EVENTS, content=chunks(), headers=JSON)
    assert answer.json()["code"] == "too_large"


def test_an_event_nested_too_deeply_is_quarantined_and_its_neighbours_are_not(gateway):
    deep = f'{{"id": "deep", "data": {"[" * 200}{"]" * 200}}}'
    body = f"[{json.dumps(used('a'))}, {deep}]"
    answer = gateway.post(EVENTS, content=body, headers=JSON).json()
    assert (answer["accepted"], answer["quarantined"]) == (1, 1)
    assert "less than 100 deep" in answer["problems"][0]["problems"][0]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Authorization": ""}, "no_key"),
        ({"Authorization": "Bearer "}, "no_key"),
        ({"Authorization": "Basic !"}, "no_key"),
        ({"Authorization": "Basic Og=="}, "no_key"),
        ({"Authorization": "Bearer tw_abc_def"}, "wrong_key"),
        ({"Authorization": "Bearer whatever"}, "wrong_key"),
    ],
)
def test_without_a_good_key_nothing_is_taken(gateway, headers, code):
    answer = gateway.post(EVENTS, used("a"), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert gateway.queued() == 0


def test_a_key_may_be_sent_in_three_ways(gateway):
    import base64

    basic = base64.b64encode(f"{gateway.key}:".encode()).decode()
    for headers in (
        {"Authorization": f"Bearer {gateway.key}"},
        {"Authorization": f"Basic {basic}"},
        {"Authorization": "", "X-API-Key": gateway.key},
    ):
        assert gateway.post(EVENTS, used("a"), headers=headers).status_code == 202


def test_a_key_with_another_end_is_wrong(gateway):
    answer = gateway.post(EVENTS, [], headers={"Authorization": f"Bearer {gateway.key[:-1]}"})
    assert answer.json()["code"] == "wrong_key"


def test_a_key_opens_only_what_it_is_for(gateway):
    key = gateway.key_for("hooks-only", Scope.HOOKS)
    answer = gateway.post(EVENTS, used("a"), headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 403
    assert "--scope events" in answer.json()["message"]


def test_keys_may_come_from_the_settings(make: Make, sqlite_url, broker_url):
    gateway = make(sqlite_url, broker_url, API_KEYS="crm:0123456789abcdef, x:fedcba9876543210")
    gateway.key = "0123456789abcdef"
    assert gateway.post(EVENTS, used("a", source="crm")).status_code == 202
    gateway.work()
    assert ids(gateway) == [("crm", "a")]


def test_more_requests_than_the_limit_are_told_to_wait(make: Make, sqlite_url, broker_url):
    gateway = make(sqlite_url, broker_url, RATE_LIMIT="3/minute")
    other = gateway.key_for("other")
    answers = [gateway.post(EVENTS, used(str(n))) for n in range(5)]
    assert [one.status_code for one in answers] == [202, 202, 202, 429, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert gateway.post(EVENTS, [], headers={"Authorization": f"Bearer {other}"}).is_success


def test_every_answer_has_a_request_id_and_security_headers(gateway):
    for answer in (gateway.client.get("/healthz"), gateway.client.get("/nothing")):
        assert len(answer.headers["X-Request-Id"]) == 32
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "access-control-allow-origin" not in answer.headers
    given = gateway.client.get("/healthz", headers={"X-Request-Id": "trace-1"})
    assert given.headers["X-Request-Id"] == "trace-1"
    odd = gateway.client.get("/healthz", headers={"X-Request-Id": "no spaces\x07"})
    assert odd.headers["X-Request-Id"] != "no spaces\x07"


def test_the_last_use_of_a_key_is_noted(make: Make, sqlite_url, broker_url):
    gateway = make(sqlite_url, broker_url)
    gateway.post(EVENTS, used("a"))
    gateway.stop()
    [row] = rows(gateway.engine, tables.api_keys)
    assert row["last_used_at"] is not None
    assert gateway.key not in str(row)


def test_zlib_is_bounded_by_what_it_gives_and_not_by_what_it_is_given():
    bomb = gzip.compress(b"\0" * 200_000_000, 9)
    assert len(bomb) < 300_000
    from worker.capture.reading import unpacked
    from worker.capture.refusals import Refusal

    with pytest.raises(Refusal, match="5,000,000"):
        unpacked(bomb, "gzip")
    assert zlib.decompressobj(31).decompress(bomb, 10) == b"\0" * 10


def test_headers_are_bounded(gateway: Gateway) -> None:
    with gateway.live() as url:
        odd = httpx2.get(f"{url}/healthz", headers={"X-Much": "x" * 20_000})
        assert (odd.status_code, odd.json()["code"]) == (431, "headers")
        assert httpx2.get(f"{url}/healthz", headers={"X-Much": "x" * 10_000}).status_code == 200
        assert "server" not in httpx2.get(f"{url}/healthz").headers


def test_what_a_request_holds_is_not_logged(
    gateway: Gateway, caplog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = logging.getLogger("tiewatch.gateway")  # whatever other tests have set up above it
    monkeypatch.setattr(ours, "disabled", False)
    monkeypatch.setattr(ours, "handlers", [caplog.handler])
    with caplog.at_level("INFO", logger=ours.name):
        gateway.post(EVENTS, [used("secret-id"), {"id": "secret-too"}], params={"q": "secret"})
    logged = [record.getMessage() for record in caplog.records if "tiewatch" in record.name]
    assert any("'route': '/v1/events'" in line for line in logged)
    assert not any("secret" in line or gateway.key in line for line in logged)


def test_the_figures_are_for_prometheus(gateway: Gateway) -> None:
    gateway.post(EVENTS, [used("a"), {}])
    told = gateway.client.get("/metrics").text
    assert 'tiewatch_gateway_events_total{outcome="quarantined",way="events"}' in told
    assert 'route="/v1/events",status="202"' in told
    assert "tiewatch_gateway_answer_seconds_bucket" in told
