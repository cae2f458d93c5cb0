"""The rules in force: those of the rules directory, followed while it changes.

Files are looked at, since a mounted volume may not tell of changes. A version that is read is put
in force for all workers, by content hash. Of a file with a problem the last good version stays,
and the admins are told once.
"""

import hashlib
import logging
import math
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath

from sqlalchemy import Connection, Engine

from worker.core.alerts import Alert, AlertReason
from worker.rulebooks.rulebook import Rulebook, read_rulebook
from worker.rulefiles import Problem, RuleFilesRefused
from worker.rulefiles.files import HEALTH, METRICS, SLACK, SOURCES, TIES, WEBHOOKS, rule_files
from worker.rulefiles.problems import Findings
from worker.shipped import rules_dir
from worker.store import outbox, rule_sets
from worker.store.database import reading, writing
from worker.store.rule_sets import Texts

LOOK_EVERY = 2.0
"""Seconds after which the directory and the database are looked at again."""

SETTLED = 1.0
"""Seconds for which a changed file is left alone: somebody may still be writing it."""

# Not structlog's: a command that nobody has set up logs for should say nothing of this.
log = logging.getLogger("tiewatch.rules")

SHIPPED = ".shipped"
"""The folder among a version's texts that has the rules that ship: those that were there to be
included. In the directory itself, hidden folders hold no rules."""

Seen = tuple[tuple[str, int, int, int], ...]
"""(path, inode, time of change in ns, size) of every file."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a rules directory comes to: the rules that hold, their texts, what is wrong with it."""

    book: Rulebook
    files: Texts
    problems: Sequence[Problem] = ()


class RulesInForce:
    """The rules for this process, as a directory and the other workers say."""

    def __init__(self, root: Path) -> None:
        """Follow this directory."""
        self._root = root
        self._seen: Seen | None = None
        self._book: Rulebook | None = None
        self._looked_at = -math.inf

    def now(self, engine: Engine, at: datetime) -> Rulebook:
        """The rules in force, at most `LOOK_EVERY` seconds old; `at` is the time of a change.

        Raises:
            RuleFilesRefused: they cannot be used, and no version was ever in force.
        """
        if self._book is None or time.monotonic() - self._looked_at >= LOOK_EVERY:
            self._book = self._look(engine, at)
            self._looked_at = time.monotonic()
        return self._book

    def look_again(self) -> None:
        """Have the next question answered by a new look: somebody else knows of a change."""
        self._looked_at = -math.inf

    def _look(self, engine: Engine, at: datetime) -> Rulebook:
        seen = _seen(self._root)
        with reading(engine) as db:
            current = rule_sets.in_force(db)
            if seen == self._seen and self._book is not None:
                if current in (None, self._book.digest):
                    return self._book
                log.info("rules %s taken over from another worker", current)
                return _book_of(rule_sets.texts(db, current))
            kept = rule_sets.texts(db, current) if current else None
        if self._book is not None and _is_being_written(seen):
            return self._book
        found, _ = self._follow(engine, current, kept, at)
        self._seen = seen
        return found.book

    def watch(self, engine: Engine, at: datetime) -> bool:
        """Put what has changed in the directory in force; whether admins are to be told of it.

        For a process that evaluates nothing: with which directory to begin is left to the workers.
        """
        seen = _seen(self._root)
        if self._seen is None:
            self._seen = seen
        if seen == self._seen or _is_being_written(seen):
            return False
        with reading(engine) as db:
            current = rule_sets.in_force(db)
            kept = rule_sets.texts(db, current) if current else None
        told = kept is not None and self._follow(engine, current, kept, at)[1]
        self._seen = seen
        return told

    def _follow(
        self, engine: Engine, current: str | None, kept: Texts | None, at: datetime
    ) -> tuple[Found, bool]:
        """Read the directory and put it in force; whether admins are to be told of it."""
        found, told = find(self._root, kept), False
        with writing(engine) as db:
            if found.problems:
                told = _tell(db, self._root, found, at)
            if current != found.book.digest:
                rule_sets.put_in_force(db, found.book.digest, found.files, at)
                log.info("rules %s in force, before: %s", found.book.digest, current)
        return found, told


