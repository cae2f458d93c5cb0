"""Every kind of mistake, at its exact line and column, with what was meant."""

# ruff: noqa: E501 - one case a line, so that they read as a table

import time

import pytest

RULE = "rules:\n  - id: x\n    title: t\n    severity: low\n    when: {adoption: over 5%}\n"
THRESHOLDS = (
    "thresholds:\n"
    "  renewal window: {enterprise: 90 days, default: 45 days}\n"
    "  execs required: {enterprise: 2, default: 1}\n"
)


def found(checked, text):
    problems, rules = checked(text)
    assert rules is None
    assert problems == sorted(problems)
    return [str(problem).removeprefix("a.yaml:") for problem in problems]


@pytest.mark.parametrize(
    ("comparison", "problem"),
    [
        ("dayz_since_contact: over 5 days", "9:7: unknown fact 'dayz_since_contact'; did you mean 'days_since_contact'?"),
        ("days since contact: over 5 days", "9:7: unknown fact 'days since contact'; did you mean 'days_since_contact'?"),
        ("weather: fine", "9:7: unknown fact 'weather'; docs/facts.md has them"),
        ("days_since_contact: ovr 15 days", "9:27: unknown comparison 'ovr'; did you mean 'over'?"),
        ("days_since_contact: Over 15 days", "9:27: unknown comparison 'Over'; did you mean 'over'?"),
        ("days_since_contact: above 15 days", "9:27: unknown comparison 'above'; did you mean 'over'?"),
        ("strong_exec_ties: fewer then execs required", "9:25: unknown comparison 'fewer then'; did you mean 'fewer than'?"),
        ("strong_exec_ties: fewr than 2", "9:25: unknown comparison 'fewr than'; did you mean 'fewer than'?"),
        ("known_users: sometimes", "9:20: unknown comparison 'sometimes'; there is at least, at most, over, more than, under, fewer than, less than, between, is not, is, one of, known, unknown"),
        ("lifecycle: over 3", "9:18: lifecycle is a text: compare it with 'is', 'is not', 'one of', 'known' or 'unknown', not 'over'"),
        ('segment: "> smb"', "9:16: segment is a text: compare it with 'is', 'is not', 'one of', 'known' or 'unknown', not '>'"),
        ("days_since_contact: over 15", "9:27: days_since_contact is in days: write '15 days', not '15'"),
        ("days_since_contact: over 15%", "9:27: days_since_contact is in days: write '15 days', not '15%'"),
        ("days_since_contact: over 3 weeks", "9:27: days_since_contact is in days: write '21 days', not '3 weeks'"),
        ("days_since_contact: over 1.5 days", "9:27: days_since_contact is in days: '1.5 days' is not a whole number"),
        ("days_to_renewal: between 0 and 90 days", "9:24: days_to_renewal is in days: write '0 days', not '0'"),
        ("known_users: at least 2 days", "9:20: known_users is a count: write '2', not '2 days'"),
        ("known_users: at least 2.5", "9:20: known_users is a count: '2.5' is not a whole number"),
        ("adoption: at least 75", "9:17: adoption is a percentage: write '75%', not '75'"),
        ("adoption: never", "9:17: adoption is a percentage: write '75%', not 'never'"),
        ("mrr: over 10000", "9:12: mrr is money: write '10,000 EUR' or '$10,000', not '10000'"),
        ("lifecycle: trail", "9:18: unknown lifecycle 'trail'; did you mean 'trial'?"),
        ("lifecycle: [trial, onbording]", "9:26: unknown lifecycle 'onbording'; did you mean 'onboarding'?"),
        ("segment: [smb, unknown]", "9:22: 'unknown' is not one value among others: compare segment with it by itself"),
        ("days_to_renewal: between 0 days and renewl window", "9:24: unknown threshold 'renewl window'; did you mean 'renewal window'?"),
        ("days_to_renewal: over the hills", "9:24: unknown threshold 'the hills': no 'thresholds:' has it"),
        ("days_to_renewal: over execs required", "9:24: threshold 'execs required' is a count, but days_to_renewal is in days"),
        ("usage_30d: higher than 5", "9:18: unknown comparison 'higher than'; did you mean 'over'?"),
        ("usage_30d: not more than 5", "9:18: unknown comparison 'not more than'; did you mean 'at most'?"),
        ("usage_30d: more than or equal to 5", "9:18: unknown comparison 'more than or equal to'; did you mean 'at least'?"),
        ("usage_30d: '=> 5'", "9:18: unknown comparison '=>'; did you mean '>='?"),
        ("usage_30d: over5", "9:18: unknown comparison 'over5'; did you mean 'over 5'?"),
        ("usage_30d: is at least 5", "9:18: one comparison at a time: write 'at least 5', without 'is'"),
        ("usage_30d: 5-7", "9:18: unknown comparison; did you mean 'between 5 and 7'?"),
        ("usage_30d: none", "9:18: unknown comparison 'none'; did you mean 'unknown'?"),
        ("days_to_renewal: 5 days to 9 days", "9:24: unknown comparison; did you mean 'between 5 days and 9 days'?"),
        ("mrr: over 10.000 EUR", "9:12: mrr is money: write it like '10,000 EUR' or '$10,000', not '10.000 EUR'"),
        ("days_since_contact: over 2 months", "9:27: days_since_contact is in days: write '60 days', not '2 months'"),
        ("days_to_renewal: between 90 days and 10 days", "9:24: this range is reversed: it goes from 90 days to 10 days; did you mean 'between 10 days and 90 days'?"),
        ("days_to_renewal: between 60 days and renewal window", "9:24: this range is reversed: it goes from 60 days to 45 days"),
        ("days_to_renewal: between renewal window and 60 days", "9:24: this range is reversed for 'enterprise': it goes from 90 days to 60 days"),
        ("days_to_renewal: between 90 days", "9:24: 'between' takes two ends: 'between 0 days and 90 days'"),
        ("days_to_renewal: over 5 days and under 9 days", "9:24: one comparison at a time: two go in a list under 'all:' or 'any:'"),
        ("days_to_renewal: over", "9:24: there is nothing to compare days_to_renewal with"),
        ("days_to_renewal:", "9:7: there is nothing to compare days_to_renewal with: write 'over 15 days'"),
        ("days_to_renewal: []", "9:24: the list of what days_to_renewal can be is empty"),
        ("days_to_renewal: {over: 5 days}", "9:24: compare days_to_renewal in one text: 'over 15 days'"),
        ("days_to_renewal: >-\n        over 5 days", "9:24: quote a comparison that starts with > or |, such as '> 70%'"),
        ("adoption: >= 70%", '9:17: quote a text that starts with > or |, such as ">= 70%"'),
        ("adoption: != 70%", "9:17: YAML tags (!name) are not allowed; quote a text that starts with !"),
        ("any: [{adoption: over 5%}, {adoptoin: over 5%}]", "9:35: unknown fact 'adoptoin'; did you mean 'adoption'?"),
        ("any: [in renewal window]", "9:13: unknown condition 'in renewal window': no 'conditions:' has it"),
        ("any: [{adoption: over 5%}, adoption over 5%]", "9:34: write 'adoption: over 5%': a fact has a colon and a space after it"),
        ("not: adoption:over 5%", "9:12: write 'adoption: over 5%': a fact has a colon and a space after it"),
        ("not: adoption", "9:12: there is nothing to compare adoption with: write 'at least 75%'"),
        ("any: ['']", "9:13: an item of 'any' must be facts with comparisons, such as 'days_since_contact: over 15 days'"),
        ("all: {}", "9:12: 'all' is empty: it needs at least one fact"),
        ("not: []", "9:12: 'not' is empty: it needs at least one fact"),
    ],
)  # fmt: skip
def test_a_comparison_with_a_mistake(checked, comparison, problem):
    rule = "rules:\n  - id: x\n    title: t\n    severity: low\n    when:\n"
    assert found(checked, f"{THRESHOLDS}{rule}      {comparison}\n") == [problem]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("title: u", "6:5: 'title' is here twice, first in line 3"),
        ("advise: Call.", "6:5: unknown key 'advise'; did you mean 'advice'?"),
        ("conditions: {}", "6:5: unknown key 'conditions'; a rule has id, title, severity, when, advice, playbook, hold_for, keep_open_for, except_when, tags, kind, mode, notify, remind_every, override"),
        ("advice: [Call]", "6:13: 'advice' must be a text; quote one that starts with { or ["),
        ("advice:", "6:5: 'advice' is empty"),
        ('advice: ""', "6:13: 'advice' is empty"),
        ("advice: '{days_to_renewl}'", "6:13: unknown placeholder 'days_to_renewl'; did you mean 'days_to_renewal'?"),
        ("advice: Within {renewal window}.", "6:13: unknown placeholder 'renewal window': it is neither a fact nor a threshold"),
        ("advice: Within {}.", "6:13: unknown placeholder '': it is neither a fact nor a threshold"),
        ("advice: At {adoption.", "6:13: 'advice' has a brace without its partner"),
        ("advice: " + "x" * 2001, "6:13: 'advice' has 2,001 characters; 2000 are allowed"),
        ('advice: "a\\0b"', "6:13: a text with an unprintable character"),
        ('advice: "a\\ud800b"', "6:13: a text with an unprintable character"),
        ("advice: a: b", "6:14: a ':' where none can be: quote a text that has one, and check the indentation"),
        ("advice: 'Call", "6:13: this quote is never closed"),
        ("advice: 'it's'", "6:17: this does not fit what is above it: check the indentation and the quotes"),
        ("advice: - x", "6:13: a list must start on a line of its own"),
        ("advice: ,", "6:13: a value cannot start with this character: quote it"),
        ("advice: %x", "6:13: a value cannot start with this character: quote it"),
        ("advice: !x y", "6:13: YAML tags (!name) are not allowed; quote a text that starts with !"),
        ("advice: &x y", "6:13: YAML anchors (&name) are not allowed: write the value out"),
        ("advice: &x", ["6:5: 'advice' is empty", "6:13: YAML anchors (&name) are not allowed: write the value out"]),
        ("advice: *x", "6:13: YAML aliases (*name) are not allowed: write the value out"),
        ("hold_for: 2", "6:15: 'hold_for' is in days: write '2 days', not '2'"),
        ("hold_for: 2 weeks", "6:15: 'hold_for' is in days: write '14 days', not '2 weeks'"),
        ("hold_for: 1.5 days", "6:15: 'hold_for' is in days: '1.5 days' is not a whole number"),
        ("keep_open_for: -1 days", "6:20: 'keep_open_for' is 0 to 365 days, not '-1 days'"),
        ("keep_open_for: never", "6:20: 'keep_open_for' is 0 to 365 days, not 'never'"),
        ("except_when: trial", "6:18: unknown condition 'trial': no 'conditions:' has it"),
        ("except_when: {mrr: over 10,000 EUR}", "6:24: inside { } a comma ends a value: put 'over 10,000 EUR' in quotes, or on a line of its own without { }"),
        ("except_when: {mrr: is known, segment: one of enterprise, mid-market}", "6:43: inside { } a comma ends a value: put 'one of enterprise, mid-market' in quotes, or on a line of its own without { }"),
        ("override: yes", "6:15: 'override' is true or false, not 'yes'"),
        ("override: True", "6:15: 'override' is true or false, not 'True'"),
        ("override:", "6:5: 'override' is empty"),
        ("override: [true]", "6:15: 'override' must be a text; quote one that starts with { or ["),
        ("override: true", "2:9: rule 'x' overrides nothing: no other file has a rule of that id"),
        ("playbook: wiki.example.com", "6:15: 'playbook' is a link such as 'https://wiki.example.com/renewals', not 'wiki.example.com'; write a space as %20"),
        ("playbook: ftp://example.com", "6:15: 'playbook' is a link such as 'https://wiki.example.com/renewals', not 'ftp://example.com'; write a space as %20"),
        ("playbook: https://", "6:15: 'playbook' is a link such as 'https://wiki.example.com/renewals', not 'https://'; write a space as %20"),
        ("playbook: https://a.example/our plan", "6:15: 'playbook' is a link such as 'https://wiki.example.com/renewals', not 'https://a.example/our plan'; write a space as %20"),
        ("playbook: https://a.example/<b|c>", "6:15: 'playbook' is a link such as 'https://wiki.example.com/renewals', not 'https://a.example/<b|c>'; write a space as %20"),
        ("playbook: https://a.example/" + "x" * 483, "6:15: 'playbook' has 501 characters; 500 are allowed"),
        ("playbook: {a: b}", "6:15: 'playbook' must be a text; quote one that starts with { or ["),
        ("playbok: https://a.example", "6:5: unknown key 'playbok'; did you mean 'playbook'?"),
        ("tags: [renewal, exec!]", "6:21: 'exec!' cannot be a tag: use letters, digits, '-', '_' and spaces"),
        ("tags: a.b", "6:11: 'a.b' cannot be a tag: use letters, digits, '-', '_' and spaces"),
        ("tags: [a b, c, 'a  b']", "6:20: the tag 'a b' is here twice"),
        ("tags: [" + "x" * 41 + "]", "6:12: a tag has 41 characters; 40 are allowed"),
        ("tags: [" + ", ".join(map(str, range(21))) + "]", "6:11: 'tags' has 21 of them; 20 are allowed"),
        ("tags: [[a]]", "6:12: a tag must be a text; quote one that starts with { or ["),
        ("tags: ['']", "6:12: a tag is empty"),
        ("tags:", "6:5: 'tags' is empty"),
        ("tags: {a: b}", "6:11: 'tags' must be a text; quote one that starts with { or ["),
        ("mode: shadw", "6:11: unknown mode 'shadw'; did you mean 'shadow'?"),
        ("mode: paused", "6:11: unknown mode 'paused'; it is live, shadow, off"),
        ("mode: Off", "6:11: unknown mode 'Off'; did you mean 'off'?"),
        ("mode:", "6:5: 'mode' is empty"),
        ("mode: [off]", "6:11: 'mode' must be a text; quote one that starts with { or ["),
        ("mde: off", "6:5: unknown key 'mde'; did you mean 'mode'?"),
        ("notify: ownr", "6:13: 'notify' is owner, owner's manager, a channel such as '#renewals' or a rep such as 'rep sam', not 'ownr'; did you mean 'owner'?"),
        ("notify: [owner, everyone]", "6:21: 'notify' is owner, owner's manager, a channel such as '#renewals' or a rep such as 'rep sam', not 'everyone'"),
        ("notify: rep", "6:13: 'notify' is owner, owner's manager, a channel such as '#renewals' or a rep such as 'rep sam', not 'rep'"),
        ("notify: '#Renewals'", "6:13: 'notify' is owner, owner's manager, a channel such as '#renewals' or a rep such as 'rep sam', not '#Renewals'"),
        ("notify: '#'", "6:13: 'notify' is owner, owner's manager, a channel such as '#renewals' or a rep such as 'rep sam', not '#'"),
        ("notify: [owner, owner]", "6:21: 'owner' is here twice"),
        ("notify: #renewals", "6:5: 'notify' is empty: a # starts a comment, so quote a channel: \"#renewals\""),
        ("notify:\n      - #renewals", "7:8: 'notify' is empty: a # starts a comment, so quote a channel: \"#renewals\""),
        ("notify: {rep: sam}", "6:13: 'notify' must be a text; quote one that starts with { or ["),
        ("notify: [" + ", ".join(f"rep {n}" for n in range(21)) + "]", "6:13: 'notify' has 21 of them; 20 are allowed"),
        ("remind_every: 0 days", "6:19: 'remind_every' is 1 to 365 days, not '0 days'"),
        ("remind_every: 7", "6:19: 'remind_every' is in days: write '7 days', not '7'"),
        ("remind_evry: 7 days", "6:5: unknown key 'remind_evry'; did you mean 'remind_every'?"),
        ("except_when: {lifecycle: trail}", "6:30: unknown lifecycle 'trail'; did you mean 'trial'?"),
        ("? [a]\n    : b", "6:7: a key must be a plain text"),
        ("\tadvice: x", "6:5: a tab: indent with spaces"),
        ("\ttags: [x]\n\tadvice: x", ["6:5: a tab: indent with spaces", "7:1: a tab: indent with spaces"]),
        ("advice: {owner}, call them", "6:13: quote a text that starts with { or ["),
        ("advice: [urgent] Call them", "6:13: quote a text that starts with { or ["),
        ("advice:\tx", "6:12: a tab: use a space"),
        ("advice", "6:5: a key without its ':'"),
    ],
)  # fmt: skip
def test_a_rule_with_a_mistake_in_one_line(checked, line, problem):
    problems = problem if isinstance(problem, list) else [problem]
    assert found(checked, f"{RULE}    {line}\n") == problems


