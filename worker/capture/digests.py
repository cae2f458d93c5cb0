"""Ids for what comes without one: the same again gets the same."""

import hashlib
from typing import Any

import msgspec

from worker.core.problems import as_json


def digest_of(value: Any) -> str:
    """A digest of a JSON value, whatever order its keys are in."""
    try:
        content = msgspec.json.encode(value, order="sorted")
    except (UnicodeEncodeError, RecursionError):  # half a surrogate pair
        content = as_json(value).encode()
    return hashlib.sha256(content).hexdigest()