def find(root: Path, kept: Texts | None) -> Found:
    """Read a rules directory, with the files kept from before where it has problems.

    Raises:
        RuleFilesRefused: it has problems, and nothing is kept.
    """
    try:
        return Found(read_rulebook(root), _texts(root))
    except RuleFilesRefused as refused:
        if kept is None:
            raise
        problems = refused.problems
    bad: set[str] = set()
    more = _files_of(problems, root)
    while more - bad:
        bad |= more
        files = _mended(root, bad, kept)
        try:
            return Found(_book_of(files), files, problems)
        except RuleFilesRefused as refused:  # what was kept of one does not fit another
            more = {problem.file for problem in refused.problems}
    return Found(_book_of(kept), kept, problems)


def _mended(root: Path, bad: set[str], kept: Texts) -> dict[str, str]:
    """The directory's texts, but of the bad files those kept, if there are any."""
    good = {name: text for name, text in _texts(root).items() if name not in bad}
    return good | {name: kept[name] for name in bad & kept.keys()}


def _book_of(files: Mapping[str, str]) -> Rulebook:
    """The rules of these texts. The places of problems are paths among them."""
    with tempfile.TemporaryDirectory(prefix="tiewatch-rules-") as folder:
        root = Path(folder)
        (root / SHIPPED).mkdir()
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8", newline="")
        try:
            return read_rulebook(root, root / SHIPPED)
        except RuleFilesRefused as refused:
            raise RuleFilesRefused([_within(root, one) for one in refused.problems]) from None


def _within(root: Path, problem: Problem) -> Problem:
    path = PurePath(problem.file)
    name = str(path.relative_to(root)) if path.is_relative_to(root) else problem.file
    return Problem(name, problem.line, problem.column, problem.message)


def _files_of(problems: Sequence[Problem], root: Path) -> set[str]:
    return {_within(root, problem).file for problem in problems}


def _paths(root: Path) -> dict[str, Path]:
    """The files that are read or may be included, by their path among a version's texts."""
    names, shipped = (METRICS, SLACK, TIES, SOURCES, HEALTH, WEBHOOKS), rules_dir()
    settings = [root / name for name in names]
    own = [*rule_files(root, Findings()), *(file for file in settings if file.is_file())]
    found = {str(path.relative_to(root)): path for path in own}
    if shipped.resolve() != root.resolve():
        for path in [*rule_files(shipped, Findings()), shipped / METRICS]:
            found[str(PurePath(SHIPPED) / path.relative_to(shipped))] = path
    return found


def _texts(root: Path) -> dict[str, str]:
    """The files that can be read as text."""
    texts = {}
    for name, path in _paths(root).items():
        try:
            texts[name] = path.read_bytes().decode("utf-8-sig")
        except (OSError, UnicodeDecodeError):  # a problem of it, told as such
            continue
    return texts


def _seen(root: Path) -> Seen:
    seen = []
    for path in _paths(root).values():
        try:
            status = path.stat()
        except OSError:
            continue
        seen.append((str(path), status.st_ino, status.st_mtime_ns, status.st_size))
    return tuple(seen)


def _is_being_written(seen: Seen) -> bool:
    # A file from the future, by another machine's clock, is not waited for.
    return any(0 <= time.time() - changed / 1e9 < SETTLED for _, _, changed, _ in seen)


def _tell(db: Connection, root: Path, found: Found, at: datetime) -> bool:
    """Have the admins told, once, however many workers see it; whether this one is the first."""
    told = [str(_within(root, problem)) for problem in found.problems]
    log.error("rule files with problems, which stay as they were: %s", "; ".join(told[:20]))
    names = ", ".join(sorted(_files_of(found.problems, root)))
    alert = Alert(
        reason=AlertReason.RULES,
        account="",
        on=at.date(),
        title=f"The rules of {names} stay as they were: "
        + ("1 problem" if len(told) == 1 else f"{len(told)} problems"),
        why=tuple(told),
        advice="Correct it; 'tiewatch rules check' says when all is right.",
    )
    digest = hashlib.sha256("\n".join([found.book.digest, *told]).encode()).hexdigest()[:16]
    return outbox.put(db, [(f"rules/{digest}", alert)], at) > 0
