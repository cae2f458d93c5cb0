"""Who sent a request: the keys, looked up every few seconds and held in memory between.

So a request costs no query, and with the database away the keys that were good stay good.
"""

import base64
import binascii
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from sqlalchemy.exc import SQLAlchemyError

from worker.capture.refusals import Refusal, unavailable
from worker.store.api_keys import ApiKey, Scope, digest_of, id_of

LOOK_EVERY = 5.0
"""Seconds after which keys are looked up again: so long may a revoked one still open."""

LOOK_AGAIN = 1.0
"""Seconds between two looks for keys that are not known: anybody may make some up."""

SHORTEST_SET = 16
"""Characters of a key that a setting names."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose request it is: the key's id and name, and the source of what it brings."""

    key: str
    name: str
    source: str
    scopes: frozenset[Scope]


class Keyring:
    """The keys that open, in this process."""

    def __init__(self, read: Callable[[], list[ApiKey]], given: Mapping[str, str]) -> None:
        """`read` gets the stored keys, `given` are names and keys of the settings."""
        self._read = read
        self._given = {
            digest_of(key): Sender(f"setting:{name}", name, name, frozenset(Scope))
            for name, key in given.items()
        }
        self._keys: dict[str, ApiKey] | None = None
        self._looked_at = 0.0
        self.used: dict[str, datetime] = {}

    def sender(self, headers: Mapping[str, str], scope: Scope, now: datetime) -> Sender:
        """Whose key the request brings. May wait for the database, so ask from a thread.

        Raises:
            Refusal: it brings none, a wrong one, or one that is not for this.
        """
        found = self._whose(_key_in(headers))
        if scope not in found.scopes:
            has = ", ".join(sorted(found.scopes)) or "nothing"
            message = f"this key is for {has}, not for {scope}: make one with --scope {scope}"
            raise Refusal(HTTPStatus.FORBIDDEN, "scope", message)
        self.used[found.key] = now
        return found

    def is_fresh(self) -> bool:
        """Whether a sender can be told without waiting for the database."""
        return self._keys is not None and time.monotonic() - self._looked_at < LOOK_EVERY

    def knows(self, headers: Mapping[str, str]) -> bool:
        """Whether the request's key is one of those held in memory, right or wrong."""
        try:
            key = _key_in(headers)
        except Refusal:
            return True
        return digest_of(key) in self._given or (id_of(key) or "") in (self._keys or {})

    def _whose(self, key: str) -> Sender:
        given = self._given.get(digest_of(key))  # the digest tells nothing of how near a guess is
        if given is not None:
            return given
        id_ = id_of(key) or ""
        if not self.is_fresh() or (id_ not in (self._keys or {}) and self._may_look()):
            self._look()
        stored = (self._keys or {}).get(id_)
        if stored is None or not stored.opens_with(key):
            raise _wrong_key()
        return Sender(stored.id, stored.name, stored.source, stored.scopes)

    def _may_look(self) -> bool:
        return time.monotonic() - self._looked_at >= LOOK_AGAIN

    def _look(self) -> None:
        try:
            found = self._read()
        except SQLAlchemyError as error:
            if self._keys is None:
                raise unavailable("the keys cannot be looked up: the database is away") from error
            self._looked_at = time.monotonic()
            return
        self._keys = {key.id: key for key in found if key.revoked_at is None}
        self._looked_at = time.monotonic()


def given_keys(text: str) -> dict[str, str]:
    """The keys of a setting, `name:key` each, between them spaces or commas.

    Raises:
        ValueError: it is not written so, or a key is too short; the message repeats none.
    """
    found = {}
    for part in text.replace(",", " ").split():
        name, colon, key = part.partition(":")
        if not colon or not name:
            raise ValueError("write it as name:key, more of them with a comma between")
        if len(key) < SHORTEST_SET:
            raise ValueError(f"the key of {name!r} has less than {SHORTEST_SET} characters")
        found[name] = key
    return found


def brings_key(headers: Mapping[str, str]) -> bool:
    """Whether a request's headers bring a key, right or wrong."""
    return "x-api-key" in headers or "authorization" in headers


def _key_in(headers: Mapping[str, str]) -> str:
    """The key that a request's headers bring: `X-API-Key`, or Bearer or Basic authorization."""
    if key := headers.get("x-api-key"):
        return key
    scheme, _, value = headers.get("authorization", "").partition(" ")
    match scheme.lower():
        case "bearer" if value.strip():
            return value.strip()
        case "basic":
            return _user_in(value)
    raise _no_key("send a key: Authorization: Bearer KEY, or Basic with the key as the user name")


def _user_in(value: str) -> str:
    try:
        user, _, _ = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise _no_key("Basic authorization is the base64 of 'KEY:'") from None
    if not user:
        raise _no_key("Basic authorization has the key as its user name")
    return user


def _no_key(message: str) -> Refusal:
    headers = {"WWW-Authenticate": 'Bearer realm="tiewatch"'}
    return Refusal(HTTPStatus.UNAUTHORIZED, "no_key", message, headers)


def _wrong_key() -> Refusal:
    headers = {"WWW-Authenticate": 'Bearer realm="tiewatch"'}
    message = "this key is not known, or was revoked: 'tiewatch keys list' shows which there are"
    return Refusal(HTTPStatus.UNAUTHORIZED, "wrong_key", message, headers)
