"""E-mail addresses: one form for each, and whether it is one of ours, a customer's, or nobody's.

Which domains are ours and which mailboxes nobody's is set in `capture.yaml` (docs/identity.md).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import translate
from functools import lru_cache

# fmt: off
FREE_MAIL = frozenset({
    "aol.com", "fastmail.com", "gmail.com", "gmx.at", "gmx.ch", "gmx.com", "gmx.de", "gmx.net",
    "googlemail.com", "hey.com", "hotmail.co.uk", "hotmail.com", "hotmail.de", "hotmail.fr",
    "icloud.com", "live.com", "mac.com", "mail.com", "mail.ru", "me.com", "msn.com",
    "outlook.com", "outlook.de", "proton.me", "protonmail.com", "qq.com", "t-online.de",
    "web.de", "yahoo.co.uk", "yahoo.com", "yahoo.de", "yahoo.fr", "yandex.ru", "ymail.com",
    "zoho.com", "163.com", "126.com"
})
# fmt: on
"""Where anybody may have an address: such a domain says nothing of an account."""

# fmt: off
SHARED_MAILBOXES = (
    "abuse", "accounting", "accounts", "admin", "all", "billing", "bounce*", "careers",
    "contact", "everyone", "feedback", "finance", "hello", "help", "helpdesk", "hr", "info",
    "invoice*", "jobs", "legal", "mailer-daemon", "marketing", "newsletter*", "office", "orders",
    "postmaster", "press", "privacy", "root", "sales", "security", "service", "support",
    "support-*", "team", "webmaster",
    "no-reply*", "noreply*", "no_reply*", "donotreply*", "do-not-reply*", "notification*",
    "notify", "alerts", "*-bounces", "*-request", "*-owner", "owner-*",
    "*@resource.calendar.google.com", "*@group.calendar.google.com",
    "*@googlegroups.com", "*@bounces.*", "*@lists.*", "*@reply.*",
)
# fmt: on
"""Mailboxes that nobody in particular writes from or reads, unless capture.yaml says others."""

_ADDRESS = re.compile(r"[^\s@<>\",;:\\()\[\]]+@[^\s@<>\",;:\\()\[\]]+\.[^\s@<>\",;:\\()\[\]]+")
_LONGEST = 200
"""Characters of an address: it may become a contact's id."""


class Side(StrEnum):
    """Whose an address is."""

    OURS = "ours"
    THEIRS = "theirs"
    NOBODYS = "nobody's"


@dataclass(frozen=True, slots=True)
class People:
    """How addresses are sorted.

    `internal` are our domains; of `shared_mailboxes` each is a pattern for the part before the @,
    or, if it has an @, for the whole address; at `shared_domains` people of several customers have
    addresses. Domains stand for what is below them too.
    """

    internal: frozenset[str] = frozenset()
    shared_mailboxes: tuple[str, ...] = SHARED_MAILBOXES
    shared_domains: frozenset[str] = frozenset()

    def side(self, address: str) -> Side:
        """Whose an address is; it must be in the form that `normal` gives it."""
        if self._is_shared(address):
            return Side.NOBODYS
        return Side.OURS if self.is_ours(address) else Side.THEIRS

    def is_ours(self, address: str) -> bool:
        """Whether it is at a domain of ours, be it a person's or a shared mailbox."""
        return not self.internal.isdisjoint(domains_of(address))

    def undeciding(self, addresses: Iterable[str]) -> list[str]:
        """The shared domains that these addresses are at, in order."""
        found = {domain for one in addresses for domain in domains_of(one)}
        return sorted(found & self.shared_domains)

    def _is_shared(self, address: str) -> bool:
        return _any_of(self.shared_mailboxes).match(address) is not None


@lru_cache(maxsize=8)
def _any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """What is any of these: one look at an address instead of one for each."""
    whole = (pattern if "@" in pattern else f"{pattern}@*" for pattern in patterns)
    return re.compile("|".join(map(translate, whole)))


NO_PEOPLE = People()
"""How addresses are sorted where nothing is set: no domain is ours."""


def normal(text: object) -> str | None:
    """An address in the one form that it has here, or None if there is none in the text.

    Lower case, without a name around it and without what stands after a + in the mailbox.
    """
    if not isinstance(text, str):
        return None
    found = _ADDRESS.search(text)
    if found is None:
        return None
    mailbox, _, domain = found[0].casefold().rpartition("@")
    address = f"{mailbox.partition('+')[0] or mailbox}@{domain.rstrip('.')}"
    return address if len(address) <= _LONGEST else None


def normal_domain(text: object) -> str | None:
    """A domain as it is compared, from how people write one: a site's address, with or without
    www, or @example.com; None if it is none."""
    if not isinstance(text, str):
        return None
    rest = text.strip().casefold().rpartition("@")[2].rpartition("://")[2]
    domain = re.split(r"[/:?#]", rest, maxsplit=1)[0].removeprefix("www.").strip(".")
    return domain if re.fullmatch(r"[^\s.]+(\.[^\s.]+)+", domain) else None


def domains_of(address: str) -> Iterator[str]:
    """The domain of an address, and those that it is below: of a@eu.acme.com eu.acme.com and
    acme.com."""
    domain = address.rpartition("@")[2]
    while "." in domain:
        yield domain
        domain = domain.partition(".")[2]


def decides(domain: str) -> bool:
    """Whether having an address there can say whose employee somebody is: not at free mail."""
    return domain not in FREE_MAIL
