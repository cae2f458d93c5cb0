"""docs/webhooks.md says what is sent, and how to take it."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from tests.receiver import SECRET
from worker.core.webhooks import Transition
from worker.rulefiles import load_webhooks
from worker.webhooks import payload
from worker.webhooks.payload import FactsChanged, FlagMoved
from worker.webhooks.posting import headers

PAGE = (Path(__file__).parents[2] / "docs/webhooks.md").read_text()
SHOWN = {
    message["type"]: message
    for message in map(json.loads, re.findall(r"```json\n(.*?)```", PAGE, re.S))
}


@pytest.mark.parametrize(
    ("type_", "content"), [("flag.opened", FlagMoved), ("account.facts_changed", FactsChanged)]
)
def test_the_messages_shown_are_such_as_are_sent_field_by_field(type_, content):
    shown = SHOWN[type_]
    at = datetime.fromisoformat(shown["timestamp"])
    said = payload.text(type_, at, msgspec.convert(shown["data"], content))
    assert json.loads(said) == shown
    assert list(json.loads(said)["data"]) == list(shown["data"])


def test_every_type_of_message_is_in_the_table():
    table = set(re.findall(r"`((?:flag|account)\.\w+)`", PAGE))
    sent = {payload.flag_type(one) for one in Transition} | {payload.FACTS_CHANGED}
    assert table == sent


def test_the_file_shown_is_right(tmp_path):
    (shown,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    (tmp_path / "webhooks.yaml").write_text(shown)
    (webhook,) = load_webhooks(tmp_path)
    assert (webhook.name, webhook.facts) == ("crm", ("health", "strong_exec_ties"))


def test_the_receiver_shown_takes_a_message_once_and_none_that_is_not_ours():
    (shown,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    within: dict = {}
    exec(shown, within)
    body = payload.text(payload.TEST, datetime.now(UTC), {"webhook": "crm"})
    sent, known = headers("msg_1", body, SECRET, datetime.now(UTC)), set()
    assert within["take"](sent, body.encode(), SECRET, known)["type"] == "test"
    assert within["take"](sent, body.encode(), SECRET, known) is None
    with pytest.raises(WebhookVerificationError):
        within["take"](sent, body.encode() + b" ", SECRET, known)
