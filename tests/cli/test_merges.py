"""`tiewatch accounts` and `tiewatch contacts`: two that are one."""

from datetime import timedelta

import pytest

from tests.cli.conftest import lines
from tests.pipeline import event, meeting, rows
from tests.today import TODAY
from worker.store import tables

DAY = timedelta(1)
RULES = "rules: [{id: no-seats, title: No seats, severity: high, when: {licences: unknown}}]\n"


@pytest.fixture
def workspace(tiewatch, folder):
    """Acme, with Dana under two ids; and Acme again, as billing calls it."""
    (folder / "rules").mkdir()
    (folder / "rules" / "ours.yaml").write_text(RULES)
    given = [
        event("account", TODAY - DAY, seats=5),
        *[meeting(TODAY - DAY, who) for who in ("dana", "dana@acme.test", "dana")],
        event("account", TODAY - 2 * DAY, account="acme-billing", segment="enterprise"),
        meeting(TODAY - 2 * DAY, "dana", account="acme-billing"),
        meeting(TODAY - 2 * DAY, "lee", account="acme-billing"),
    ]
    assert tiewatch("ingest", "--direct", "-", stdin=lines(*given).encode()).status == 0
    return tiewatch


def facts(tiewatch, account="acme"):
    (found,) = tiewatch("facts", account, "--json").json
    return found["facts"]


def ties(tiewatch):
    return [(tie["account"], tie["contact"]) for tie in tiewatch("ties", "--json").json]


def test_an_account_is_merged_with_its_history_and_with_what_still_comes_for_it(workspace):
    done = workspace("accounts", "merge", "acme-billing", "acme", "--by", "ana")
    assert (done.status, done.out) == (
        0,
        "acme-billing is acme from now on, with 3 events and 2 ties; "
        "flags: 0 opened, 1 resolved.\n",
    )
    assert ties(workspace) == [("acme", "dana"), ("acme", "dana@acme.test"), ("acme", "lee")]
    assert facts(workspace)["segment"] == "enterprise"
    later = lines(event("account", TODAY, account="acme-billing", segment="smb"))
    assert workspace("ingest", "--direct", "-", stdin=later.encode()).status == 0
    assert facts(workspace)["segment"] == "smb"
    assert workspace("facts", "acme-billing").status == 2


def test_what_both_have_claimed_comes_out_of_quarantine_when_they_are_merged(workspace):
    both = [
        event("account", TODAY - DAY, account=one, domains=["acme.test"])
        for one in ("acme", "acme-billing")
    ]
    people = {"reps": ["sam"], "contacts": ["kim@acme.test"]}
    sent = event("interaction", TODAY - DAY, account=None, channel="meeting", **people)
    given = lines(*both, sent | {"tiewatchpeople": "email"}).encode()
    assert workspace("ingest", "--direct", "-", stdin=given).status == 2
    assert "then it is taken in by itself" in workspace("quarantine", "list", "--json").out
    done = workspace("accounts", "merge", "acme-billing", "acme", "--by", "ana")
    assert "1 event that had waited for this was taken in besides." in done.err
    assert ("acme", "kim@acme.test") in ties(workspace)
    assert workspace("quarantine", "list", "--json").json == []


def test_what_a_merge_would_change_can_be_seen_before(workspace, embedded):
    before = {table: rows(embedded, table) for table in tables.metadata.sorted_tables}
    done = workspace("accounts", "merge", "acme-billing", "acme", "--dry-run", "--json")
    assert done.json == {
        "account": "acme-billing",
        "survivor": "acme",
        "events": 3,
        "ties": 2,
        "opened": 0,
        "resolved": 1,
        "reopened": 0,
        "dry_run": True,
    }
    assert before == {table: rows(embedded, table) for table in tables.metadata.sorted_tables}


