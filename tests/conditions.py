"""Conditions that several tests ask about, their thresholds, and facts to ask them of."""

from worker.core.conditions import Compare, Comparison, Named, Threshold
from worker.core.facts import FACTS
from worker.core.units import Unit

C = Comparison
THRESHOLDS = {
    "window": Threshold("window", Unit.DAYS, {"enterprise": 90}, 45),
    "needed": Threshold("needed", Unit.COUNT, {"enterprise": 2}),
}
QUIET = Compare("days_since_exec_contact", C.OVER, (15,))
RENEWS = Compare("days_to_renewal", C.BETWEEN, (0, Named("window")))
FEW_EXECS = Compare("strong_exec_ties", C.UNDER, (Named("needed"),))


def known(**facts):
    """Every fact of the catalogue, unknown unless given."""
    return dict.fromkeys(FACTS) | facts
