"""Says when to ask for something that one asking in a while is enough for, such as a delivery."""

from dataclasses import dataclass

PAUSE = 0.05
"""Seconds between two askings of one process: a person does not notice them."""


@dataclass(slots=True)
class Bell:
    """Remembers for when this process has last asked. Times are seconds of one steady clock."""

    _asked_for: float = float("-inf")

    def delay(self, now: float) -> float | None:
        """Seconds from `now` for which to ask, 0 for at once; None if what is asked for already
        begins later than now, and so will see whatever there is by now."""
        if now < self._asked_for:
            return None
        self._asked_for = max(now, self._asked_for + PAUSE)
        return self._asked_for - now

    def unheard(self) -> None:
        """What was asked for last did not get through: ask again at the next occasion."""
        self._asked_for = float("-inf")
