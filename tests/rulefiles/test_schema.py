"""The JSON Schema of rule files: current, and no stricter than `rules check`."""

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

import worker
from worker.core.catalogue import Fact
from worker.core.facts import FACTS
from worker.core.units import Unit
from worker.rulefiles import schema
from worker.rulefiles.rules import KEYS, REQUIRED
from worker.rulefiles.words import PRESENCE, SYMBOLS, WORDS
from worker.shipped import rules_dir

COMMITTED = rules_dir() / "schema.json"
DOCS = Path(worker.__file__).parent.parent / "docs/rules.md"
EXAMPLES = re.findall(r"```yaml\n(.*?)```", DOCS.read_text(), re.DOTALL)
RULE = {"id": "x", "title": "t", "severity": "low", "when": {"mrr": "over $5"}}


def marked(document, part="", own=()):
    """What an editor marks in a file, as the path of each place."""
    whole = schema(own)
    ours = {"$ref": f"#{part}", "definitions": whole["definitions"]} if part else whole
    return [
        "/".join(map(str, e.absolute_path)) for e in Draft7Validator(ours).iter_errors(document)
    ]


def in_rule(**keys):
    return {"rules": [RULE | keys]}


def loaded(text):
    return YAML(typ="safe", pure=True).load(text)


def test_the_committed_schema_is_current():
    assert COMMITTED.read_text() == json.dumps(schema(), indent=2, ensure_ascii=False) + "\n", (
        "run: tiewatch rules schema > rules/schema.json"
    )
    Draft7Validator.check_schema(schema())


def test_the_files_that_ship_name_their_schema_and_are_right_by_it():
    for name in (
        *("relationship.yaml", "signals.yaml", "slack.yaml", "ties.yaml"),
        *("sources.yaml", "health.yaml", "webhooks.yaml"),
    ):
        kind = name.removesuffix(".yaml")
        part = "" if kind in ("relationship", "signals") else f"/definitions/{kind}"
        text = (rules_dir() / name).read_text()
        fragment = f"#{part}" if part else ""
        first = text.partition("\n")[0]
        assert first == f"# yaml-language-server: $schema={COMMITTED.name}{fragment}"
        assert marked(loaded(text), part) == []


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_the_documentation_is_right_by_it(example):
    assert marked(loaded(example)) == []


@pytest.mark.parametrize("text", ["", "rules:\n", "thresholds:\nconditions:\nrules: []\n"])
def test_a_file_may_be_blank_or_have_blank_parts(text):
    assert marked(loaded(text)) == []


def test_every_key_and_fact_is_completed_with_its_meaning():
    rule = schema()["properties"]["rules"]["items"]
    assert tuple(rule["properties"]) == KEYS
    assert tuple(rule["required"]) == REQUIRED
    assert all(key["description"] for key in rule["properties"].values())
    when = schema()["definitions"]["condition"]["properties"]
    assert list(when) == [*FACTS, "all", "any", "not"]
    for name, fact in FACTS.items():
        assert fact.meaning[1:] in when[name]["description"]


LIFECYCLES = [
    *("trial", " churned ", "is not active", "one of trial, active", "!= trial", "[trial]"),
    *WORDS,
    *PRESENCE,
    *SYMBOLS,
]


@pytest.mark.parametrize(
    "keys",
    [
        *(
            {"when": {"lifecycle": loaded(f"{text}") if "[" in text else text}}
            for text in LIFECYCLES
        ),
        {"when": {"segment": True}},
        {"when": {"segment": ["smb", 2024]}},
        {"when": {"known_users": 0}},
        {"when": {"known_users": [0, 1]}},
        {"when": "a name"},
        {"when": ["a name", {"any": ["a name", {"not": "a name"}]}]},
        {"title": 2},
        {"id": 7},
        {"hold_for": "0 days"},
        {"hold_for": "1,0 days"},
        {"mode": "off"},
        {"tags": []},
        {"tags": "renewal"},
        {"notify": "rep sam"},
        {"notify": ["owner", "#renewals"]},
        {"override": True},
    ],
)
def test_what_is_right_is_not_marked(keys):
    assert marked(in_rule(**keys)) == []


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        ({"advise": "Call."}, "rules/0"),
        ({"severity": "hgih"}, "rules/0/severity"),
        ({"mode": "of"}, "rules/0/mode"),
        ({"hold_for": 2}, "rules/0/hold_for"),
        ({"hold_for": "2 weeks"}, "rules/0/hold_for"),
        ({"remind_every": 7}, "rules/0/remind_every"),
        ({"override": "yes"}, "rules/0/override"),
        ({"playbook": "wiki"}, "rules/0/playbook"),
        ({"when": {}}, "rules/0/when"),
        ({"when": None}, "rules/0/when"),
        ({"when": {"adoptoin": "over 5%"}}, "rules/0/when"),
        ({"when": {"adoption": {"over": 5}}}, "rules/0/when/adoption"),
        ({"when": {"adoption": None}}, "rules/0/when/adoption"),
        ({"when": {"lifecycle": "trail"}}, "rules/0/when/lifecycle"),
        ({"when": {"lifecycle": ["trail"]}}, "rules/0/when/lifecycle"),
        ({"except_when": {"any": [{"not": {"adoptoin": 1}}]}}, "rules/0/except_when/any/0/not"),
    ],
)
def test_a_mistake_is_marked_where_it_is(keys, place):
    assert marked(in_rule(**keys)) == [place]


def test_mistakes_outside_of_rules_are_marked():
    assert marked({"rulez": []}) == [""]
    assert marked({"conditions": {"a": {"adoptoin": 1}}}) == ["conditions/a"]
    assert marked({"thresholds": {"a": {}}}) == ["thresholds/a"]
    assert marked({"rules": [{"id": "x"}]}) == ["rules/0"] * 3
    assert marked({"half_lif": "5 days"}, "/definitions/ties") == [""]


def test_sources_are_marked_too():
    def source(value):
        return marked({"sources": {"mail": value}}, "/definitions/sources")

    for right in ("3 days", {"gap": "1 day"}, {"gap": "1 day", "events": ["usage"]}):
        assert source(right) == []
    for wrong in (3, "3", {}, {"gap": "1 day", "events": "mail"}, {"gap": "1 day", "of": "x"}):
        assert source(wrong) != []


OWN = (Fact("exports", Unit.COUNT, "", "exports", ""), Fact("a b", Unit.COUNT, "", "b", ""))


def banded(fact):
    return {
        "bands": {"good": 1},
        "parts": {"p": {"weight": 1, "facts": {fact: {"good": "otherwise"}}}},
    }


@pytest.mark.parametrize(
    ("fact", "without_any", "with_these"),
    [
        ("report exports 30d", True, False),  # it may be one, where none is known
        ("exports", False, True),
        ("a b", True, True),
        ("adoptoin", False, False),
    ],
)
def test_a_fact_of_ones_own_is_known_where_the_schema_is_made_of_it(fact, without_any, with_these):
    for document, part in (
        (in_rule(when={fact: "over 5"}), ""),
        (banded(fact), "/definitions/health"),
    ):
        assert (marked(document, part) == []) is without_any
        assert (marked(document, part, OWN) == []) is with_these


def test_what_stands_beside_a_fact_of_ones_own_is_looked_at_too():
    assert marked(in_rule(when={"exports 30d": {"over": 5}})) == ["rules/0/when/exports 30d"]
    assert marked(in_rule(when={"a b": None}), own=OWN) == ["rules/0/when/a b"]
