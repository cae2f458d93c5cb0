"""Whatever stands in a message, it becomes events that can be applied, or is told what is wrong."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.importing.test_any_record import VALUES
from tests.today import NOW
from worker.capture import hooks, segment
from worker.capture.retrying import again
from worker.capture.taking import Taken, why_not
from worker.core.addresses import NO_PEOPLE
from worker.core.mapping import Hook, Shape
from worker.rulefiles import load_capture
from worker.shipped import rules_dir
from worker.store.quarantine import Kept

SHIPPED = load_capture(rules_dir() / "capture.yaml")
CALL_PATHS = ["$.userId", "$.groupId", "$.context.groupId", "$.previousId", "$.messageId",
              "$.timestamp", "$.sentAt", "$.event", "$.name"]  # fmt: skip


def paths_of(shapes: Iterable[Shape]) -> set[str]:
    """All paths that these lead along."""
    ways = [value for one in shapes for value in (*one.fields.values(), one.subject, one.time)]
    picks = [pick for value in ways for pick in value]
    picks += [pick for one in shapes for pick, _ in one.when]
    return {pick.path for pick in picks if pick.path is not None}


def put(message: Any, path: str, value: Any) -> None:
    """Have a path of names lead to the value, unless another value is in its way."""
    step, _, rest = path.removeprefix("$.").partition(".")
    if not isinstance(message, dict):
        return
    if not rest:
        message[step] = value
    elif step.endswith("[*]"):
        put(message.setdefault(step.removesuffix("[*]"), [{}])[0], rest, value)
    else:
        put(message.setdefault(step, {}), rest, value)


@st.composite
def webhooks(draw: st.DrawFn) -> tuple[Hook, dict[str, Any]]:
    """A hook, and a message that some of its events may be for."""
    hook = SHIPPED.hooks[draw(st.sampled_from(sorted(SHIPPED.hooks)))]
    shape, message = draw(st.sampled_from(hook.events)), dict[str, Any]()
    own = [pick.path for value in (hook.id, hook.time) for pick in value]
    for path in sorted({*own, *paths_of(hook.events)}):
        if draw(st.booleans()):
            put(message, path, draw(VALUES))
    for pick, words in shape.when:
        put(message, str(pick.path), words[0])
    return hook, message


@st.composite
def calls(draw: st.DrawFn) -> dict[str, Any]:
    """A call of Segment's."""
    shapes = [one for one in (*SHIPPED.track.values(), *SHIPPED.calls.values()) if one]
    message: dict[str, Any] = {}
    for path in (*CALL_PATHS, *sorted(paths_of(shapes))):
        if draw(st.booleans()):
            put(message, path, draw(VALUES | st.sampled_from(sorted(SHIPPED.track))))
    return message | {"type": draw(st.sampled_from(segment.CALLS))}


def check(taken: Taken) -> None:
    """What is to be applied can be, and what is refused has its reasons, again and again."""
    assert [one for one in taken.events if why_not(one, NOW) is not None] == []
    for one in taken.refused:
        assert one.problems
        kept = Kept("k", one.source, one.id, one.problems, one.body, one.way, NOW)
        [still] = again(kept, SHIPPED, NOW).refused
        assert still.problems == one.problems


@settings(max_examples=300)
@given(webhooks(), st.randoms(use_true_random=False))
def test_a_webhook_is_taken_or_told_whatever_order_its_mapping_is_in(sent, chance):
    hook, message = sent
    taken = hooks.take([message], hook.name, hook, NO_PEOPLE, NOW)
    check(taken)
    shuffled = replace(hook, events=tuple(chance.sample(hook.events, len(hook.events))))
    other = hooks.take([message], hook.name, shuffled, NO_PEOPLE, NOW)
    assert sorted(taken.events, key=str) == sorted(other.events, key=str)


@settings(max_examples=300)
@given(calls())
def test_a_call_is_taken_or_told(message):
    check(segment.take([message], "app", SHIPPED, NOW))
