"""The documentation says what the code does."""

import json
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from worker.capture.taking import why_not
from worker.core.addresses import Side
from worker.core.contents import Content
from worker.core.events import Event, parse
from worker.core.facts import FACTS
from worker.core.listing import BEGIN, END, markdown
from worker.core.portfolio.catalogue import BASIS, FIGURES, TERMS
from worker.rulefiles import load_capture

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [*DOCS.rglob("*.md"), *(DOCS.parent / name for name in ("README.md", "CONTRIBUTING.md"))]
NOW = datetime(2026, 4, 1, tzinfo=UTC)


def test_every_event_shown_in_the_documentation_is_valid():
    text = "".join((DOCS / name).read_text() for name in ("events.md", "merging.md"))
    shown = re.findall(r"```json\n(.*?)```", text, re.S)
    events = [event for block in shown for event in _as_list(json.loads(block))]
    assert {event["type"] for event in events} >= {"interaction", "usage", "outcome"}
    for event in events:
        assert isinstance(parse(event, NOW), Event), event


def _as_list(document):
    return document if isinstance(document, list) else [document]


def test_the_catalogue_of_facts_is_documented_as_it_is():
    page = (DOCS / "facts.md").read_text()
    begin, end = page.index(BEGIN), page.index(END) + len(END)
    current = markdown(FACTS.values())
    assert page[begin:end] == current, "run 'tiewatch facts --list --markdown' and put it there"


def test_every_fact_says_what_it_is_made_of():
    types = {kind.__name__.lower() for kind in Content.__args__} | {"all types"}
    for fact in FACTS.values():
        assert set(fact.events) <= types, fact.name
        assert fact.events, fact.name
        assert fact.label, fact.name
        assert fact.meaning, fact.name
        assert fact.unknown_when, fact.name


def test_the_figures_of_the_portfolio_are_documented_as_they_are():
    page = (DOCS / "report.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \| (.*?) \|$", page, re.M)
    assert rows == [(f.name, str(f.kind), f.meaning, f.none_when) for f in FIGURES.values()]
    terms = re.findall(
        r"^- `(\w+)`: (.*?)\.$", " ".join(page.split()).replace(" - `", "\n- `"), re.M
    )
    assert dict(terms) == {name: meaning for name, (_, meaning) in TERMS.items()}
    assert BASIS in " ".join(page.split())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)#]+)", page.read_text()):
        if "://" not in link:
            assert (page.parent / link).exists(), f"{page.name} links to {link}"


def test_the_layers_are_documented_as_they_are_checked():
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text())
    checked = next(c for c in project["tool"]["importlinter"]["contracts"] if "layers" in c)
    layers = [re.split(r" [|:] ", layer) for layer in checked["layers"] if layer != "__main__"]
    page = (DOCS.parent / "CONTRIBUTING.md").read_text().partition("The layers, from the top:")[2]
    shown = [line.strip().split(", ") for line in page.partition("\n- ")[0].split("\n") if line]
    assert shown == layers


def test_the_modules_that_the_page_on_the_code_names_are_there():
    code = DOCS.parent / "worker"
    packages = "|".join(path.name for path in code.iterdir() if path.is_dir())
    named = re.findall(rf"\b((?:{packages})/\w+)", (DOCS / "architecture.md").read_text())
    assert len(named) > 30
    there = {path.relative_to(code).with_suffix("").as_posix() for path in code.glob("*/*")}
    assert set(named) - there == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_empty_line_cuts_a_table_in_two(page):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    for table in re.findall(r"(?:^\|.*\n)+", text, re.M):
        assert re.match(r".*\n\|[-|: ]+\|\n", table), table.partition("\n")[0]


def test_compose_passes_on_every_setting_that_everyone_needs():
    readme = (DOCS.parent / "README.md").read_text()
    settings = set(re.findall(r"`(TIEWATCH_\w+)`", readme))
    passed = YAML().load(DOCS.parent / "docker-compose.yml")["x-tiewatch"]["environment"]
    assert settings - {name.removesuffix("_FILE") for name in passed} == set()


def test_what_the_page_on_identity_shows_is_so(tmp_path):
    page = (DOCS / "identity.md").read_text()
    (event,) = re.findall(r"```json\n(.*?)```", page, re.S)
    assert why_not(json.loads(event), NOW) is None
    (settings,) = re.findall(r"```yaml\n(.*?)```", page, re.S)
    (tmp_path / "capture.yaml").write_text(settings)
    people = load_capture(tmp_path / "capture.yaml").people
    assert people.side("sam@eu.example.com") is Side.OURS
    assert people.side("no-reply@acme.example") is Side.NOBODYS
