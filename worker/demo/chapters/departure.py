"""A rep leaves: Callum, who takes five customers along, or does not."""

from worker.demo.script import Account, Person, calls, courts, goes_to, meets, supports
from worker.demo.story import SINGLE, Story

STORIES = (
    Story(
        "Callum took the water company along",
        "Six years of Callum. Marek owns the account now and has met one of its people, once.",
        Account(
            "Brackenhall Water", "enterprise", "callum", "uk",
            seats=37, mrr=13_900, renews=260, term=1095,
            people=(
                Person("Saoirse Penhallow", "Chief Operating Officer"),
                Person("Anil Wardlow", "Head of Asset Management"),
                Person("Ffion Maddocks", "Site Inspector", "admin"),
            ),
            talks=(
                *courts("callum", "Saoirse Penhallow", "Anil Wardlow", until=-39),
                *supports("callum", "Ffion Maddocks", until=-40),
                *supports("marek", "Ffion Maddocks", since=-30),
                meets("marek", "Saoirse Penhallow", every=90, since=-12, until=-12),
            ),
            turns=(goes_to(-36, "marek"),),
        ),
        raises=(SINGLE,),
    ),
    Story(
        "The customer in Callum's inbox",
        "Dele inherited the railway, and has had time for its users only.",
        Account(
            "Larkspur Junction Rail", "mid-market", "callum", "us",
            seats=18, mrr=4_900, renews=120, term=730,
            people=(
                Person("Theodora Vance", "VP Rolling Stock"),
                Person("Emmett Okonkwo", "Director of Safety"),
                Person("Lupe Hendricks", "Maintenance Planner", "user"),
            ),
            talks=(
                *courts("callum", "Theodora Vance", "Emmett Okonkwo", until=-38),
                *supports("callum", "Lupe Hendricks", until=-41),
                *supports("dele", "Lupe Hendricks", since=-28),
            ),
            turns=(goes_to(-36, "dele"),),
        ),
        raises=(SINGLE,),
    ),
    Story(
        "Solène picked up the phone",
        "Callum's other customer. Solène called every week, and within the month it was mended.",
        Account(
            "Papeteries Boisvallon", "smb", "callum", "fr",
            seats=8, mrr=1_400, renews=230, term=730,
            people=(
                Person("Marguerite Boisvallon", "Présidente"),
                Person("Anatole Crespin", "Responsable maintenance", "user"),
            ),
            talks=(
                *courts("callum", "Marguerite Boisvallon", until=-38),
                *courts("solene", "Marguerite Boisvallon", since=-33),
                calls("solene", "Marguerite Boisvallon", every=7, since=-33),
                *supports("callum", "Anatole Crespin", until=-40),
                *supports("solene", "Anatole Crespin", since=-31),
            ),
            turns=(goes_to(-36, "solene"),),
        ),
        raised=(SINGLE,),
    ),
    Story(
        "Two of us knew them",
        "Ximena had sat in on the winery from the start, so Callum's leaving changed a name.",
        Account(
            "Bodegas Peñalquebrada", "enterprise", "callum", "es",
            seats=31, mrr=11_000, renews=216, term=730,
            people=(
                Person("Leonor Valdivieso", "Directora General"),
                Person("Tomás Echarri", "Director de Operaciones"),
                Person("Asunción Lerma", "Responsable de planta", "admin"),
            ),
            talks=(
                *courts("callum", "Leonor Valdivieso", "Tomás Echarri", until=-38),
                *courts("ximena", "Leonor Valdivieso", "Tomás Echarri"),
                *supports("ximena", "Asunción Lerma"),
            ),
            turns=(goes_to(-36, "ximena"),),
        ),
    ),
    Story(
        "A handover done well",
        "Tobias joined Callum's calls three months before he had to.",
        Account(
            "Quellberg Getränke", "mid-market", "callum", "de",
            seats=17, mrr=4_200, renews=275, term=730,
            people=(
                Person("Irmgard Quellberg", "Geschäftsführerin"),
                Person("Steffen Rauch", "Werksleiter"),
                Person("Dörte Hinrichsen", "Qualitätssicherung", "user"),
            ),
            talks=(
                *courts("callum", "Irmgard Quellberg", "Steffen Rauch", until=-45),
                *courts("tobias", "Irmgard Quellberg", "Steffen Rauch", since=-130),
                *supports("tobias", "Dörte Hinrichsen", since=-130),
                *supports("callum", "Dörte Hinrichsen", until=-120),
            ),
            turns=(goes_to(-60, "tobias"),),
        ),
    ),
)  # fmt: skip
