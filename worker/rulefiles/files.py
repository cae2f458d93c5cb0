"""Which files of a rules directory hold rules, and their trees."""

from datetime import UTC, date, datetime
from pathlib import Path

from worker.rulefiles.nodes import Node, Refused, parse
from worker.rulefiles.problems import Findings, Place

TIES = "ties.yaml"
METRICS = "metrics.yaml"
SLACK = "slack.yaml"
SOURCES = "sources.yaml"
HEALTH = "health.yaml"
CAPTURE = "capture.yaml"
WEBHOOKS = "webhooks.yaml"
RESERVED_FILES = (TIES, SLACK, METRICS, HEALTH, CAPTURE, SOURCES, WEBHOOKS)
RESERVED_FOLDERS = ("tests",)
MOST_BYTES = 1_000_000


def rule_files(path: Path, findings: Findings) -> list[Path]:
    """The rule files at or under a path, in order of path.

    Hidden files and folders are not rules: editors and mounted volumes keep copies there.
    """
    try:
        if path.is_file():
            return [path]
        if not path.is_dir():
            findings.add(Place(str(path)), "there is no such file or folder")
            return []
        below = sorted(path.rglob("*.y*ml"))
    except OSError as error:
        findings.add(Place(str(path)), f"cannot be read: {error.strerror}")
        return []
    found = [file for file in below if _holds_rules(file.relative_to(path)) and file.is_file()]
    for file in found:
        if file.suffix == ".yml":
            findings.add(Place(str(file)), "rename it: only files that end in .yaml are read")
    return [file for file in found if file.suffix == ".yaml"]


def _holds_rules(file: Path) -> bool:
    hidden = any(part.startswith(".") for part in file.parts)
    reserved = file.name in RESERVED_FILES or any(
        folder in RESERVED_FOLDERS for folder in file.parts[:-1]
    )
    return file.suffix in (".yaml", ".yml") and not hidden and not reserved


def last_changed(file: Path) -> date | None:
    """The UTC date of the last change of a file; None if the file system has no such date."""
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC).date()
    except (OSError, ValueError, OverflowError):
        return None


def read(file: Path, findings: Findings) -> Node | None:
    """The tree of a file: None if it is empty, a refused node if it cannot be read."""
    start = Place(str(file))
    try:
        with file.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        findings.add(start, f"cannot be read: {error.strerror}")
        return Refused(start)
    if len(content) > MOST_BYTES:
        findings.add(start, f"more than {MOST_BYTES:,} bytes: split the file")
        return Refused(start)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        findings.add(Place(str(file), line, column), "not UTF-8 text: save it in that encoding")
        return Refused(start)
    return parse(text, str(file), findings)
