"""`tiewatch hold`: silence about an account."""

from datetime import timedelta

import pytest

from tests.cli.conftest import lines
from tests.pipeline import event, rows
from tests.today import TODAY
from worker.store import tables

RULES = "rules: [{id: no-seats, title: No seats, severity: high, when: {licences: unknown}}]\n"


@pytest.fixture
def workspace(tiewatch, folder):
    (folder / "rules").mkdir()
    (folder / "rules" / "ours.yaml").write_text(RULES)
    given = [event("account", TODAY, account=name, name=name.title()) for name in ("acme", "birch")]
    assert tiewatch("ingest", "--direct", "-", stdin=lines(*given).encode()).status == 0
    return tiewatch


def test_nothing_is_told_of_an_account_on_hold_whose_rules_are_evaluated_all_the_same(
    workspace, embedded
):
    until = str(TODAY + timedelta(5))
    done = workspace("hold", "acme", "--until", until)
    assert done.status == 0
    assert done.out == f"Nothing is told of acme up to and on {until}.\n"
    assert workspace("deliver", "--json").json == {"sent": 1, "failed": 0, "waiting": 0}
    assert [flag["account"] for flag in workspace("flags", "--json").json] == ["acme", "birch"]
    errors = [row["error"] for row in rows(embedded, tables.messages) if row["state"] == "dropped"]
    assert errors == ["the account is on hold"]
    assert workspace("hold", "--json").json == [{"account": "acme", "until": until}]
    assert "acme" in workspace("hold").out
    found = {one["subject"]: one for one in workspace("doctor", "--json").json}
    assert found["on hold"] == {
        "subject": "on hold",
        "ok": True,
        "detail": f"nothing is told of acme up to {until}",
    }


def test_a_hold_can_be_changed_and_lifted(workspace):
    first, second = (str(TODAY + timedelta(days)) for days in (5, 9))
    workspace("hold", "acme", "--until", first)
    done = workspace("hold", "acme", "--until", second, "--json")
    assert done.json == {"account": "acme", "until": second}
    assert workspace("hold", "--json").json == [{"account": "acme", "until": second}]
    assert workspace("hold", "acme", "--lift", "--json").json == {"account": "acme", "until": None}
    assert workspace("hold", "--json").json == []


def test_what_a_hold_silenced_is_told_with_the_sweep_after_it(workspace):
    workspace("hold", "acme", "--until", str(TODAY))
    assert workspace("deliver", "--json").json["sent"] == 1
    workspace("hold", "acme", "--lift")
    workspace("sweep", "--on", str(TODAY + timedelta(1)))
    done = workspace("deliver")
    assert "Acme: No seats" in done.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["acme"], "Say until when"),
        (["acme", "--until", "soon"], "'soon' is not a date"),
        (["acme", "--until", "2020-01-01"], "2020-01-01 is past"),
        (["acme", "--until", "2999-01-01", "--lift"], "Say until when"),
        (["nobody", "--until", "2999-01-01"], "There is no account 'nobody'"),
        (["acme", "--lift"], "'acme' is not on hold"),
        (["--lift"], "Which account?"),
    ],
)
def test_wrong_use_says_what_would_be_right(workspace, arguments, told):
    done = workspace("hold", *arguments)
    assert (done.status, done.out) == (2, "")
    assert told in done.err
