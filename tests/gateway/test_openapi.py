"""The OpenAPI document tells the truth: every answer to whatever fits it, or does not, is in it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.gateway.conftest import Gateway

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
PATHS = [
    "/v1/events",
    "/v1/hooks/{name}",
    "/v1/batch",
    "/v1/import",
    *(f"/v1/{call}" for call in ("track", "identify", "group", "page", "screen", "alias")),
    "/healthz",
    "/readyz",
    "/metrics",
]


def test_the_document_has_every_way_in_and_no_other(gateway: Gateway) -> None:
    document = gateway.client.get("/openapi.json").json()
    assert set(document["paths"]) == set(PATHS)
    assert "swagger" in gateway.client.get("/docs").text


@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", PATHS)
def test_every_answer_is_a_documented_one_and_none_is_an_error_of_ours(
    gateway: Gateway, path: str
) -> None:
    app = gateway.client.app
    assert isinstance(app, FastAPI)
    document = json.loads(json.dumps(app.openapi()))
    method = "GET" if "get" in document["paths"][path] else "POST"
    quiet = settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )

    with gateway.live() as url:
        schema = schemathesis.openapi.from_url(f"{url}/openapi.json")

        @given(case=schema[path][method].as_strategy())
        @quiet
        def usual(case: Any) -> None:
            answer = case.call(headers={"Authorization": f"Bearer {gateway.key}"})
            case.validate_response(answer, checks=CHECKS)

        usual()

    @given(content=st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
    @quiet
    def unusual(content: bytes) -> None:
        headers = {"Content-Type": "application/json"}
        address = path.replace("{name}", "hubspot")
        answer = gateway.client.request(
            method,
            address,
            content=content if method == "POST" else None,
            headers=headers | {"Authorization": f"Bearer {gateway.key}"},
        )
        assert str(answer.status_code) in document["paths"][path][method.lower()]["responses"]
        assert answer.status_code < 500

    unusual()


def test_the_documents_examples_are_taken_as_they_are(gateway: Gateway) -> None:
    document = gateway.client.get("/openapi.json").json()
    content = document["paths"]["/v1/events"]["post"]["requestBody"]["content"]
    example = content["application/cloudevents+json"]["schema"]["example"]
    assert datetime.fromisoformat(example["time"]) < datetime.now(UTC)
    assert gateway.post("/v1/events", example).json()["accepted"] == 1
    example = document["paths"]["/v1/track"]["post"]["requestBody"]["content"]["application/json"]
    assert gateway.post("/v1/track", example["schema"]["example"]).json()["accepted"] == 1
