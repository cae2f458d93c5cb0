"""The limit for the gateway: an endpoint that validates events and discards them."""

from datetime import datetime
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Event(BaseModel):
    """An envelope as an application would declare it."""

    id: str
    source: str
    type: str
    time: datetime
    data: dict[str, Any]
    subject: str | None = None


@app.post("/v1/events", status_code=202)
async def events(given: list[Event]) -> dict[str, int]:
    """Count what came."""
    return {"accepted": len(given)}
