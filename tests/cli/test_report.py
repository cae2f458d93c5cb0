"""`tiewatch report`: a quarter of all customers, as leaders and programs read it."""

import csv
import io
import re
from datetime import date, timedelta
from html.parser import HTMLParser

import pytest

from tests.cli.conftest import lines
from tests.pipeline import event, meeting
from worker.core.portfolio.catalogue import FIGURES, TERMS

QUARTER = ("--from", "2025-01-01", "--to", "2025-03-31")
BEFORE, WITHIN = date(2024, 10, 1), date(2025, 2, 10)
DAY = timedelta(days=1)

KEYS = [
    *("customers", "customer_retention", "logo_churn", "revenue_churn", "net_revenue_retention"),
    *("gross_revenue_retention", "recurring_revenue_rate", "contract_renewal_rate"),
    *("gross_upsell", "mrr_growth", "engaged", "at_risk", "revenue_at_risk", "nps", "csat"),
    "time_to_value_days",
]

RULES = """
rules:
  - {id: quiet, title: Quiet, severity: high, when: {days_since_contact: over 60 days}}
  - {id: no-seats, title: No seats, severity: medium, when: {licences: unknown}}
"""


def subscribed(account: str, on: date, status: str = "started", **more) -> dict:
    return event("subscription", on, account=account, subscription="s", status=status, **more)


def quarter() -> list[dict]:
    """The worked example: 100 at the start, 45 new, 5 expansion, 25 churned, 5 downgraded."""
    told = []
    for account, mrr, segment in (
        ("grows", 30, "smb"),
        ("shrinks", 45, "smb"),
        ("goes", 25, "ent"),
    ):
        told.append(event("account", BEFORE, account=account, segment=segment, owner="sam",
                          region="emea", currency="EUR"))  # fmt: skip
        told.append(
            subscribed(account, BEFORE, mrr=mrr, plan=f"p{mrr}", term_start=BEFORE.isoformat())
        )
    told += [
        event("rep", BEFORE, account=None, rep="sam", name="Sam Lee"),
        subscribed("grows", WITHIN, "changed", mrr=35),
        subscribed("shrinks", WITHIN, "changed", mrr=40),
        subscribed("goes", WITHIN, "churned"),
        subscribed("comes", WITHIN, mrr=45, term_start=WITHIN.isoformat()),
        event("account", WITHIN, account="comes", currency="EUR"),
        event("survey", WITHIN, account="grows", kind="nps", score=10),
        event("survey", WITHIN, account="shrinks", kind="nps", score=3),
        event("survey", BEFORE, account="grows", kind="nps", score=0),
        event("survey", WITHIN, account="grows", kind="csat", score=4),
        event("outcome", WITHIN, account="grows", goal="g", achieved=True),
        meeting(WITHIN, account="grows"),
    ]
    return told


@pytest.fixture
def workspace(tiewatch, folder):
    (folder / "rules").mkdir()
    (folder / "rules" / "ours.yaml").write_text(RULES)
    done = tiewatch("ingest", "--direct", "--backfill", "-", stdin=lines(*quarter()).encode())
    assert done.status == 0
    return tiewatch


def test_the_worked_example_is_one_document(workspace):
    done = workspace("report", *QUARTER, "--json")
    assert (done.status, done.err) == (0, "")
    assert (done.json["from"], done.json["to"], done.json["currency"]) == (
        "2025-01-01", "2025-03-31", "EUR")  # fmt: skip
    totals = done.json["totals"]
    assert set(KEYS) <= totals.keys()
    assert {name: totals[name] for name in KEYS[3:]} == {
        "revenue_churn": 25.0,
        "net_revenue_retention": 75.0,
        "gross_revenue_retention": 70.0,
        "recurring_revenue_rate": 120.0,
        "contract_renewal_rate": None,
        "gross_upsell": 5.0,
        "mrr_growth": 20.0,
        "engaged": pytest.approx(100 / 3, abs=1e-6),
        "at_risk": 0.0,
        "revenue_at_risk": 0.0,
        "nps": 0.0,
        "csat": 100.0,
        "time_to_value_days": 132.0,
    }
    assert done.json["movements"] == {
        "opening": 100, "new": 45, "expansion": 5, "downgrades": -5, "churn": -25, "closing": 120,
    }  # fmt: skip
    assert done.json["cohorts"][0] == {
        "quarter": "2024-Q4",
        "customers": 3,
        "retention": [100.0, pytest.approx(200 / 3, abs=1e-6)],
        "revenue_retention": [100.0, 75.0],
    }
    assert done.json["health_engagement"] == {"correlation": None, "n": 0}
    assert done.json["by"] == done.json["notes"] == []


def test_of_a_hundred_contracts_due_ninety_were_renewed(workspace):
    told = []
    for number in range(100):
        year = {"term_start": "2024-02-01", "term_end": "2025-02-01"}
        told.append(subscribed(f"c{number}", date(2024, 2, 1), mrr=1, **year))
        if number < 90:
            told.append(subscribed(f"c{number}", WITHIN, "renewed", term_start="2025-02-01"))
    assert (
        workspace("ingest", "--direct", "--backfill", "-", stdin=lines(*told).encode()).status == 0
    )
    totals = workspace("report", *QUARTER, "--json").json["totals"]
    assert (totals["contracts_due"], totals["contract_renewal_rate"]) == (100, 90.0)


