"""Files as text, in whichever encoding a spreadsheet or a product has left them."""

import codecs
import gzip
import zlib
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from worker.importing.records import Unreadable

CHUNK = 1 << 20
"""Bytes that are looked at at a time."""

FALLBACK = "cp1252"
"""What Western European Excel writes where it does not write Unicode."""

TROUBLE = (OSError, EOFError, zlib.error)
"""What reading may raise, of a compressed file too."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ARCHIVES = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # Excel's files are such archives, too
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the text of a file is encoded, and what is to be said about that."""

    name: str
    note: str | None = None


def opened(path: Path, held: ExitStack) -> tuple[IO[bytes], IO[bytes]]:
    """The content of a file, and the file itself, whose position is that on the disk.

    It stays open for as long as `held`. Raises Unreadable.
    """
    if path.is_dir():
        raise Unreadable(f"is a folder: name the files in it, like {path}/*.csv")
    if path.exists() and not path.is_file():
        raise Unreadable("is no ordinary file: write it to one first, since it is read twice")
    try:
        raw = held.enter_context(path.open("rb"))
    except FileNotFoundError as error:
        raise Unreadable("there is no such file") from error
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror}") from error
    if path.suffix != ".gz":
        return raw, raw
    return cast(IO[bytes], held.enter_context(gzip.GzipFile(fileobj=raw))), raw


def encoding_of(path: Path) -> Encoding:
    """The encoding of a file, for which all of it is looked through.

    Raises Unreadable, for what is no text as well.
    """
    with ExitStack() as held:
        content, _ = opened(path, held)
        try:
            return _encoding_of(content)
        except TROUBLE as error:
            raise Unreadable(f"cannot be read: {error}") from error


def _encoding_of(content: IO[bytes]) -> Encoding:
    begin = content.read(CHUNK)
    if not begin.strip():
        raise Unreadable("empty, there is nothing in it")
    if begin.startswith(_ARCHIVES):
        raise Unreadable(
            "is an archive or a spreadsheet: unpack it, or save the sheet as CSV (UTF-8)"
        )
    if begin.startswith(_GZIP):
        raise Unreadable("is compressed: unpack it, or give it a name that ends in .gz")
    for mark, name in _MARKS:
        if begin.startswith(mark):
            return Encoding(name)
    if begin[1:400:2].count(0) > len(begin[:400]) // 4:
        return Encoding("utf-16-le")
    if b"\x00" in begin:
        raise Unreadable("is no text: export it as CSV or JSON")
    return _utf_8_or_not(begin, content)


def _utf_8_or_not(begin: bytes, rest: IO[bytes]) -> Encoding:
    decoder = codecs.getincrementaldecoder("utf-8")()
    line, chunk = 1, begin
    while True:
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            line += chunk.count(b"\n", 0, error.start)
            return Encoding(
                FALLBACK,
                f"line {line} is not UTF-8, so the file is read as Windows-1252; if names look "
                "wrong, save it as UTF-8",
            )
        if not chunk:
            return Encoding("utf-8")
        line += chunk.count(b"\n")
        chunk = rest.read(CHUNK)
