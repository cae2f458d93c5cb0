"""The mappings in force: those of `capture.yaml`, followed while it changes.

Of a file with a problem the last good version stays in force, and the log says what is wrong.
"""

import time
from dataclasses import replace
from pathlib import Path

import structlog

from worker.core.mapping import Capture
from worker.rulefiles import RuleFilesRefused, load_capture
from worker.rulefiles.files import CAPTURE
from worker.shipped import rules_dir

LOOK_EVERY = 2.0
"""Seconds after which the file is looked at again."""

log = structlog.get_logger("tiewatch.gateway")

_Seen = tuple[Path, int, int]


class Mappings:
    """The mappings of a rules directory; the shipped ones where it has none."""

    def __init__(self, root: Path) -> None:
        """Read them.

        Raises:
            RuleFilesRefused: they have a problem.
        """
        self._root = root
        self._seen = _seen(root)
        self._capture = load_capture(self._seen[0])
        self._looked_at = time.monotonic()

    def now(self) -> Capture:
        """The mappings, at most `LOOK_EVERY` seconds old."""
        if time.monotonic() - self._looked_at >= LOOK_EVERY:
            self._looked_at = time.monotonic()
            seen = _seen(self._root)
            if seen != self._seen:
                self._seen = seen
                self._read(seen[0])
        return self._capture

    def _read(self, file: Path) -> None:
        try:
            self._capture = load_capture(file)
        except RuleFilesRefused as refused:
            log.error("capture.yaml has problems", problems=[str(one) for one in refused.problems])
        else:
            log.info("capture.yaml in force", file=str(file))


def file_of(root: Path) -> Path:
    """The mapping file of a rules directory, the shipped one where it has none."""
    ours = root / CAPTURE
    return ours if ours.is_file() else rules_dir() / CAPTURE


def with_imports(root: Path) -> Capture:
    """The mappings of a rules directory; of files, its own beside those that ship.

    Raises RuleFilesRefused if they have a problem.
    """
    found = load_capture(file_of(root))
    shipped = load_capture(rules_dir() / CAPTURE)
    return replace(found, imports={**shipped.imports, **found.imports})


def _seen(root: Path) -> _Seen:
    file = file_of(root)
    try:
        found = file.stat()
    except OSError:
        return file, 0, 0
    return file, found.st_mtime_ns, found.st_size
