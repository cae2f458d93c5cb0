"""Rule files on disk, checked as an admin's are."""

import pytest

from worker.rulefiles import check


@pytest.fixture
def checked(tmp_path, monkeypatch):
    """Checks one file's text; gives its problems, and the rules if there are none.

    With a date it gives warnings too.
    """
    monkeypatch.chdir(tmp_path)

    def check_text(text, today=None):
        file = tmp_path / "a.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return check([file.relative_to(tmp_path)], today)

    return check_text
