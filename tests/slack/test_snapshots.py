"""What people see changes only where somebody has looked at it."""

import pytest

from tests.slack.snapshots import FOLDER, all_of_them

AGAIN = "read what changed, then: python -m tests.slack.snapshots"


@pytest.mark.parametrize("name", all_of_them())
def test_a_message_or_window_reads_as_it_did_when_it_was_last_looked_at(name: str):
    assert all_of_them()[name] == (FOLDER / name).read_text("utf-8"), AGAIN


def test_there_is_no_snapshot_of_what_is_no_more():
    assert {file.name for file in FOLDER.iterdir()} == set(all_of_them()), AGAIN
