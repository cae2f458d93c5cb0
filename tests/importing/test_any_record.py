"""Whatever stands in a record, it becomes events that can be applied, or is told what is wrong."""

from dataclasses import replace
from datetime import UTC
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.importing.files import CHANGED, NOW, SHIPPED
from worker.capture.retrying import again
from worker.capture.taking import Taken, why_not
from worker.core.mapping import Capture
from worker.core.moments import Writing
from worker.core.picking import Pick
from worker.importing.files import File
from worker.importing.records import Record
from worker.importing.taking import take
from worker.store.quarantine import Kept

TEXTS = st.text(max_size=20) | st.sampled_from([
    "true", "FALSE", "2026-01-05", "2026-01-05 10:22", "5/1/2026", "1767654000000", "9" * 40, "-1",
    "closed won", "Completed", "connected", "agent", "end-user", "Call", "closed", "003A", "7;8",
    "1e400", "nan", "\ud800", "a\x00b", "x" * 300, "$1,2.3,4", "32.13.2026", "0000-00-00",
])  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


@st.composite
def records(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """The name of a mapping, and a record with some of the columns that it reads."""
    name = draw(st.sampled_from(sorted(SHIPPED)))
    columns = draw(st.lists(st.sampled_from(sorted(SHIPPED[name].read)), unique=True))
    return name, {column: draw(VALUES) for column in columns}


@given(records(), st.randoms(use_true_random=False))
def test_an_id_does_not_depend_on_what_else_is_in_the_mapping(record, chance):
    name, values = record
    mapping = SHIPPED[name]
    shuffled = replace(mapping, events=tuple(chance.sample(mapping.events, len(mapping.events))))
    found, again = (
        take(Record(7, values), File("a.csv", one, "crm", Writing(), CHANGED), NOW).events
        for one in (mapping, shuffled)
    )
    assert sorted(found, key=str) == sorted(again, key=str)
    for event in found:
        alone = replace(mapping, events=tuple(s for s in mapping.events if s.type == event["type"]))
        kept = take(Record(7, values), File("a.csv", alone, "crm", Writing(), CHANGED), NOW).events
        assert event in kept


@settings(max_examples=300)
@given(records(), st.sampled_from([Writing(), Writing(None), Writing(UTC, True)]))
def test_events_can_be_applied_and_what_is_refused_can_be_tried_again(record, writing):
    name, values = record
    columns = {column: column for column in values}
    file = File("a.csv", SHIPPED[name], "crm", writing, CHANGED, columns)
    taken = take(Record(7, values), file, NOW)
    assert [why_not(event, NOW) for event in taken.events] == [None] * len(taken.events)
    outcomes = (bool(taken.events), bool(taken.faults), taken.left_out is not None)
    assert outcomes.count(True) == 1
    assert take(Record(7, values), file, NOW) == taken, "the same again is the same"
    if taken.refused is not None:
        one = taken.refused
        kept = Kept("0", one.source, one.id, one.problems, one.body, one.way, NOW)
        assert again(kept, Capture(imports=SHIPPED), NOW).refused, "nothing has been mended"
        mended = replace(SHIPPED[name], skip=((Pick(constant=""), ("",)),))
        assert again(kept, Capture(imports={name: mended}), NOW) == Taken()
