"""A preview is one page that loads nothing, and shows what Slack would."""

import re

import pytest

from tests.alerts import alert
from tests.slack import samples
from worker.core.cards import Card, Told
from worker.slack import message
from worker.slack.page import Shown, page

SHOWN = [Shown(name, what) for name, what in {**samples.messages(), **samples.windows()}.items()]


def of(**changes) -> str:
    told = Told(alert=alert(**changes), flag=12)
    return page("Preview", "about", [Shown("A card", message.card(Card(told=(told,))))])


def test_a_page_loads_nothing_and_runs_nothing():
    html = page("Every kind", "", SHOWN)
    for loading in ("<script", "src=", "@import", "url(", "<link", "<iframe"):
        assert loading not in html


def test_a_page_shows_every_text_of_a_message_and_what_its_menus_hold():
    html = of()
    for text in (
        "🟠 Acme: Renews in 41 days, no exec contact for 22 days", "<b>High</b> · enterprise",
        "• the renewal is in 41 days<br>• ", "Acknowledge", "<li>Fix contact</li>", "A card",
    ):  # fmt: skip
        assert text in html


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</style><b>"]
)
def test_a_name_stays_text_on_the_page(name: str):
    html = of(account_name=name, title=name, advice=name, segment=name, owner_name=name)
    assert "<script" not in html
    assert "<img" not in html
    assert html.count("</style>") == 1


def test_a_playbook_is_a_link_and_what_could_leave_its_attribute_is_none():
    html = of(playbook="https://a.example/?b=1&c='2'")
    assert re.findall(r'<a href="([^"]*)">Playbook</a>', html) == [
        "https://a.example/?b=1&amp;c='2'"
    ]
    assert "<a " not in of(playbook='https://a.example/"onmouseover="x')


def test_what_slack_would_be_given_is_there_for_block_kit_builder_too():
    for shown in SHOWN:
        payload = shown.payload()
        assert ("blocks" in payload) != ("view" in payload)
