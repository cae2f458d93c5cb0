"""What people ask to see of an account or a flag in Slack: its card, and why a flag is up."""

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import Engine

from worker.core.accounts import account_of
from worker.core.alerts import AlertReason
from worker.core.answers import Refused
from worker.core.cards import AccountCard, Choice, TieLine, Told, Why
from worker.core.evidence import who
from worker.core.stats import AccountStats, Workspace
from worker.core.ties import Tier, strength
from worker.evaluating.alerting import alert_now
from worker.evaluating.scene import look
from worker.explaining.explain import explain
from worker.explaining.words import ahead, standing
from worker.rulebooks.rulebook import Rulebook
from worker.slack.phrases import day
from worker.slack_actions.authority import NO_FLAG
from worker.slack_actions.lists import begin, lines
from worker.store import answers, desks, flags, people
from worker.store.database import reading

AHEAD = 90
"""Days that an explanation in Slack looks ahead: someone waits for it."""

_PEOPLE = ("days_since_exec_contact", "days_since_user_contact")
"""The facts whose people an account's card names."""


def account_card(engine: Engine, words: str, book: Rulebook, now: datetime) -> AccountCard:
    """The account with this id, or else this name.

    Raises:
        Refused: there is none, or several have that name.
    """
    with reading(engine) as db:
        found = desks.named(db, words)
        if not found:
            raise Refused(f"There is no account with the id or name {words!r}.")
        if len(found) > 1:
            ids = ", ".join(id_ for id_, _ in found)
            raise Refused(f"Several accounts are called {words!r}: choose by id, of {ids}.")
        account = found[0][0]
        at = begin(db, book, now)
        scene = look(db, account, at.on, book)
        return AccountCard(
            on=at.on,
            account=account_of(scene.standing.stats, at.on, scene.rep_names),
            who=who(
                scene.standing.stats, at.on.toordinal(), scene.workspace, _PEOPLE, scene.rep_names
            ),
            ties=_ties(scene.standing.stats, scene.workspace, at.on, scene.rep_names),
            flags=lines(at, desks.of_accounts(db, [account]), scene.rep_names),
        )


def why(engine: Engine, flag: int, book: Rulebook, now: datetime) -> Why:
    """Why this flag is up, and what changes by itself.

    Raises:
        Refused: there is no such flag, or its rule is not in force any more.
    """
    with reading(engine) as db:
        desk = desks.flag(db, flag)
        at = begin(db, book, now)
    if desk is None:
        raise Refused(NO_FLAG)
    if desk.rule not in {rule.id for rule in book.rules.rules}:
        raise Refused(f"The rule {desk.rule} is not in force any more: its flag ends by itself.")
    (found,) = explain(engine, desk.account, book, at.on, now, desk.rule, AHEAD)
    return Why(
        account=desk.account,
        on=at.on,
        rule=desk.rule,
        title=desk.title,
        kind=at.kind(desk.rule),
        conditions=found.conditions,
        account_name=desk.account_name,
        except_when=found.except_when,
        standing=standing(found.flag, day),
        who=found.who,
        clears=found.clears,
        ahead=ahead(found, AHEAD, day),
    )


def told(engine: Engine, flag: int, book: Rulebook, now: datetime) -> Told:
    """A live flag with the words of now, and its last answer.

    Raises:
        Refused: there is no such flag, or it is over.
    """
    with reading(engine) as db:
        desk = desks.flag(db, flag)
        live = flags.ask_live(db, [desk.account])() if desk else {}
        stored = live.get((desk.account, desk.rule)) if desk else None
        if stored is None or stored.id != flag:
            raise Refused(NO_FLAG)
        scene = look(db, stored.account, begin(db, book, now).on, book)
        alert = alert_now(scene, stored, stored.flag, AlertReason.OPENED)
        last = answers.last(db, [flag]).get(flag)
    assignee, quiet = stored.flag.assignee, stored.flag.quiet
    return Told(
        alert=alert,
        flag=flag,
        state=stored.flag.state,
        by=last.by if last else None,
        note=last.words if last else None,
        until=quiet.until if quiet else None,
        assignee=scene.rep_names.get(assignee, assignee) if assignee else None,
    )


def rep_choices(engine: Engine) -> list[Choice]:
    """The reps to whom a flag can be given, by name."""
    with reading(engine) as db:
        found = people.colleagues(db).values()
    choices = [Choice(id=one.rep, name=one.name, more=one.email) for one in found]
    return sorted(choices, key=lambda one: (one.name or one.id, one.id))


def _ties(
    one: AccountStats, workspace: Workspace, on: date, rep_names: Mapping[str, str]
) -> tuple[TieLine, ...]:
    """The ties that still count for something, the strongest first."""
    known = {person.contact: person for person in one.contacts}
    found = []
    for rep, contact, state in one.ties:
        person = known[contact]
        of = strength(state, on.toordinal(), workspace.ties)
        if of.tier is Tier.NONE or person.gone or rep in workspace.gone_reps:
            continue
        line = TieLine(
            contact=contact,
            rep=rep,
            tier=of.tier,
            last=date.fromordinal(state.day),
            contact_name=person.name,
            title=person.title,
            rep_name=rep_names.get(rep),
        )
        found.append((-of.score, contact, rep, line))
    return tuple(line for *_, line in sorted(found, key=lambda each: each[:3]))
