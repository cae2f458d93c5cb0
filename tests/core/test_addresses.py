"""One form for each address, and whose it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.core.addresses import People, Side, domains_of, normal, normal_domain

OURS = People(internal=frozenset({"ours.example"}), shared_domains=frozenset({"agency.example"}))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("dana@acme.example", "dana@acme.example"),
        ("Dana Ruiz <DANA+crm@Acme.Example>", "dana@acme.example"),
        ("mailto:dana@acme.example", "dana@acme.example"),
        ("+dana@acme.example", "+dana@acme.example"),
        ("jürgen@bücher.example", "jürgen@bücher.example"),
        ("dana@acme.example.", "dana@acme.example"),
        ("dana@localhost", None),
        ("dana at acme.example", None),
        ("", None),
        (None, None),
        ("x" * 200 + "@acme.example", None),
    ],
)
def test_an_address_has_one_form(text, address):
    assert normal(text) == address


@given(st.text())
def test_the_one_form_of_any_text_stays_as_it_is(text):
    found = normal(text)
    assert found is None or normal(found) == found


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("Acme.example", "acme.example"),
        ("https://www.acme.example:8080/about?x=1", "acme.example"),
        ("@acme.example", "acme.example"),
        ("acme", None),
        ("acme and co.", None),
        (7, None),
    ],
)
def test_a_domain_is_read_as_people_write_it(text, domain):
    assert normal_domain(text) == domain


@pytest.mark.parametrize(
    ("address", "side"),
    [
        ("sam@ours.example", Side.OURS),
        ("sam@eu.ours.example", Side.OURS),
        ("sam@notours.example", Side.THEIRS),
        ("support@ours.example", Side.NOBODYS),
        ("support-eu@acme.example", Side.NOBODYS),
        ("supportive.sam@acme.example", Side.THEIRS),
        ("no-reply@acme.example", Side.NOBODYS),
        ("room-7@resource.calendar.google.com", Side.NOBODYS),
        ("dana@acme.example", Side.THEIRS),
    ],
)
def test_whose_an_address_is(address, side):
    assert OURS.side(address) is side


def test_domains_from_near_to_far_without_the_last_label():
    assert list(domains_of("a@x.eu.acme.example")) == [
        *("x.eu.acme.example", "eu.acme.example", "acme.example"),
    ]
    assert OURS.undeciding(["x@eu.agency.example", "y@acme.example"]) == ["agency.example"]