@pytest.mark.parametrize(
    ("old", "new", "problems"),
    [
        ("severity: low", "severity: hgih", ["4:15: unknown severity 'hgih'; did you mean 'high'?"]),
        ("severity: low", "severity: 5", ["4:15: unknown severity '5'; it is low, medium, high, critical"]),
        ("id: x", "id: two words", ["2:9: 'two words' cannot be an id: use letters, digits, '-', '_' and '.'"]),
        ("id: x", 'id: "a\\nb"', ["2:9: 'a b' cannot be an id: use letters, digits, '-', '_' and '.'"]),
        ("id: x", "id:", ["2:5: 'id' is empty"]),
        ("id: x\n    title: t", "advice: y", ["2:5: the rule has no 'id'", "2:5: the rule has no 'title'"]),
        ("title: t", "title: {adoption}", ["3:12: 'title' must be a text; quote one that starts with { or ["]),
        ("title: t", "titel: t", ["2:5: the rule has no 'title'", "3:5: unknown key 'titel'; did you mean 'title'?"]),
        ("    title: t", "   title: t", ["3:4: this does not fit what is above it: check the indentation and the quotes"]),
        ("{adoption: over 5%}", "adoption over 5%", ["5:11: write 'adoption: over 5%': a fact has a colon and a space after it"]),
        ("{adoption: over 5%}", "{}", ["5:11: 'when' is empty: it needs at least one fact"]),
        ("{adoption: over 5%}", "{adoption: over 5%, adoption: under 9%}", ["5:31: 'adoption' is here twice, first in line 5"]),
        ("{adoption: over 5%}", "{adoption: over 5%", ["6:1: a comma or a closing bracket is missing; it opens in line 5"]),
        ("when: {adoption: over 5%}", "when:", ["5:5: 'when' must be facts with comparisons, such as 'days_since_contact: over 15 days'"]),
    ],
)  # fmt: skip
def test_a_rule_with_a_part_gone_wrong(checked, old, new, problems):
    assert found(checked, RULE.replace(old, new)) == problems