@pytest.mark.parametrize(
    ("by", "values"),
    [
        ("segment", ["ent", "smb", None]),
        ("owner", ["sam", None]),
        ("plan", ["p25", "p30", "p45", None]),
        ("region", ["emea", None]),
    ],
)
def test_groups_have_all_figures_and_add_up(workspace, by, values):
    found = workspace("report", *QUARTER, "--by", by, "--json").json
    assert [group[by] for group in found["by"]] == values
    assert all(list(group)[2:] == list(found["totals"]) for group in found["by"])
    for name in ("customers", "new_customers", "lost_customers"):
        assert sum(group[name] for group in found["by"]) == found["totals"][name]


def test_csv_has_a_row_for_each_group_and_the_total(workspace):
    done = workspace("report", *QUARTER, "--by", "segment", "--csv")
    assert (done.status, done.err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [row["segment"] for row in rows] == ["ent", "smb", "", "total"]
    assert (rows[-1]["net_revenue_retention"], rows[-1]["contract_renewal_rate"]) == ("75.0", "")


def test_a_name_is_no_formula_in_a_spreadsheet(workspace):
    bad = event("account", BEFORE, account="grows", segment="=1+1")
    bad["time"] = bad["time"].replace("12:00", "13:00")
    assert workspace("ingest", "--direct", "-", stdin=lines(bad).encode()).status == 0
    done = workspace("report", *QUARTER, "--by", "segment", "--csv")
    first = next(csv.DictReader(io.StringIO(done.out)))
    assert first["segment"] == "'=1+1"


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.links, self.ids, self.tags = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.tags.add(tag)
        self.links += [named["href"]] if "href" in named else []
        self.ids += [named["id"]] if "id" in named else []
        assert "src" not in named


def test_the_page_needs_nothing_else_and_every_figure_leads_to_its_definition(workspace, folder):
    done = workspace("report", *QUARTER, "--by", "segment", "--html", "quarter.html")
    assert (done.status, done.out) == (0, "")
    text = (folder / "quarter.html").read_text(encoding="utf-8")
    assert "An account counts for the segment that it has now" in text
    page = _Page(text)
    assert {"svg", "table", "dl"} <= page.tags
    assert not page.tags & {"script", "link", "img", "iframe"}
    assert "http" not in text
    assert len(page.ids) == len(set(page.ids))
    assert {f"what-{name}" for name in (*FIGURES, *TERMS)} <= set(page.ids)
    assert page.links
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    assert {f"#what-{name}" for name in KEYS} <= set(page.links)
    assert "75.0%" in text
    assert "@media print" in text


def test_names_from_events_do_no_harm_in_the_page(workspace):
    bad = event("account", BEFORE + DAY, account="grows", segment="<script>alert(1)</script>")
    assert workspace("ingest", "--direct", "-", stdin=lines(bad).encode()).status == 0
    done = workspace("report", *QUARTER, "--by", "segment", "--html")
    assert done.out.startswith("<!doctype html>")
    assert "<script" not in done.out


def test_people_read_the_same_on_the_terminal(workspace):
    done = workspace("report", *QUARTER, "--by", "owner")
    assert done.status == 0
    assert re.search(r"^Net revenue retention +75.0% ", done.out, re.M)
    assert re.search(r"^MRR +120 EUR ", done.out, re.M)
    assert re.search(r"^Sam Lee +2 ", done.out, re.M)


def test_an_empty_workspace_has_a_report_of_nothing(tiewatch, folder):
    for form in ("--json", "--html", "--csv"):
        assert tiewatch("report", *QUARTER, form).status == 0
    totals = tiewatch("report", *QUARTER, "--json").json["totals"]
    assert (totals["customers"], totals["net_revenue_retention"]) == (0, None)


def test_several_currencies_are_told_and_one_can_be_chosen(workspace):
    told = [
        event("account", BEFORE, account="usa", currency="USD"),
        subscribed("usa", BEFORE, mrr=50, term_start=BEFORE.isoformat()),
    ]
    assert (
        workspace("ingest", "--direct", "--backfill", "-", stdin=lines(*told).encode()).status == 0
    )
    done = workspace("report", *QUARTER, "--json")
    assert (done.json["totals"]["mrr"], done.json["totals"]["customers"]) == (None, 4)
    assert done.json["notes"] == [
        "Customers pay in EUR, USD: figures in money are of one currency, such as with "
        "--currency EUR."
    ]
    done = workspace("report", *QUARTER, "--currency", "USD", "--json")
    assert (done.json["totals"]["mrr"], done.json["totals"]["customers"]) == (50, 1)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--from", "2025-02-01", "--to", "2025-01-01"), "give the earlier day first"),
        (("--from", "soon", "--to", "2025-01-01"), "write it like"),
        ((*QUARTER, "--json", "--csv"), "Choose one of"),
        ((*QUARTER, "quarter.html"), "In which form"),
        ((*QUARTER, "--html", "nowhere/quarter.html"), "there is no such folder"),
    ],
)
def test_wrong_use_is_refused_with_what_to_do(workspace, arguments, told):
    done = workspace("report", *arguments)
    assert (done.status, done.out) == (2, "")
    assert told in done.err
