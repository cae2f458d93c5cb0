"""The page about Slack has the numbers of what is let in, and of what wakes a flag, right."""

from pathlib import Path

from worker.capture.bodies import MOST_BYTES, SECONDS
from worker.capture.slack import COMMAND, PATH
from worker.core.answers import DISMISSED_FOR
from worker.core.units import Unit
from worker.core.worsening import LEAST, SHARE

PAGE = " ".join((Path(__file__).parents[2] / "docs" / "slack.md").read_text().split())


def test_what_is_let_in():
    assert f"more than {MOST_BYTES // 1_000_000} MB" in PAGE
    assert f"longer than {SECONDS:g} seconds" in PAGE
    assert f"`POST {PATH}`" in PAGE
    assert f"`{COMMAND} mine`" in PAGE


def test_what_wakes_a_dismissed_flag():
    assert SHARE == 0.5
    assert "worse by half of what it was" in PAGE
    assert f"or {DISMISSED_FOR.days} days have passed" in PAGE
    assert (
        f"at least {LEAST[Unit.DAYS]:g} days, {LEAST[Unit.PERCENT]:g}% or {LEAST[Unit.COUNT]:g}"
        in PAGE
    )
