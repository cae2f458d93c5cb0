"""`tiewatch webhooks`, and what `deliver` and `doctor` say of webhooks."""

from datetime import timedelta

import pytest

from tests.cli.conftest import lines
from tests.pipeline import event
from tests.receiver import SECRET, Receiver
from tests.slack_server import status
from tests.today import TODAY, clock
from worker.store.database import writing
from worker.store.tables import webhook_messages

RULES = """
rules:
  - {id: big, title: worth much, severity: high, when: {mrr: over $5}}
"""


@pytest.fixture
def crm():
    with Receiver().run() as receiver:
        yield receiver


@pytest.fixture
def told(tiewatch, folder, crm):
    """The command line where a webhook `crm-1` is told of all flags, and one has opened."""
    (folder / "rules").mkdir()
    (folder / "rules" / "all.yaml").write_text(RULES)
    text = f"webhooks: {{crm-1: {{url: '{crm.url()}', flags: all}}}}\n"
    (folder / "rules" / "webhooks.yaml").write_text(text)
    given = lines(event("account", TODAY, mrr=10)).encode()
    # Without its secret, so that the message waits.
    assert tiewatch("ingest", "--direct", "-", stdin=given).status == 0
    return tiewatch


def run(tiewatch, *arguments, secret=SECRET):
    return tiewatch(*arguments, WEBHOOK_SECRET_CRM_1=secret)


def findings(tiewatch, *arguments, secret=SECRET):
    found = run(tiewatch, *arguments, "--json", secret=secret)
    return found.status, [one for one in found.json if one["subject"].startswith("webhook")]


def test_check_sends_a_signed_test_message_and_says_what_came_back(told, crm):
    ended = run(told, "webhooks", "check")
    assert (ended.status, ended.out) == (
        0,
        "ok  webhook crm-1: took the test message (200 OK)\n",
    )
    (one,) = crm.heard
    assert (one.type, one.data) == ("test", {"webhook": "crm-1"})


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (status(401, b"who are you?"), "401 Unauthorized: who are you?: check its 'url' and the"),
        (status(503), "503 Service Unavailable: check its 'url', and whether the receiver runs"),
        (status(410), "410 Gone: the receiver wants nothing more"),
    ],
)
def test_check_says_what_is_wrong_and_what_to_do(told, crm, answer, said):
    crm.next(answer)
    code, (found,) = findings(told, "webhooks", "check", "crm-1")
    assert (code, found["ok"]) == (1, False)
    assert found["detail"].startswith(said)


@pytest.mark.parametrize("secret", ["", "hunter2"])
def test_a_secret_that_is_missing_or_none_is_named_and_not_shown(told, secret):
    ended = run(told, "webhooks", "check", secret=secret)
    assert ended.status == 1
    assert "TIEWATCH_WEBHOOK_SECRET_CRM_1" in ended.out
    assert "hunter2" not in ended.out + ended.err


def test_a_secret_may_come_from_a_file(told, folder, crm):
    (folder / "secret").write_text(f"{SECRET}\n")
    ended = told("webhooks", "check", WEBHOOK_SECRET_CRM_1_FILE=folder / "secret")
    assert (ended.status, len(crm.heard)) == (0, 1)


def test_a_name_that_no_webhook_has_is_refused_with_those_there_are(told):
    for command in ("check", "resume"):
        ended = run(told, "webhooks", command, "erp")
        assert (ended.status, ended.out) == (2, "")
        assert "There is no webhook 'erp'" in ended.err
        assert "there are crm-1" in ended.err


def test_without_any_webhook_check_says_where_they_stand(tiewatch):
    ended = tiewatch("webhooks", "check")
    assert ended.status == 2
    assert "webhooks.yaml" in ended.err


def test_deliver_tells_webhooks_too(told, crm):
    ended = run(told, "deliver")
    assert "Webhooks: 1 sent, 0 failed, 0 waiting." in ended.out
    assert [one.type for one in crm.heard] == ["flag.opened"]
    assert run(told, "deliver", "--json").json == {"sent": 0, "failed": 0, "waiting": 0}


def test_doctor_says_what_was_refused_and_resume_sends_it_again(told, crm):
    crm.next(status(422, b"no such account"))
    assert "Webhooks: 0 sent, 1 failed" in run(told, "deliver").out
    code, (_, refused) = findings(told, "doctor")
    assert code == 1
    assert refused["detail"] == (
        "1 message was given up: 422 Unprocessable Entity: no such account. "
        "'tiewatch webhooks check crm-1' tries it, 'tiewatch webhooks resume crm-1' sends them "
        "again"
    )
    ended = run(told, "webhooks", "resume", "crm-1", "--json")
    assert ended.json == {"webhook": "crm-1", "again": 1, "overtaken": 0, "waiting": 1}
    assert run(told, "deliver", "--json").json["sent"] >= 1
    assert [one.type for one in crm.heard] == ["flag.opened"]


def test_doctor_says_that_a_receiver_stopped_it_and_how_to_go_on(told, crm):
    crm.next(status(410))
    run(told, "deliver")
    _, (found,) = findings(told, "doctor")
    assert found["ok"] is False
    assert "its receiver said 410 Gone; 1 message waits" in found["detail"]
    assert "'tiewatch webhooks resume crm-1' goes on" in found["detail"]
    run(told, "webhooks", "resume", "crm-1")
    run(told, "deliver")
    assert len(crm.heard) == 1


def test_doctor_says_that_messages_wait_for_a_secret_or_for_long(told, crm, embedded):
    _, (found,) = findings(told, "doctor", secret="")
    assert found["detail"] == (
        "TIEWATCH_WEBHOOK_SECRET_CRM_1 is not set: what is sent must be signed; 1 message waits"
    )
    _, (found,) = findings(told, "doctor", secret="hunter2")
    assert found["detail"].startswith("TIEWATCH_WEBHOOK_SECRET_CRM_1 cannot be used: ")
    _, (found,) = findings(told, "doctor")
    assert (found["ok"], found["detail"]) == (True, "1 message waits")
    with writing(embedded) as db:
        before = clock() - timedelta(minutes=11)
        db.execute(webhook_messages.update().values(created_at=before))
    crm.next(status(500))
    run(told, "deliver")
    _, (found,) = findings(told, "doctor")
    assert found["ok"] is False
    assert found["detail"].endswith("500 Internal Server Error")
