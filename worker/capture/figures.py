"""The gateway's figures for Prometheus, over all its processes."""

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client import multiprocess as shared

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder in which processes keep their figures for each other."""

REQUESTS = Counter(
    "tiewatch_gateway_requests", "Requests answered.", ["route", "status"], registry=None
)
SECONDS = Histogram(
    "tiewatch_gateway_answer_seconds",
    "Seconds from a request to its answer.",
    ["route"],
    registry=None,
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
EVENTS = Counter(
    "tiewatch_gateway_events",
    "Events that were answered for: accepted, or quarantined.",
    ["way", "outcome"],
    registry=None,
)
BATCHES = Counter(
    "tiewatch_gateway_batches", "Batches by where they were kept.", ["kept"], registry=None
)
SPOOLED = Gauge(
    "tiewatch_gateway_spool_batches",
    "Batches in the database that wait for the broker.",
    registry=None,
    multiprocess_mode="mostrecent",
)

_ALL = (REQUESTS, SECONDS, EVENTS, BATCHES, SPOOLED)


def exposition() -> tuple[bytes, str]:
    """The figures, and the media type they are in."""
    registry = CollectorRegistry()
    if FOLDER in os.environ:
        shared.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        for one in _ALL:
            registry.register(one)
    return generate_latest(registry), CONTENT_TYPE_LATEST
