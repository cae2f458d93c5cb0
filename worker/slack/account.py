"""An account's card: who knows whom there, who was last in contact, and what is open."""

from collections.abc import Iterator

from slack_sdk.models.blocks import Block, DividerBlock

from worker.core.cards import AccountCard, TieLine
from worker.core.ties import Tier
from worker.slack.blocks import (
    MAX_TEXT,
    Message,
    bullets,
    context,
    first_that_fits,
    fitted,
    header,
    markup,
    section,
)
from worker.slack.lists import listed
from worker.slack.phrases import (
    MAX_NAME,
    counted,
    day,
    joined,
    line,
    lines,
    named,
    owned,
    renewal,
    revenue,
    sentence,
)

MOST_TIES = 10
MOST_FLAGS = (10, 5, 2)


def account(card: AccountCard) -> Message:
    """The card as a message: what `/tiewatch ACCOUNT` answers."""
    name = named(card.account.name, card.account.id)
    told = [line(each.title) for each in card.flags]
    flags = f"{counted(len(told), 'open flag')}: {'; '.join(told)}" if told else "Nothing is open"
    text = f"{name}. {sentence(flags)} {' '.join(lines(card.who))}"
    return Message(
        text=fitted(text, MAX_TEXT),
        blocks=first_that_fits([header(name), *account_blocks(card, most)] for most in MOST_FLAGS),
    )


def account_blocks(card: AccountCard, most: int = MOST_FLAGS[0]) -> Iterator[Block]:
    """The card but for its title, with at most so many flags."""
    account = card.account
    yield context(
        joined(
            line(account.segment or "", MAX_NAME),
            revenue(account.mrr, account.currency),
            renewal(account.renewal_date, card.on),
            owned(account.owner_name, account.owner),
        )
    )
    if card.flags:
        yield markup(f"*{counted(len(card.flags), 'open flag')}*")
        yield from listed(card.flags, card.on, most, known=account.id)
    else:
        yield section("✅ Nothing is open.")
    yield DividerBlock()
    if card.who:
        yield section(bullets(lines(card.who)), label="*Who*\n", limit=1_500)
    if card.ties:
        told = [_tie(each, card) for each in card.ties[:MOST_TIES]]
        if len(card.ties) > MOST_TIES:
            told.append(f"and {len(card.ties) - MOST_TIES} more")
        yield section(bullets(told), label="*Ties*\n", limit=2_500)
    else:
        yield section("Nobody here has a tie with anyone.", label="*Ties*\n")


def _tie(tie: TieLine, card: AccountCard) -> str:
    title = line(tie.title or "", MAX_NAME)
    who = named(tie.contact_name, tie.contact) + (f", {title}" if title else "")
    rep = named(tie.rep_name, tie.rep)
    tier = "faded" if tie.tier is Tier.NONE else str(tie.tier).replace("_", " ")
    return f"{who}: {tier} with {rep}, last contact {day(tie.last)}"
