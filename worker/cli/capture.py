"""`tiewatch capture`: what a message of another product would become."""

from pathlib import Path
from typing import Annotated

import typer

from worker.capture import hooks, segment
from worker.capture.mappings import file_of
from worker.capture.taking import Taken
from worker.cli.terminal import NOT_HELD, AsJson, Refused, print_json, say
from worker.rulefiles import load_capture
from worker.running import runtime
from worker.running.decoding import value_of

app = typer.Typer(no_args_is_help=True, help="What others' messages become.")


@app.callback()
def capture() -> None:
    """What others' messages become."""


@app.command("try")
def run_try(
    name: Annotated[str, typer.Argument(help="A hook of capture.yaml, or 'segment'.")],
    payload: Annotated[Path, typer.Argument(help="A file with a message, as JSON.")],
    as_json: AsJson = False,
) -> None:
    """Show the events that would come out of a message; nothing is sent or stored.

    Exit status 1 if something in it has a problem.
    """
    try:
        message = value_of(payload.read_bytes())
    except OSError as error:
        raise Refused(f"{payload}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise Refused(f"{payload}: not JSON: {error}") from error
    taken = _taken(name, message)
    if as_json:
        problems = [
            {"index": one.index, "id": one.id, "problems": list(one.problems)}
            for one in taken.problems
        ]
        print_json({"events": taken.events, "ignored": taken.ignored, "problems": problems})
    else:
        print_json(taken.events)
        for one in taken.problems:
            say(f"message {one.index + 1}: {'; '.join(one.problems)}")
        if taken.ignored:
            say(f"{taken.ignored} of no use: nothing in capture.yaml is for them.")
    if taken.problems:
        raise typer.Exit(NOT_HELD)


def _taken(name: str, message: object) -> Taken:
    found = load_capture(file_of(runtime.rules_path()))
    if name == segment.WAY:
        return segment.take(segment.messages_in(message), name, found, runtime.clock())
    hook = found.hooks.get(name)
    if hook is None:
        known = ", ".join([segment.WAY, *found.hooks])
        raise Refused(f"There is no hook {name!r} in capture.yaml: there are {known}.")
    messages = hooks.messages_in(message, hook)
    return hooks.take(messages, name, hook, found.people, runtime.clock())
