"""Everyone in the demo's year: the stories of all chapters, and those to whom nothing happens."""

from worker.demo.cast import STEADY
from worker.demo.chapters import (
    comings_and_goings,
    departure,
    lone_ties,
    pretence,
    quiet,
    strangers,
    usage,
)

STORIES = (
    *quiet.STORIES,
    *pretence.STORIES,
    *lone_ties.STORIES,
    *departure.STORIES,
    *usage.STORIES,
    *strangers.STORIES,
    *comings_and_goings.STORIES,
)

ACCOUNTS = tuple(
    sorted((*STEADY, *(story.account for story in STORIES)), key=lambda account: account.id)
)
"""Everyone at once, in order of id."""