@pytest.mark.parametrize(
    ("threshold", "problem"),
    [
        ("t: {smb: 5 days, default: 6}", "2:29: threshold 't' is in days: write '6 days', not '6'"),
        ("t: {smb: lots, default: 6}", "2:12: 'lots' is not a number such as '15 days', '75%', '2' or '$500'"),
        ("t: {smb: 1.5 days, default: 6 days}", "2:12: threshold 't' is in days: '1.5 days' is not a whole number"),
        ("t: {smb: , default: 6}", "2:7: the value for 'smb' is empty"),
        ("t: {smb: 5, smb: 6, default: 7}", "2:15: 'smb' is here twice, first in line 2"),
        ("t: {smb: [5], default: 7}", "2:12: the value for 'smb' must be a text; quote one that starts with { or ["),
        ("t: {}", "2:3: threshold 't' has 0 values: give it 1 to 100"),
        ("t:", "2:3: the value for 'default' is empty"),
        ("this and that: 5", "2:3: 'this and that' cannot name a threshold: it would read as a part of a comparison"),
        ("at least it: 5", "2:3: 'at least it' cannot name a threshold: it would read as a part of a comparison"),
        ("never: 5", "2:3: 'never' cannot name a threshold: it would read as a part of a comparison"),
        ("adoption: 5", "2:3: 'adoption' cannot name a threshold: it is a fact"),
        ("9 days: 5", "2:3: '9 days' cannot name a threshold: it would read as a part of a comparison"),
        ("'a, b': 5", "2:3: 'a, b' cannot name a threshold: at most 60 characters, a letter first, no brackets or commas"),
        ("'{t}': 5", "2:3: '{t}' cannot name a threshold: at most 60 characters, a letter first, no brackets or commas"),
        ("t: 5\n  t: 6", "3:3: 't' is here twice, first in line 2"),
        ("t: {smb: 5}\n  u: {enterprise: 5, smb: 6}", "2:3: threshold 't' has neither a value for 'enterprise' nor a default"),
    ],
)  # fmt: skip
def test_a_threshold_with_a_mistake(checked, threshold, problem):
    assert found(checked, f"thresholds:\n  {threshold}\n") == [problem]


