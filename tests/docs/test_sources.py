"""docs/sources: every setting, command and name on the pages is one that there is."""

import re
import shlex
from pathlib import Path

import click
import pytest
import typer

from worker.cli import app
from worker.rulefiles import load_capture
from worker.shipped import rules_dir
from worker.store.api_keys import Scope

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [*sorted((DOCS / "sources").glob("*.md")), DOCS / "import.md"]
SHIPPED = load_capture(rules_dir() / "capture.yaml")
COMMANDS = [
    (page.name, line)
    for page in PAGES
    for block in re.findall(r"```sh\n(.*?)```", page.read_text("utf-8"), re.S)
    for line in block.splitlines()
]


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_every_command_is_one_with_these_options(page, line):
    name, *arguments = shlex.split(line)
    assert name == "tiewatch"
    command = typer.main.get_command(app)
    context = click.Context(command)
    while isinstance(command, click.Group):
        command = command.get_command(context, arguments.pop(0))
        assert command is not None, line
        context = click.Context(command, parent=context)
    command.make_parser(context).parse_args(arguments)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_hook_secret_scope_and_kind_on_a_page_is_one(page):
    text = page.read_text("utf-8")
    hooks = set(re.findall(r"/v1/hooks/(\w+)", text))
    assert hooks <= set(SHIPPED.hooks)
    secrets = {name.lower() for name in re.findall(r"TIEWATCH_HOOK_SECRET_(\w+)`", text)}
    assert secrets == hooks
    assert set(re.findall(r"--scope (\w+)", text)) <= set(Scope)
    product = page.stem
    kinds = set(re.findall(rf"`({product}-[a-z]+)`", text))
    assert kinds == {name for name in SHIPPED.imports if name.startswith(f"{product}-")}


@pytest.mark.parametrize("product", ["hubspot", "zendesk", "intercom", "calendly"])
def test_what_a_page_says_to_subscribe_to_is_what_the_mapping_is_for(product):
    text = (DOCS / "sources" / f"{product}.md").read_text("utf-8")
    section = text.partition("## History")[0]
    words = {
        word for shape in SHIPPED.hooks[product].events for pick, found in shape.when
        if pick.path in ("$.subscriptionType", "$.topic", "$.event") for word in found
    }  # fmt: skip
    assert words or product == "zendesk"
    assert [word for word in words if word not in section] == []


def test_the_mapping_that_is_shown_is_one(tmp_path):
    [shown] = re.findall(r"```yaml\n(.*?)```", (DOCS / "import.md").read_text("utf-8"), re.S)
    (tmp_path / "visits.yaml").write_text(shown)
    assert set(load_capture(tmp_path / "visits.yaml").imports) == {"visits"}


def test_every_page_of_a_product_is_linked_from_the_mappings():
    text = (DOCS / "capture.md").read_text("utf-8")
    assert {page.name for page in PAGES[:-1]} == set(re.findall(r"\(sources/(.*?)\)", text))
