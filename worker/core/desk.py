"""The desk: where it is decided what becomes of one alert for one recipient, in order.

It knows what each recipient has had today and will have, and notes what it adds itself.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo

from worker.core.alerts import Alert
from worker.core.bundles import Day, Kind, Placed, place, urgent_digest
from worker.core.quiet import released
from worker.core.telling import Telling

_MESSAGES = frozenset({Kind.ALERT, Kind.REMINDER, Kind.ESCALATION})


@dataclass(slots=True)
class Desk:
    """What recipients have had, by their local days. `zones` are theirs, `now` is in UTC."""

    telling: Telling
    zones: Mapping[str, tzinfo]
    now: datetime
    _bundles: dict[tuple[str, date], set[str]] = field(default_factory=lambda: defaultdict(set))
    _gone: set[tuple[str, str]] = field(default_factory=set)

    def remember(self, recipient: str, bundle: str, kind: Kind, due_at: datetime, *, gone: bool
                 ) -> None:  # fmt: skip
        """Take into account a message that was planned before, and whether it has left."""
        if kind in _MESSAGES:
            local_day = due_at.astimezone(self.zones[recipient]).date()
            self._bundles[recipient, local_day].add(bundle)
        elif gone:
            self._gone.add((recipient, bundle))

    def place(self, alert: Alert, recipient: str, *, in_digest: bool, many: bool) -> Placed:
        """Which message the alert leaves in, for the recipient, and when; noted from now on.

        `in_digest` says that its flag was told to them in digests only, `many` that it is one of
        many of its sweep.
        """
        zone = self.zones[recipient]
        free = released(self.now, self.telling.quiet, zone)
        today = free.astimezone(zone).date()
        # Whatever is told of an account in a day is one conversation, and counts once.
        others = self._bundles[recipient, today] - {f"account/{alert.account}"}
        day = Day(
            messages=len(others),
            digest_gone=(recipient, f"digest/{today}") in self._gone,
            urgent_gone=(recipient, urgent_digest(free)) in self._gone,
            in_digest=in_digest,
            many=many,
        )
        placed = place(alert, day, self.telling, self.now, zone)
        self.remember(recipient, placed.bundle, placed.kind, placed.due_at, gone=False)
        return placed


def crowded(new: Iterable[tuple[int, str, str]], most: int) -> frozenset[tuple[int, str]]:
    """Which (sweep, recipient) have more new flags than `most`, on several accounts.

    `new` is (sweep, recipient, account) of each flag. Those of one account are one message anyway.
    """
    flags: dict[tuple[int, str], list[str]] = defaultdict(list)
    for sweep, recipient, account in new:
        flags[sweep, recipient].append(account)
    return frozenset(
        key for key, accounts in flags.items() if len(accounts) > most and len(set(accounts)) > 1
    )
