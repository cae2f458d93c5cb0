"""`tiewatch accounts` and `tiewatch contacts`: two of them that are one, and how that is undone."""

import getpass
from collections.abc import Callable
from typing import Annotated, Any

import typer

from worker.cli.access import database
from worker.cli.batching import release_the_rest
from worker.cli.terminal import AsJson, Refused, out, print_json, table
from worker.intake import merging
from worker.intake.merging import Done, Order
from worker.running import runtime
from worker.slack.phrases import counted
from worker.store import merges as store
from worker.store.database import reading
from worker.store.merges import Merged, MergeRefused
from worker.store.tables import account_merges, contact_merges

accounts = typer.Typer(no_args_is_help=True, help="Two accounts that are one customer.")
contacts = typer.Typer(no_args_is_help=True, help="Two contacts that are one person.")

Account = Annotated[str, typer.Argument(help="The account to give up, by its id.")]
Contact = Annotated[str, typer.Argument(help="The contact to give up, by its id.")]
Into = Annotated[str, typer.Argument(help="The one that it is.")]
GivenUp = Annotated[str, typer.Argument(help="The one that was given up, by its id.")]
Of = Annotated[
    str | None,
    typer.Option(
        "--account", help="The contact's account; needed if several have a contact of that id."
    ),
]
By = Annotated[
    str | None, typer.Option("--by", help="Who decided it; by default whoever is logged in.")
]
Dry = Annotated[
    bool, typer.Option("--dry-run", help="Tell what it would change, and change nothing.")
]
Everything = Annotated[bool, typer.Option("--all", help="Those undone, too.")]


@accounts.command("merge")
def merge_accounts(
    account: Account, survivor: Into, by: By = None, dry_run: Dry = False, as_json: AsJson = False
) -> None:
    """Let an account be another one, with its whole history, and with all that still comes for it.

    Its flags are resolved, and the rules are evaluated for the other. What is in quarantine since
    both claimed it is taken in. 'unmerge' undoes it.
    """
    done = _do(
        by, dry_run, lambda order: merging.merge_accounts(database(), order, account, survivor)
    )
    if not dry_run:
        release_the_rest(database())
    _tell(done, {"account": account}, f"{account} is {survivor} from now on", dry_run, as_json)


@accounts.command("unmerge")
def unmerge_account(
    account: GivenUp, by: By = None, dry_run: Dry = False, as_json: AsJson = False
) -> None:
    """Let an account be itself again, as if it had never been merged."""
    done = _do(by, dry_run, lambda order: merging.unmerge_account(database(), order, account))
    _tell(done, {"account": account}, f"{account} is itself again", dry_run, as_json)


@accounts.command("merges")
def list_accounts(everything: Everything = False, as_json: AsJson = False) -> None:
    """Show which accounts were merged into which, by whom and when."""
    with reading(database()) as db:
        _list(store.listed(db, account_merges, everything), as_json)


@contacts.command("merge")
def merge_contacts(
    contact: Contact,
    survivor: Into,
    account: Of = None,
    by: By = None,
    dry_run: Dry = False,
    as_json: AsJson = False,
) -> None:
    """Let a contact be another one of the same account, with everything that was ever told of it.

    'unmerge' undoes it.
    """
    of = account or _account_with(contact, survivor)
    done = _do(
        by, dry_run, lambda order: merging.merge_contacts(database(), order, of, contact, survivor)
    )
    said = f"{contact} is {survivor} from now on, in {of}"
    _tell(done, {"account": of, "contact": contact}, said, dry_run, as_json)


@contacts.command("unmerge")
def unmerge_contact(
    contact: GivenUp,
    account: Of = None,
    by: By = None,
    dry_run: Dry = False,
    as_json: AsJson = False,
) -> None:
    """Let a contact be itself again, as if it had never been merged."""
    of = account or _account_without(contact)
    done = _do(by, dry_run, lambda order: merging.unmerge_contact(database(), order, of, contact))
    said = f"{contact} is itself again, in {of}"
    _tell(done, {"account": of, "contact": contact}, said, dry_run, as_json)


@contacts.command("merges")
def list_contacts(everything: Everything = False, as_json: AsJson = False) -> None:
    """Show which contacts were merged into which, by whom and when."""
    with reading(database()) as db:
        _list(store.listed(db, contact_merges, everything), as_json)


def _do(by: str | None, dry: bool, work: Callable[[Order], Done]) -> Done:
    """What came of it, by the rules in force. Raises `Refused` if it cannot be done."""
    who, now = by or _logged_in(), runtime.clock()
    try:
        return runtime.with_rules_in_force(lambda book: work(Order(who, now, book, dry)))
    except MergeRefused as error:
        raise Refused(str(error)) from error


def _logged_in() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError) as error:  # a user id without a name, as containers have
        raise Refused("Say who decided it, with --by NAME.") from error


def _account_with(*contacts: str) -> str:
    """The one account that has these contacts. Raises `Refused` if there is not one."""
    with reading(database()) as db:
        found = store.accounts_with(db, contacts)
    if len(found) == 1:
        return found[0]
    both = " and ".join(map(repr, contacts))
    if not found:
        raise Refused(f"No account has contacts {both}. 'tiewatch ties ACCOUNT' lists them.")
    raise Refused(f"{', '.join(found)} have contacts {both}: say which, with --account.")


def _account_without(contact: str) -> str:
    """The one account in which this contact was merged. Raises `Refused` if there is not one."""
    with reading(database()) as db:
        found = [m.account for m in store.listed(db, contact_merges) if m.contact == contact]
    if len(found) == 1:
        return found[0]
    if not found:
        raise Refused(
            f"{contact!r} has not been merged. 'tiewatch contacts merges' lists what has."
        )
    raise Refused(f"{contact!r} was merged in {', '.join(found)}: say which, with --account.")


def _tell(done: Done, whose: dict[str, str], said: str, dry: bool, as_json: bool) -> None:
    if as_json:
        print_json(
            whose
            | {
                "survivor": done.survivor,
                "events": done.events,
                "ties": done.ties,
                "opened": done.opened,
                "resolved": done.resolved,
                "reopened": done.reopened,
                "dry_run": dry,
            }
        )
        return
    flags = f"flags: {done.opened} opened, {done.resolved} resolved"
    if done.reopened:
        flags += f", {done.reopened} taken up again"
    moved = f"{counted(done.events, 'event')} and {counted(done.ties, 'tie')}"
    told = f"{said}, with {moved}; {flags}."
    print(f"It would be so: {told}" if dry else told)


def _list(found: list[Merged], as_json: bool) -> None:
    if as_json:
        print_json([_document(one) for one in found])
        return
    if not found:
        print("Nothing has been merged.")
        return
    of_contacts = found[0].contact is not None
    columns = ["account", *(["contact"] if of_contacts else []), "is", "by", "at", "undone"]
    shown = table(*columns)
    for one in found:
        undone = f"{one.undone_at:%Y-%m-%d %H:%M} by {one.undone_by}" if one.undone_at else ""
        named = [one.account, *([one.contact] if one.contact is not None else [])]
        shown.add_row(
            *named, one.survivor, one.merged_by, f"{one.merged_at:%Y-%m-%d %H:%M}", undone
        )
    out.print(shown)


def _document(one: Merged) -> dict[str, Any]:
    return {
        "account": one.account,
        **({} if one.contact is None else {"contact": one.contact}),
        "survivor": one.survivor,
        "merged_by": one.merged_by,
        "merged_at": one.merged_at.isoformat(),
        "undone_by": one.undone_by,
        "undone_at": one.undone_at and one.undone_at.isoformat(),
    }
