"""`webhooks.yaml`: what it may say, and what is told of what it may not."""

import pytest

from worker.core.rules import Severity
from worker.core.webhooks import FlagsTold, Transition, Webhook
from worker.rulefiles import RuleFilesRefused, check, load_webhooks

URL = "https://crm.example.com/hooks"
RULES = "rules:\n  - {id: quiet, title: t, severity: low, when: {mrr: over $5}}\n"


def read(folder, text):
    (folder / "webhooks.yaml").write_text(text, encoding="utf-8")
    return load_webhooks(folder)


@pytest.mark.parametrize("text", [None, "", "webhooks:\n", "webhooks: {}\n", "# nothing\n"])
def test_nothing_need_be_told(tmp_path, text):
    assert (load_webhooks(tmp_path) if text is None else read(tmp_path, text)) == ()


def test_a_webhook_is_told_of_flags_and_facts_of_some_accounts(tmp_path):
    text = f"""
webhooks:
  crm:
    url: {URL}
    segment: [smb, enterprise]
    flags:
      severity: [high, critical, high]
      rule: quiet
      transition: [resolved, opened]
    facts: [mrr, health]
  all-of-it: {{url: {URL}, flags: all}}
"""
    assert read(tmp_path, text) == (
        Webhook("all-of-it", URL, flags=FlagsTold()),
        Webhook(
            "crm",
            URL,
            ("enterprise", "smb"),
            FlagsTold(
                (Severity.CRITICAL, Severity.HIGH),
                ("quiet",),
                (Transition.OPENED, Transition.RESOLVED),
            ),
            ("health", "mrr"),
        ),
    )


def test_an_own_fact_of_metrics_yaml_can_be_told(tmp_path):
    own = "facts:\n  logins: {count: usage, over: 30 days}\n"
    (tmp_path / "metrics.yaml").write_text(own, encoding="utf-8")
    text = f"webhooks: {{crm: {{url: '{URL}', facts: logins}}}}"
    assert [one.facts for one in read(tmp_path, text)] == [("logins",)]


@pytest.mark.parametrize(
    "url", ["http://localhost:8000/x", "http://127.0.0.1/", "http://[::1]:9/", URL]
)
def test_http_is_for_this_machine_only(tmp_path, url):
    assert read(tmp_path, f"webhooks: {{crm: {{url: '{url}', flags: all}}}}")[0].url == url


def test_http_to_another_machine_has_to_be_meant(tmp_path):
    text = "webhooks: {crm: {url: 'http://crm.internal/x', allow_http: true, flags: all}}"
    assert read(tmp_path, text)[0].url == "http://crm.internal/x"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("webhook: {}", "1:1: unknown key 'webhook'; did you mean 'webhooks'?"),
        ("webhooks: [crm]", "1:11: 'webhooks' must be lines of 'key: value'"),
        (
            "webhooks: {CRM: {url: U, flags: all}}",
            "1:12: the name of a webhook is up to 40 of a-z, 0-9 and -",
        ),
        (
            "webhooks: {crm: {flags: all}}",
            "1:12: webhook 'crm' has no 'url': where is it to be sent?",
        ),
        (
            "webhooks: {crm: {url: U}}",
            "1:12: webhook 'crm' has neither 'flags' nor 'facts': what is it told of?",
        ),
        (
            "webhooks: {crm: {url: U, flags: all, secret: x}}",
            "1:68: a secret does not stand here: docs/webhooks.md says which variable has it",
        ),
        (
            "webhooks: {crm: {url: 'crm.example.com/x', flags: all}}",
            "1:23: 'url' is an address such as 'https://crm.example.com/hooks', not "
            "'crm.example.com/x'",
        ),
        ("webhooks: {crm: {url: 'https://a b', flags: all}}", "1:23: 'url' is an address such as"),
        ("webhooks: {crm: {url: 'https://x:99999/', flags: all}}", "1:23: 'url' is an address"),
        ("webhooks: {crm: {url: 'https://[x/', flags: all}}", "1:23: 'url' is an address"),
        (
            "webhooks: {crm: {url: 'http://crm.example.com', flags: all}}",
            "1:23: 'url' must begin with https://, or anyone on the way can read it; 'allow_http: "
            "true' beside it says that this is meant",
        ),
        ("webhooks: {crm: {url: 'https://x/#y', flags: all}}", "1:23: 'url' has a '#'"),
        (
            "webhooks: {crm: {url: U, flags: some}}",
            "1:63: 'flags' is 'all', or lines of severity, rule, transition, not 'some'",
        ),
        (
            "webhooks: {crm: {url: U, flags: {severity: hihg}}}",
            "1:74: unknown severity 'hihg'; did you mean 'high'?",
        ),
        (
            "webhooks: {crm: {url: U, flags: {transition: [opened, shut]}}}",
            "1:85: unknown transition 'shut'; it is opened, reopened, severity_changed",
        ),
        (
            "webhooks: {crm: {url: U, facts: [mrr, helth]}}",
            "1:69: unknown fact 'helth'; did you mean 'health'?",
        ),
    ],
)
def test_a_mistake_is_told_at_its_place(tmp_path, text, told):
    with pytest.raises(RuleFilesRefused) as refused:
        read(tmp_path, text.replace("url: U", f"url: '{URL}'"))
    assert str(refused.value).startswith(f"{tmp_path}/webhooks.yaml:{told}")


def test_a_password_in_an_address_is_refused_and_not_shown(tmp_path):
    with pytest.raises(RuleFilesRefused) as refused:
        read(tmp_path, "webhooks: {crm: {url: 'https://me:hunter2@crm.example.com', flags: all}}")
    assert "'url' has a user or a password" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_too_many_webhooks_are_refused(tmp_path):
    many = "\n".join(f"  w{n}: {{url: '{URL}', flags: all}}" for n in range(21))
    with pytest.raises(RuleFilesRefused, match="21 webhooks; 20 are allowed"):
        read(tmp_path, f"webhooks:\n{many}\n")


def test_a_rule_that_no_file_has_is_told_with_what_was_probably_meant(tmp_path):
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    text = f"webhooks: {{crm: {{url: '{URL}', flags: {{rule: [quiet, quite]}}}}}}"
    (tmp_path / "webhooks.yaml").write_text(text, encoding="utf-8")
    problems, _ = check([tmp_path])
    assert [one.message for one in problems] == ["unknown rule 'quite'; did you mean 'quiet'?"]
    assert problems[0].line == 1
    assert problems[0].column == text.index("quite") + 1


def test_it_is_checked_with_the_rules_and_by_itself(tmp_path):
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    (tmp_path / "webhooks.yaml").write_text("webhooks: {crm: {}}", encoding="utf-8")
    for path in (tmp_path, tmp_path / "webhooks.yaml"):
        assert check([path])[0], path