@pytest.mark.parametrize(
    "name", ["standard demand", "exec's turn (late)", "90-day window", "Größe"]
)
def test_the_name_of_a_threshold_may_be_what_people_call_it(checked, name):
    text = f'thresholds: {{"{name}": 5%}}\n' + RULE.replace("over 5%", f'"over {name}"')
    problems, rules = checked(text)
    assert problems == []
    assert list(rules.thresholds) == [name]


def test_a_threshold_without_a_default_needs_each_segment_that_a_condition_names(checked):
    text = "thresholds: {t: {smb: 1}}\n" + RULE.replace("adoption: over 5%", "segment: is not big")
    assert found(checked, text) == [
        "1:14: threshold 't' has neither a value for 'big' nor a default"
    ]


def test_a_wrong_threshold_is_reported_once_not_again_where_it_is_used(checked):
    text = "thresholds: {t: lots}\n" + RULE.replace("adoption: over 5%", "adoption: over t")
    assert found(checked, text) == [
        "1:17: 'lots' is not a number such as '15 days', '75%', '2' or '$500'"
    ]


DOUBLING = "".join(f"  c{n}: {{not: [c{n + 1}, c{n + 1}]}}\n" for n in range(50))


@pytest.mark.parametrize(
    ("conditions", "problems"),
    [
        ("a: {adoptoin: over 5%}", ["2:7: unknown fact 'adoptoin'; did you mean 'adoption'?"]),
        ("a: {adoption: over 5}", ["2:17: adoption is a percentage: write '5%', not '5'"]),
        ("a: {adoption: over 5}\n  b: [a]\n  c: {any: [a, b]}", ["2:17: adoption is a percentage: write '5%', not '5'"]),
        ("in renewal window: {adoption: over 5%}\n  b: [in renwal window]", ["3:7: unknown condition 'in renwal window'; did you mean 'in renewal window'?"]),
        ("mrr at risk: {adoption: over 5%}\n  b: [mrr at rsk]", ["3:7: unknown condition 'mrr at rsk'; did you mean 'mrr at risk'?"]),
        ("a: [a]", ["2:3: condition 'a' uses itself"]),
        ("a: {not: {any: a}}", ["2:3: condition 'a' uses itself"]),
        ("a: b\n  b: a", ["2:3: condition 'a' uses itself, by way of 'b'"]),
        ("c: [a]\n  b: [a]\n  a: [{adoption: over 5}, c, b]", ["2:3: condition 'c' uses itself, by way of 'a'", "3:3: condition 'b' uses itself, by way of 'a'", "4:18: adoption is a percentage: write '5%', not '5'"]),
        ("z: [a]\n  a: [b]\n  b: [c]\n  c: [a]", ["3:3: condition 'a' uses itself, by way of 'b', then 'c'"]),
        ("a: [b]\n  b: [c]\n  c: [d]\n  d: [e]\n  e: [f]\n  f: [g]\n  g: [a]", ["2:3: condition 'a' uses itself, by way of 'b', then 'c', then 'd', then 'e', then 'f', then 1 more"]),
        ("a: [{b: over 5%}]\n  b: {adoption: over 5%}", ["2:8: 'b' is a condition, not a fact: name it in a list, after '- '"]),
        ("a:", ["2:3: condition 'a' must be facts with comparisons, such as 'days_since_contact: over 15 days'"]),
        ("a: []", ["2:6: condition 'a' is empty: it needs at least one fact"]),
        ("a: {adoption: over 5%}\n  a: {adoption: over 6%}", ["3:3: 'a' is here twice, first in line 2"]),
        ("a b: {adoption: over 5%}\n  a  b: {adoption: over 6%}", ["3:3: condition 'a b' is also in a.yaml:2"]),
        ("adoption: {adoption: over 5}", ["2:3: 'adoption' cannot name a condition: it is a fact", "2:24: adoption is a percentage: write '5%', not '5'"]),
        ("any: {adoption: over 5%}", ["2:3: 'any' cannot name a condition: it joins conditions"]),
        ("this and that: {adoption: over 5%}", ["2:3: 'this and that' cannot name a condition: it would read as a part of a comparison"]),
        ("'a, b': {adoption: over 5%}", ["2:3: 'a, b' cannot name a condition: at most 60 characters, a letter first, no brackets or commas"]),
        ("a: {adoption: over 5%}\nthresholds: {a: 5%}", ["2:3: 'a' cannot name a condition: it is a threshold"]),
        (DOUBLING.strip() + "\n  c50: {adoption: over 5%}", ["45:8: condition 'c43' comes to more than 200 parts with its conditions written out: name fewer"]),
    ],
)  # fmt: skip
def test_a_named_condition_with_a_mistake_is_told_once_used_or_not(checked, conditions, problems):
    assert found(checked, f"conditions:\n  {conditions}\n") == problems
    name = conditions.partition(":")[0].strip("'")
    if name.isalpha() and name != "any":
        used = RULE.replace("{adoption: over 5%}", f"[{name}, any: {name}]")
        assert found(checked, f"conditions:\n  {conditions}\n{used}") == problems


