"""Real workers tell other systems what a batch has changed, while one of those hangs."""

from tests.crash.processes import publish, until, workers
from tests.pipeline import event
from tests.receiver import SECRET, Receiver
from tests.slack_server import hang, slack_server
from tests.today import TODAY

RULES = "rules:\n  - {id: big, title: worth much, severity: high, when: {mrr: over $5}}\n"


def test_neither_slack_nor_another_receiver_waits_for_one_that_hangs(
    tmp_path, sqlite_url, broker_url
):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "all.yaml").write_text(RULES)
    with Receiver().run() as crm, Receiver().run() as stuck, slack_server() as slack:
        stuck.next(*[hang(60, posts=False)] * 20)
        told = "\n".join(
            f"  {name}: {{url: '{one.url()}', flags: all, facts: mrr}}"
            for name, one in (("crm", crm), ("stuck", stuck))
        )
        (tmp_path / "rules" / "webhooks.yaml").write_text(f"webhooks:\n{told}\n")
        settings = {
            "TIEWATCH_SLACK_BOT_TOKEN": "xoxb-1",
            "TIEWATCH_SLACK_BASE_URL": slack.url,
            "TIEWATCH_SLACK_CHANNEL": "C-default",
            "TIEWATCH_RULES_DIR": str(tmp_path / "rules"),
            "TIEWATCH_WEBHOOK_SECRET_CRM": SECRET,
            "TIEWATCH_WEBHOOK_SECRET_STUCK": SECRET,
        }
        with workers(tmp_path, sqlite_url, broker_url, **settings) as running:
            worker = running.start()
            publish(broker_url, {"b1": [event("account", TODAY, mrr=10)]})
            until(lambda: stuck.asked > 0, worker.log.read_text, seconds=20)
            until(lambda: len(crm.heard) == 2, worker.log.read_text, seconds=5)
            until(lambda: len(slack.posted) == 1, worker.log.read_text, seconds=20)
            publish(broker_url, {"b2": [event("account", TODAY, account="b", mrr=10)]})
            until(lambda: len(slack.posted) == 2, worker.log.read_text, seconds=20)
            until(lambda: len(crm.heard) == 4, worker.log.read_text, seconds=20)
            log = worker.log.read_text()
    assert stuck.heard == []
    assert [one.type for one in crm.heard] == ["flag.opened", "account.facts_changed"] * 2
    assert "worth much" not in log, "what is told is not logged"
    assert SECRET not in log
