"""Relations that hang on one person, and what comes when that person goes."""

from worker.demo.script import Account, Person, calls, courts, leaves, supports
from worker.demo.story import SINGLE, Story

STORIES = (
    Story(
        "The champion who left",
        "Rosalind brought the product in and carried it. She has left for a competitor, and the "
        "CFO is the only one who still knows us well.",
        Account(
            "Prairie Lantern Foods", "mid-market", "dele", "us",
            seats=19, mrr=5_600, renews=205, term=730,
            people=(
                Person("Rosalind Teague", "Director of Plant Operations", "champion"),
                Person("Clement Brandvold", "CFO"),
                Person("Yesenia Ortega-Lund", "Quality Analyst", "admin"),
            ),
            talks=(
                *courts("dele", "Rosalind Teague", until=-34),
                *courts("dele", "Clement Brandvold"),
                *supports("dele", "Yesenia Ortega-Lund"),
            ),
            turns=(leaves(-33, "Rosalind Teague"),),
        ),
        raises=(SINGLE,),
    ),
    Story(
        "The bakery was sold",
        "Its owner was our only tie to the top. Who comes after her, nobody has asked yet.",
        Account(
            "Farrowdale Bakeries", "smb", "marek", "uk",
            seats=8, mrr=1_500, renews=150, term=730,
            people=(
                Person("Gwen Farrow", "Owner"),
                Person("Mostyn Aldiss", "Shift Supervisor", "user"),
            ),
            talks=(
                *courts("marek", "Gwen Farrow", until=-21),
                *supports("marek", "Mostyn Aldiss"),
            ),
            turns=(leaves(-20, "Gwen Farrow"),),
        ),
        raises=(SINGLE,),
    ),
    Story(
        "One where two are needed",
        "The owner calls often and decides much. The only other one who signs hears from us once "
        "a quarter: it has been like this for as long as anyone remembers.",
        Account(
            "Elsterkamp Logistik", "mid-market", "tobias", "de",
            seats=21, mrr=5_200, renews=188, term=730,
            people=(
                Person("Rüdiger Elsterkamp", "Inhaber"),
                Person("Nadja Steinfurth", "Prokuristin"),
                Person("Malte Brinkmann", "Sachbearbeitung Disposition", "admin"),
            ),
            talks=(
                *courts("tobias", "Rüdiger Elsterkamp"),
                calls("tobias", "Rüdiger Elsterkamp", every=9),
                calls("tobias", "Nadja Steinfurth", every=90),
                *supports("tobias", "Malte Brinkmann"),
            ),
        ),
        raises=(SINGLE,),
    ),
)  # fmt: skip
