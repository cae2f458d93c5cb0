"""How a request is refused: a status, a word for programs and a line for people, as JSON.

Segment's libraries read `code` and `message` out of an answer that is no success.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

RETRY_SECONDS = 5
"""After how long a sender may try again what could not be kept now."""


class Refusal(Exception):
    """The answer to a request that is not accepted."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        message: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`code` is for programs, `message` says what is wrong and what to do."""
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = dict(headers or {})

    @property
    def document(self) -> dict[str, Any]:
        """The body of the answer."""
        return {"code": self.code, "message": self.message}


def unavailable(message: str) -> Refusal:
    """What was sent is kept nowhere: send it again later."""
    headers = {"Retry-After": str(RETRY_SECONDS)}
    return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", message, headers)
