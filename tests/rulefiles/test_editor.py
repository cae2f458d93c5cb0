"""The schema in a real editor's language server, the one of VS Code's YAML extension.

`make` installs it where there is npm. Else it is found on the PATH, or at
TIEWATCH_TEST_YAML_LANGUAGE_SERVER, its JavaScript file; without it, or without Node, these tests
are skipped.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from worker.core.facts import FACTS
from worker.core.rules import Severity
from worker.shipped import rules_dir

NAME = "yaml-language-server"
INSTALLED = Path(sys.prefix, "node", "node_modules", ".bin")
FEATURES = {"validate": True, "completion": True, "schemaStore": {"enable": False}}


def command() -> list[str]:
    node, script = shutil.which("node"), os.environ.get("TIEWATCH_TEST_YAML_LANGUAGE_SERVER")
    if not node:
        pytest.skip("Node is not installed")
    if script:
        return [node, script, "--stdio"]
    found = shutil.which(NAME, path=INSTALLED) or shutil.which(NAME)
    if not found:
        pytest.skip(f"{NAME} is not installed: remove .venv/ready, and run 'make .venv/ready'")
    return [found, "--stdio"]


class Editor:
    """As much of an editor as asks for diagnostics and completions of files in a folder."""

    def __init__(self, server: subprocess.Popen[bytes], folder: Path) -> None:
        assert server.stdin
        assert server.stdout
        self._in, self._out, self._folder, self._asked = server.stdin, server.stdout, folder, 0
        self._ask("initialize", processId=None, rootUri=folder.as_uri(), capabilities={})
        self._send(method="initialized", params={})

    def diagnostics(self, name: str, text: str) -> list[tuple[int, str]]:
        """(line from 1, message) of all that is marked in a file once it is opened."""
        uri = (self._folder / name).as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._send(method="textDocument/didOpen", params={"textDocument": document})
        for message in self._received():
            params = message.get("params", {})
            if "diagnostics" in params and params["uri"] == uri:
                found = params["diagnostics"]
                return [(each["range"]["start"]["line"] + 1, each["message"]) for each in found]
        raise AssertionError("the server has gone")

    def completions(self, name: str, text: str) -> list[str]:
        """The words that are offered where `@` stands in the text."""
        before = text.partition("@")[0]
        self.diagnostics(name, text.replace("@", ""))
        line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
        answer = self._ask(
            "textDocument/completion",
            textDocument={"uri": (self._folder / name).as_uri()},
            position={"line": line, "character": column},
        )
        return [item["label"] for item in answer["items"]]

    def _ask(self, method: str, **params: Any) -> Any:
        self._asked += 1
        self._send(id=self._asked, method=method, params=params)
        for message in self._received():
            if message.get("id") == self._asked and "method" not in message:
                return message["result"]
        raise AssertionError("the server has gone")

    def _send(self, **message: Any) -> None:
        body = json.dumps({"jsonrpc": "2.0"} | message).encode()
        self._in.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._in.flush()

    def _received(self) -> Iterator[dict[str, Any]]:
        """What the server says; what it asks is answered."""
        while header := self._out.readline():
            length = int(header.removeprefix(b"Content-Length: "))
            while self._out.readline().strip():
                pass
            message = json.loads(self._out.read(length))
            if "method" in message and "id" in message:
                items = message["params"].get("items", ()) if message.get("params") else ()
                wanted = [FEATURES if each.get("section") == "yaml" else {} for each in items]
                self._send(id=message["id"], result=wanted or None)
            yield message


@pytest.fixture(scope="module")
def editor(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rules")
    shutil.copy(rules_dir() / "schema.json", folder)
    with subprocess.Popen(
        command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as server:
        try:
            yield Editor(server, folder)
        finally:
            server.kill()


@pytest.mark.parametrize("name", ["relationship.yaml", "ties.yaml", "sources.yaml", "health.yaml"])
def test_nothing_is_marked_in_the_files_that_ship(editor, name):
    assert editor.diagnostics(name, (rules_dir() / name).read_text()) == []


@pytest.mark.parametrize(
    ("right", "wrong", "mistake"),
    [
        ("      adoption: at least 75%", "      adoptoin: at least 75%", "adoptoin"),
        ("    severity: critical", "    severity: critcal", '"critical"'),
        ("    hold_for: 2 days", "    hold_fr: 2 days", "hold_fr"),
        ("    hold_for: 2 days", "    hold_for: 2 weeks", "2 days"),
        ("    when: {strong_exec", "    whenever: {strong_exec", '"when"'),
    ],
)
def test_a_mistake_is_marked_on_its_line(editor, right, wrong, mistake):
    text = (rules_dir() / "relationship.yaml").read_text()
    assert text.count(right) == 1
    broken = text.replace(right, wrong)
    line = broken[: broken.index(wrong)].count("\n") + 1
    found = editor.diagnostics(f"{wrong.split()[0]}{len(wrong)}.yaml", broken)
    assert found
    assert any(mistake in message for _, message in found)
    assert all(line - 3 <= at <= line for at, _ in found), "a missing key is marked at the rule"
    assert line in {at for at, _ in found}


HEAD = "# yaml-language-server: $schema=schema.json\nrules:\n  - id: x\n    title: t\n"


@pytest.mark.parametrize("where", ["when:\n      @", "when:\n      - any:\n          - d@"])
def test_facts_are_completed_where_a_condition_is_written(editor, where):
    offered = editor.completions(f"facts{len(where)}.yaml", f"{HEAD}    {where}\n")
    assert set(FACTS) <= set(offered)
    assert {"all", "any", "not"} <= set(offered)


def test_severities_are_completed(editor):
    assert set(Severity) <= set(editor.completions("a.yaml", f"{HEAD}    severity: @\n"))


def test_keys_of_a_rule_are_completed(editor):
    assert {"when", "advice", "mode"} <= set(editor.completions("b.yaml", f"{HEAD}    @\n"))