def test_a_rule_that_names_an_unknown_condition_is_told_the_nearest(checked):
    text = RULE.replace("{adoption: over 5%}", "[in renwal window, {adoption: over 5%}]")
    assert found(checked, text + "conditions: {in renewal window: {adoption: over 5%}}\n") == [
        "5:12: unknown condition 'in renwal window'; did you mean 'in renewal window'?"
    ]


@pytest.mark.parametrize("size", [30, 190, 2000])
def test_a_long_chain_of_conditions_is_answered_from_either_end(checked, size):
    links = [f"  c{n}: {{not: c{n + 1}}}\n" for n in range(size)]
    end = f"  c{size}: {{adoption: over 5%}}\n"
    rule = RULE.replace("{adoption: over 5%}", "c0")
    for chain in (links, links[::-1]):
        problems, rules = checked(f"conditions:\n{''.join(chain)}{end}{rule}")
        if size < 200:
            assert rules
        else:
            (problem,) = problems
            assert "more than 200 parts" in problem.message


def test_a_long_circle_of_conditions_is_one_problem(checked):
    links = "".join(f"  c{n}: [c{(n + 1) % 3000}]\n" for n in range(3000))
    assert found(checked, f"conditions:\n{links}") == [
        "2:3: condition 'c0' uses itself, by way of 'c1', then 'c2', then 'c3', then 'c4', then 'c5', then 2994 more"
    ]


