"""Whatever is sent: nothing crashes, takes long or takes much memory.

A hundred thousand bodies take minutes: `python -m tests.gateway.test_fuzz 100000`.
"""

import gzip
import json
import resource
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random

from worker.capture import hooks, segment
from worker.capture.cloudevents import events_in
from worker.capture.reading import MOST_EVENTS, as_json, unpacked
from worker.capture.refusals import Refusal
from worker.capture.taking import Taken, take
from worker.core.addresses import NO_PEOPLE
from worker.rulefiles import load_capture
from worker.shipped import rules_dir

CAPTURE = load_capture(rules_dir() / "capture.yaml")
NOW = datetime(2026, 3, 5, tzinfo=UTC)
LONGEST_SECONDS = 0.1
MOST_BYTES = 100_000_000
KINDS = (
    "application/json",
    "application/cloudevents+json",
    "application/cloudevents-batch+json; charset=utf-8",
    "application/x-ndjson",
    "text/plain",
)

_EVENT = {
    "specversion": "1.0",
    "id": "a",
    "source": "crm",
    "type": "interaction",
    "time": "2026-03-05T14:20:00+01:00",
    "subject": "acme",
    "data": {"channel": "meeting", "reps": ["sam"], "contacts": ["dana"], "duration_minutes": 30},
}
_CALL = {
    "type": "track",
    "messageId": "m",
    "userId": "lee",
    "event": "Invoice Paid",
    "timestamp": "2026-03-05T14:20:00Z",
    "context": {"groupId": "acme"},
    "properties": {"mrr": 12.5, "subscription": "main", "term_end": 1_772_668_800_000},
}
_HOOK = [{"eventId": 1, "subscriptionType": "company.propertyChange", "propertyName": "name"}]
_SEEDS = [
    json.dumps(one).encode()
    for one in (_EVENT, [_EVENT, _EVENT], _CALL, {"batch": [_CALL, _CALL]}, _HOOK)
]
_PIECES = [
    *(b"[" * 5_000, b"{" * 3_000, b'{"a":' * 2_000, b"]" * 200, b"1" * 6_000, b"1e999", b"-1e400"),
    *(b"NaN", b"\xff\xfe", b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b"\0", b"null", b"\xf0\x9f"),
    *(b'"time":"9999-12-31T23:59:59-23:59"', b'"time": 1e300', b"0001-01-01T00:00:00+14:00"),
    *(b"[" * 99 + b"]" * 99, b",", b'"', b"\\", b"\r\n", b" " * 1_000, b"{}", b"[[]]", b"true"),
]


def bodies(number: int, seed: int) -> Iterator[tuple[bytes, bool]]:
    """(body, whether it is said to be gzip): good ones with a few pieces changed."""
    chance = Random(seed)
    for _ in range(number):
        body = bytearray(chance.choice(_SEEDS))
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(body) + 1)
            match chance.randrange(5):
                case 0:
                    body[at:at] = chance.choice(_PIECES)
                case 1:
                    del body[at : at + chance.randrange(1, 20)]
                case 2:
                    body[at : at + 1] = bytes([chance.randrange(256)])
                case 3:
                    end = chance.randrange(at, len(body) + 1)
                    body[at:at] = body[at:end] * chance.randrange(1, 4)
                case 4:
                    body[at : at + 4] = chance.choice(_PIECES)
        packed = chance.random() < 0.1
        content = gzip.compress(bytes(body), 1) if packed else bytes(body)
        if packed and chance.random() < 0.5:
            content = content[: chance.randrange(len(content))] + chance.randbytes(8)
        yield content, packed


def read(content: bytes, packed: bool, chance: Random) -> list[Taken]:
    """All that the gateway makes of a body, whichever way it comes in."""
    found: list[Taken] = []
    try:
        body = unpacked(content, "gzip" if packed else "")
        headers = {"content-type": chance.choice(KINDS)}
        if chance.random() < 0.2:
            headers |= {
                "ce-id": "a%zz",
                "ce-specversion": "1.0",
                "ce-time": "%ff",
                "ce-type": "usage",
            }
        found.append(take(events_in(headers, body), "app", NO_PEOPLE, NOW))
    except Refusal:
        pass
    try:
        value = as_json(unpacked(content, "gzip" if packed else ""))
    except Refusal:
        return found
    calls = segment.messages_in(value)
    if len(calls) <= MOST_EVENTS:
        found.append(segment.take(calls, "app", CAPTURE, NOW))
    hook = CAPTURE.hooks[chance.choice(sorted(CAPTURE.hooks))]
    messages = hooks.messages_in(value, hook)
    if len(messages) <= MOST_EVENTS:
        found.append(hooks.take(messages, "app", hook, NO_PEOPLE, NOW))
    return found


def torture(number: int, seed: int) -> float:
    """Read so many bodies; the longest that one took, in seconds of this process."""
    chance, longest = Random(seed), 0.0
    for content, packed in bodies(number, seed):
        began = time.process_time()
        for taken in read(content, packed, chance):
            json.dumps(taken.events)
            json.dumps([one.body for one in taken.refused])
        longest = max(longest, time.process_time() - began)
    return longest


def test_no_mutated_body_crashes_or_takes_long():
    before = _peak()
    assert torture(3_000, 1) < LONGEST_SECONDS
    assert _peak() - before < MOST_BYTES


def test_bombs_are_bounded():
    before = _peak()
    for body in (
        gzip.compress(b"[" + b"0," * 50_000_000 + b"0]", 9),
        gzip.compress(b"\0" * 100_000_000, 9),
        b"[" * 2_500_000 + b"]" * 2_500_000,
        b'{"a":' * 900_000,
        b"[" + b"{}," * 1_600_000 + b"{}]",
    ):
        chance = Random(0)
        began = time.process_time()
        read(body, body[:2] == b"\x1f\x8b", chance)
        assert time.process_time() - began < 2
    assert _peak() - before < 400_000_000


def _peak() -> int:
    """The most memory that this process ever had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    wanted, first = int(sys.argv[1]), _peak()
    slowest = torture(wanted, 2)
    print(f"{wanted:,} bodies: the slowest took {1000 * slowest:.0f} ms; {_peak() - first:,} bytes")
