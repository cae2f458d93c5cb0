"""The command line as a user meets it: an empty folder, an empty home, and no settings."""

import io
import json
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests import today
from worker import cli
from worker.running import runtime
from worker.settings import settings
from worker.store.database import engine_for


@dataclass(frozen=True)
class Ended:
    """How a command ended, and all that it printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its standard output, which must be one JSON document and nothing else."""
        return json.loads(self.out)


Tiewatch = Callable[..., Ended]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The empty current folder."""
    here = tmp_path / "here"
    home = tmp_path / "home"
    here.mkdir()
    home.mkdir()
    for name in [name for name in os.environ if name.startswith("TIEWATCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)
    return here


@pytest.fixture
def tiewatch(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Tiewatch:
    """Runs a command in this process; variables are given by name, without their prefix.

    Whatever a command does not turn into a message is raised here: no traceback goes unseen.
    """
    monkeypatch.setattr(runtime, "clock", today.clock)
    # It is for a process of its own: here it would keep what each command leaves behind.
    monkeypatch.setattr(cli, "collect_less_often", lambda: None)

    def run(*arguments: str, stdin: bytes = b"", **variables: object) -> Ended:
        _forget()
        capsys.readouterr()
        with monkeypatch.context() as here:
            for name, value in variables.items():
                here.setenv(f"TIEWATCH_{name}", str(value))
            here.setattr(sys, "argv", ["tiewatch", *arguments])
            here.setattr(logging.getLogger(), "handlers", [])
            here.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
            try:
                cli.main()
                status = 0
            except SystemExit as end:
                status = end.code if isinstance(end.code, int) else int(end.code is not None)
        _forget()
        printed = capsys.readouterr()
        return Ended(status, printed.out, printed.err)

    return run


def _forget() -> None:
    """Every command is a process of its own, which reads its settings anew."""
    settings.cache_clear()
    runtime.rulebook.cache_clear()
    runtime._followed.cache_clear()
    runtime._engine.cache_clear()


@pytest.fixture
def embedded(folder: Path) -> Engine:
    """The embedded database of the folder, once a command has made it."""
    return engine_for(f"sqlite:///{folder}/.tiewatch/tiewatch.db")


def lines(*events: object) -> str:
    """The text of an event file; a text is a line as it is."""
    return "".join(f"{e if isinstance(e, str) else json.dumps(e)}\n" for e in events)