@pytest.mark.parametrize(
    ("rules", "problems"),
    [
        ("a override", ["2:10: rule 'a' overrides nothing: no other file has a rule of that id"]),
        ("single-threded override\nsingle-threaded", ["2:10: rule 'single-threded' overrides nothing: no other file has a rule of that id; did you mean 'single-threaded'?"]),
        ("a\na override\na override", ["4:10: rule 'a' is overridden already, in a.yaml:3"]),
        ("a override\na override", ["2:10: rule 'a' overrides nothing: no other file has a rule of that id", "3:10: rule 'a' is overridden already, in a.yaml:2"]),
        ("a\na override\na", ["4:10: rule 'a' is also in a.yaml:2"]),
        ("a\na", ["3:10: rule 'a' is also in a.yaml:2"]),
    ],
)  # fmt: skip
def test_rules_of_one_id_collide_unless_one_overrides_the_other(checked, rules, problems):
    lines = [
        f"  - {{id: {name}, title: t, severity: low, when: {{adoption: over 5%}}{', override: true' * bool(override)}}}"
        for name, _, override in (rule.partition(" ") for rule in rules.split("\n"))
    ]
    assert found(checked, "\n".join(["rules:", *lines])) == problems


def test_an_override_is_a_whole_rule(checked):
    assert found(checked, RULE + "  - {id: x, override: true}\n") == [
        "6:5: the rule has no 'severity'",
        "6:5: the rule has no 'title'",
        "6:5: the rule has no 'when'",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- a\n", "1:1: a rule file must be lines of 'key: value'"),
        ("  thresholds: {}\nrules: []\n", "2:1: this does not fit what is above it: check the indentation and the quotes"),
        ("hello\n", "1:1: a rule file must be lines of 'key: value'"),
        ("rules: hello\n", "1:8: 'rules' must be a list, each item on a line that starts with '- '"),
        ("rules:\n  x: {}\n", "2:3: 'rules' must be a list, each item on a line that starts with '- '"),
        ("rules:\n  - hello\n", "2:5: a rule must be lines of 'key: value'"),
        ("thresholds: [a]\n", "1:13: 'thresholds' must be lines of 'key: value'"),
        ("conditions: [a]\n" + RULE.replace("{adoption: over 5%}", "a"), "1:13: 'conditions' must be lines of 'key: value'"),
        ("condition: {}\n", "1:1: unknown key 'condition'; did you mean 'conditions'?"),
        ("rulez: []\n", "1:1: unknown key 'rulez'; did you mean 'rules'?"),
        ("weather: {}\n", "1:1: unknown key 'weather'; a rule file has include, thresholds, conditions, rules"),
        (RULE + "---\nrules: []\n", "6:1: a second document: a rule file holds one, so no line may be just '---'"),
        ("rules: \x07\n", "1:8: a character that YAML does not allow"),
        ('# x\nrules: ["\\UFFFFFFFF"]\n', "2:8: not valid YAML after this point"),
        (b"rules:\n  # \xc3\xa9t\xe9\n", "2:7: not UTF-8 text: save it in that encoding"),
        (RULE.encode("utf-16"), "1:1: not UTF-8 text: save it in that encoding"),
        ("#" * 1_000_001, "1:1: more than 1,000,000 bytes: split the file"),
        ("# x\n#" + "x" * 10_000, "2:10001: a line of more than 10,000 characters"),
        ("rules: " + "[" * 500, "1:27: nested more than 20 deep"),
        ("rules:\n" + "  - a\n" * 10_000, "9999:5: more than 10,000 values: split the file"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_rule_file(checked, text, problem):
    assert found(checked, text) == [problem]


@pytest.mark.parametrize(
    "text", ["", "\n", "# nothing yet\n", "rules:\n", "rules: []\nthresholds:\n"]
)
def test_a_file_may_be_empty_or_all_commented_out(checked, text):
    problems, rules = checked(text)
    assert problems == []
    assert rules.rules == ()


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(checked):
    problems, rules = checked(("\ufeff" + RULE.replace("\n", "\r\n")).encode())
    assert problems == []
    assert len(rules.rules) == 1
    assert found(checked, b"\xef\xbb\xbfrulez: []") == [
        "1:1: unknown key 'rulez'; did you mean 'rules'?"
    ]


def test_a_bomb_of_aliases_is_refused_without_going_off(checked):
    bomb = "a: &a [x, x]\n" + "".join(f"b{n}: [*a, *a, *a]\n" for n in range(1500))
    problems, _ = checked(bomb)
    assert (
        str(problems[0])
        == "a.yaml:1:1: unknown key 'a'; a rule file has include, thresholds, conditions, rules"
    )
    assert str(problems[1]).endswith(
        "1:4: YAML anchors (&name) are not allowed: write the value out"
    )


NEVER, ALWAYS = "this can never be true", "this is always true"


@pytest.mark.parametrize(
    ("condition", "at", "message"),
    [
        ("[{known_users: at least 5}, {known_users: under 3}]", "{known_users: under", f"known_users cannot be at least 5 and under 3 at once: {NEVER}"),
        ("[{days_since_contact: over 15 days}, {mrr: over $5}, {days_since_contact: under 3 days}]", "{days_since_contact: under", f"days_since_contact cannot be over 15 days and under 3 days at once: {NEVER}"),
        ("[{known_users: over 1}, {known_users: under 3}, {known_users: 9}, {known_users: 2}]", "{known_users: 2}", f"known_users cannot be 9 and 2 at once: {NEVER}"),
        ("{any: [{known_users: at least 3}, {known_users: under 5}]}", "{known_users: under", f"known_users is at least 3 or under 5 whatever it is: {ALWAYS}"),
        ("{known_users: at least 3, not: {known_users: over 1}}", "{known_users: over 1", f"known_users cannot be at least 3 and at most 1 at once: {NEVER}"),
        ("{known_users: at least 0}", "at least 0", f"known_users is at least 0 whatever it is: {ALWAYS}"),
        ("{days_since_contact: under 0 days}", "under 0", f"days_since_contact cannot be under 0 days: {NEVER}"),
        ("{days_to_renewal: never}", "never", f"days_to_renewal cannot be never: {NEVER}"),
        ("{lifecycle: [trial, onboarding, active, churned]}", "[trial", f"lifecycle is one of trial, onboarding, active, churned whatever it is: {ALWAYS}"),
        ("{lifecycle: unknown}", "unknown", f"lifecycle cannot be unknown: {NEVER}"),
        ("[{segment: smb}, {mrr: over $5}, {segment: big}]", "{segment: big", f"segment cannot be smb and big at once: {NEVER}"),
        ("[{owner: known}, {owner: unknown}]", "{owner: unknown", f"owner cannot be known and unknown at once: {NEVER}"),
        ("{any: [{segment: is not smb}, {segment: is not big}]}", "{segment: is not big", f"segment is not smb or not big whatever it is: {ALWAYS}"),
        ("[{known_users: at least many}, {known_users: under few}]", "{known_users: under", f"known_users cannot be at least many and under few at once: {NEVER}"),
        ("[{known_users: at least 3}, {known_users: under few}, {segment: smb}]", "{segment: smb", f"{NEVER}, whatever known_users and segment are"),
        ("[few users, {mrr: over $5}, {known_users: over 7}]", "{known_users: over 7", f"known_users cannot be under few and over 7 at once: {NEVER}"),
        ("[{known_users: over 7}, few users]", "few users", f"known_users cannot be over 7 and under few at once: {NEVER}"),
        ("{mrr: over $5, any: [{adoption: over 5%}, [{known_users: 1}, {known_users: 2}]]}", "{known_users: 2", f"known_users cannot be 1 and 2 at once: {NEVER}"),
        ("{adoption: over 5%, any: [{adoption: under 3%}, {adoption: 4%}]}", "[{adoption: under", f"{NEVER}, whatever adoption is"),
        ("[{known_users: 1}, {known_users: 2}, {known_execs: 1, user_ties: 1, exec_ties: 1, licences: 1, usage_30d: 1, strong_reps: 1, mrr: $1}]", "{known_users: 2", f"known_users cannot be 1 and 2 at once: {NEVER}"),
        ("{not: {not: {lifecycle: known}}}", "known", f"lifecycle is known whatever it is: {ALWAYS}"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("key", ["when", "except_when", "condition"])
def test_a_condition_that_can_never_be_true_or_always_is(checked, condition, at, message, key):
    asked = {"when": "{mrr: over $1}", "except_when": "{mrr: over $1}", "condition": "few users"}
    asked[key] = condition
    lines = [
        "thresholds: {few: {enterprise: 5, default: 2}, many: {enterprise: 6, default: 4}}",
        "conditions:",
        "  few users: {known_users: fewer than few}",
        f"  another: {asked['condition']}",
        "rules:",
        f"  - {{id: x, title: t, severity: low, when: {asked['when']}, except_when: {asked['except_when']}}}",
    ]
    line = {"condition": 4}.get(key, 6)
    column = lines[line - 1].index(at, lines[line - 1].index(condition)) + 1
    assert found(checked, "\n".join(lines)) == [f"{line}:{column}: {message}"]


def test_a_named_condition_that_is_foregone_is_told_where_it_is_defined_and_nowhere_else(checked):
    rule = RULE.replace("{adoption: over 5%}", "[odd, {mrr: over $5}]")
    assert found(checked, f"conditions: {{odd: {{known_users: under 0}}}}\n{rule}") == [
        f"1:33: known_users cannot be under 0: {NEVER}"
    ]


def test_what_only_some_accounts_can_be_is_no_mistake(checked):
    text = (
        "thresholds: {few: {enterprise: 0, default: 1}}\n"
        "rules: [{id: x, title: t, severity: low, when: [{known_users: fewer than few},"
        " {days_to_renewal: between 0 days and 90 days}, {adoption: known}]}]\n"
    )
    problems, rules = checked(text)
    assert problems == []
    assert rules.rules


def test_a_long_file_is_answered_in_time_with_or_without_a_contradiction(checked):
    many = [f"{{known_users: is not {n}}}" for n in range(190)]
    for last in ("{mrr: over $5}", "{known_users: 3}"):
        when = f"[{', '.join([*many, last])}]"
        rules = "".join(
            f"  - {{id: r{n}, title: t, severity: low, when: {when}}}\n" for n in range(15)
        )
        started = time.process_time()
        problems, _ = checked(f"rules:\n{rules}")
        assert time.process_time() - started < 2
        assert (problems != []) is ("known_users" in last)
        assert all(len(problem.message) < 100 for problem in problems)


def test_every_problem_is_found_at_once_in_order(checked):
    text = (
        "thresholds:\n"
        "  window: {smb: 5 days, default: 6}\n"
        "rules:\n"
        "  - id: x\n"
        "    titel: Renews in {days_to_renewal}\n"
        "    severity: hihg\n"
        "    when: {adoption: over 5, known_users: over 5%, weather: fine}\n"
        "    hold_for: 2\n"
        "  - id: x\n"
        "    title: '{nothing}'\n"
        "    severity: low\n"
        "    when: {days_to_renewal: under windw}\n"
    )
    assert [problem.partition(": ")[0] for problem in found(checked, text)] == [
        "2:34",
        "4:5",
        "5:5",
        "6:15",
        "7:22",
        "7:43",
        "7:52",
        "8:15",
        "9:9",
        "10:12",
        "12:29",
    ]


def test_a_file_wrong_throughout_is_still_answered_with_every_problem(checked):
    problems, _ = checked("".join(f"rules{n}: 5\n" for n in range(4000)))
    assert len(problems) == 4000
    suggestions = [problem for problem in problems if "did you mean" in problem.message]
    assert 50 < len(suggestions) < 1000