def test_a_merge_of_accounts_is_undone_with_what_has_come_since(workspace):
    before = facts(workspace, "acme-billing"), facts(workspace)
    workspace("accounts", "merge", "acme-billing", "acme")
    later = lines(event("account", TODAY, account="acme-billing", region="EMEA"))
    workspace("ingest", "--direct", "-", stdin=later.encode())
    done = workspace("accounts", "unmerge", "acme-billing", "--by", "bo")
    assert done.out == (
        "acme-billing is itself again, with 4 events and 2 ties; "
        "flags: 0 opened, 0 resolved, 1 taken up again.\n"
    )
    assert (facts(workspace, "acme-billing"), facts(workspace)) == before
    assert [flag["account"] for flag in workspace("flags", "--json").json] == ["acme-billing"]
    assert workspace("accounts", "merges", "--json").json == []
    (undone,) = workspace("accounts", "merges", "--all", "--json").json
    assert (undone["account"], undone["survivor"], undone["undone_by"]) == (
        *("acme-billing", "acme", "bo"),
    )


def test_a_contact_is_merged_in_the_one_account_that_has_both(workspace):
    done = workspace("contacts", "merge", "dana@acme.test", "dana", "--by", "ana")
    assert (done.status, done.out) == (
        0,
        "dana@acme.test is dana from now on, in acme, with 1 event and 1 tie; "
        "flags: 0 opened, 0 resolved.\n",
    )
    assert ties(workspace) == [("acme", "dana"), ("acme-billing", "dana"), ("acme-billing", "lee")]
    (merge,) = workspace("contacts", "merges", "--json").json
    assert merge["contact"] == "dana@acme.test"
    assert merge["merged_by"] == "ana"
    assert "dana@acme.test" in workspace("contacts", "merges").out
    assert workspace("contacts", "unmerge", "dana@acme.test").status == 0
    assert ("acme", "dana@acme.test") in ties(workspace)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("accounts merge acme acme", "'acme' is one account"),
        ("accounts merge acme birch", "There is no account 'birch'. 'tiewatch facts' lists them."),
        ("accounts merge birch acme", "There is no account 'birch'."),
        ("accounts unmerge acme", "'acme' has not been merged. 'tiewatch accounts merges' lists"),
        ("contacts merge dana dana --account acme", "'dana' is one contact"),
        ("contacts merge dana kim", "No account has contacts 'dana' and 'kim'."),
        ("contacts merge kim dana --account acme", "'acme' has no contact 'kim'."),
        ("contacts merge dana lee --account birch", "There is no account 'birch'."),
        ("contacts unmerge dana", "'dana' has not been merged."),
    ],
)
def test_what_cannot_be_merged_is_refused_with_what_to_do(workspace, command, said):
    done = workspace(*command.split())
    assert done.status == 2
    assert said in done.err.replace("\n", " ")


def test_what_has_been_merged_is_not_merged_again(workspace):
    assert workspace("accounts", "merge", "acme-billing", "acme").status == 0
    for command in (
        "accounts merge acme-billing acme",
        "accounts merge acme acme-billing",
        "contacts merge dana lee --account acme-billing",
    ):
        done = workspace(*command.split())
        assert done.status == 2
        assert "'acme-billing' has been merged into 'acme': name that one, or" in done.err
    assert workspace("contacts", "merge", "dana@acme.test", "dana").status == 0
    done = workspace("contacts", "merge", "lee", "dana@acme.test", "--account", "acme")
    assert done.status == 2
    assert "tiewatch contacts unmerge dana@acme.test --account acme" in done.err


def test_which_account_a_contact_is_of_must_be_said_where_several_have_it(workspace):
    given = [meeting(TODAY - DAY, who, account="birch") for who in ("dana", "dana@acme.test")]
    workspace("ingest", "--direct", "-", stdin=lines(*given).encode())
    done = workspace("contacts", "merge", "dana@acme.test", "dana")
    assert done.status == 2
    assert "acme, birch have contacts" in done.err
    assert (
        workspace("contacts", "merge", "dana@acme.test", "dana", "--account", "birch").status == 0
    )
    assert ties(workspace)[-1] == ("birch", "dana")
