"""A file as records, whatever it is."""

from contextlib import ExitStack
from pathlib import Path

from worker.importing import documents, tables
from worker.importing.records import Records
from worker.importing.texts import TROUBLE, opened

_JSON = (".json", ".jsonl", ".ndjson")
_BEGIN = 1_000


def records_of(path: Path, held: ExitStack) -> Records:
    """The records of a file, which stays open for as long as `held`.

    Raises Unreadable. Reading the rows raises BreaksOff.
    """
    return documents.read(path, held) if _is_json(path) else tables.read(path, held)


def _is_json(path: Path) -> bool:
    name = path.with_suffix("") if path.suffix == ".gz" else path
    if name.suffix.lower() in _JSON:
        return True
    with ExitStack() as held:
        content, _ = opened(path, held)
        try:
            begin = content.read(_BEGIN)
        except TROUBLE:  # told where it is read
            return False
    return begin.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"["))
