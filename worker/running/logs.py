"""Logs: structlog, readable on a terminal, one JSON object a line elsewhere, always on stderr."""

import logging
import sys
from typing import Any

import structlog


def set_up(level: str = "info") -> None:
    """Send the logs of tiewatch and of its libraries through one format."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    last: list[Any] = (
        [structlog.dev.ConsoleRenderer()]
        if sys.stderr.isatty()
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    out = logging.StreamHandler(sys.stderr)
    out.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [out]
    root.setLevel(level.upper())
    for chatty in (
        "celery.worker.strategy",
        "celery.app.trace",
        "kombu",
        "amqp",
        "slack_sdk",
        "apscheduler",
    ):
        logging.getLogger(chatty).setLevel(logging.WARNING)
