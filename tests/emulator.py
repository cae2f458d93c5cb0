"""A Slack that others wrote: npm's `emulate`, which knows channels, threads, history and people.

It has no rate limits and presses no buttons. It needs Node, and npm to fetch it.
"""

import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers import free_port

VERSION = "0.11.2"
"""Exactly: what the registry calls the latest one is another program."""

NODE = 20
TOKEN = "xoxb-emulated"
SEED = f"""\
tokens:
  {TOKEN}: {{login: tiewatch}}
slack:
  team: {{name: Vendor}}
  users: [{{name: sam, real_name: Sam Lee, email: sam@vendor.example}}]
  channels: [{{name: cs-team}}]
"""


@contextmanager
def emulator(folder: Path) -> Iterator[str]:
    """The base URL of its API. Skips the test where it cannot run, and says why; where
    TIEWATCH_TEST_EMULATOR is `required`, as in CI, the test fails instead."""
    _installed(folder)
    (folder / "seed.yaml").write_text(SEED)
    port = free_port()
    script = folder / "node_modules" / "emulate" / "dist" / "index.js"
    command = ["node", str(script), "start", "--service", "slack", "--seed", "seed.yaml"]
    with (folder / "emulator.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port)], cwd=folder, stdout=log, stderr=log
        )
    try:
        url = f"http://localhost:{port}/api/"
        _wait_for(url, process, folder / "emulator.log")
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _installed(folder: Path) -> None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        _not_here(f"the Slack emulator needs Node {NODE} with npm, which is not installed")
        return
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(told.strip().removeprefix("v").partition(".")[0]) < NODE:
        _not_here(f"the Slack emulator needs Node {NODE}; installed is {told.strip()}")
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)]
    done = subprocess.run(
        [npm, "install", *options, f"emulate@{VERSION}"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        _not_here(f"npm could not install emulate@{VERSION}: {done.stderr.strip()[-300:]}")


def _not_here(why: str) -> None:
    if os.environ.get("TIEWATCH_TEST_EMULATOR") == "required":
        pytest.fail(why)
    pytest.skip(why)


def _wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            call(url, "conversations.list")
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        else:
            return


def call(url: str, method: str, **asked: object) -> dict[str, object]:
    """What the emulator answers, asked past tiewatch."""
    request = urllib.request.Request(
        url + method,
        json.dumps(asked).encode(),
        {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        said: dict[str, object] = json.loads(answer.read())
    return said
