"""The stories: customers to whom something happens, and what tiewatch should make of it.

Each says who is in touch with whom, until when; the rest follows from the rules that ship. Days
are counted from the last day of the year, as `script` explains.
"""

from dataclasses import dataclass

from worker.demo.cast import STEADY
from worker.demo.script import (
    Account,
    Person,
    calls,
    courts,
    goes_live,
    goes_to,
    leaves,
    machine,
    meets,
    prepares,
    supports,
    writes,
)

RENEWAL = "renewal-without-exec-contact"
SINGLE = "single-threaded"
ADOPTION = "adoption-without-user-ties"
FALLING = "adoption-falling-without-contact"


@dataclass(frozen=True, slots=True)
class Story:
    """What happens at an account, and the rules whose flags it raises.

    `raises` are those that stand open at the year's end, `raised` those that opened during the
    year and resolved; no other flag ever opens. Neither means that tiewatch says nothing all year.
    """

    title: str
    tells: str
    account: Account
    raises: tuple[str, ...] = ()
    raised: tuple[str, ...] = ()


STORIES = (
    # --- Someone goes quiet
    Story(
        "The CIO who stopped answering",
        "Dana met us every month. Nine weeks before the renewal she and her VP fell silent; "
        "the people on the quay still call, which is why nobody noticed.",
        Account(
            "Tidewrack Shipping", "enterprise", "priya", "uk",
            seats=36, mrr=14_800, renews=41, term=730,
            people=(
                Person("Dana Whitlock", "CIO"),
                Person("Lee Ashdown", "VP Operations"),
                Person("Una Kettering", "Safety Coordinator", "admin"),
            ),
            talks=(
                *courts("priya", "Dana Whitlock", "Lee Ashdown", until=-22),
                *supports("priya", "Una Kettering"),
            ),
        ),
        raises=(RENEWAL,),
    ),
    Story(
        "The owner on the other side of the hill",
        "Twelve days to go, and the dairy's owner has not been heard for almost three weeks.",
        Account(
            "Laiterie du Val d'Aubrière", "smb", "solene", "fr",
            seats=8, mrr=1_300, renews=12, term=730,
            people=(
                Person("Sandrine Aubrière", "Gérante"),
                Person("Loïc Penmarch", "Responsable qualité", "user"),
            ),
            talks=(
                *courts("solene", "Sandrine Aubrière", until=-19),
                *supports("solene", "Loïc Penmarch"),
            ),
        ),
        raises=(RENEWAL,),
    ),
    Story(
        "The exec who came back",
        "Her mail went unwritten and unread for weeks while the renewal came closer. Solène took "
        "the hint, they met, and the contract was signed.",
        Account(
            "Transports Quérignac", "enterprise", "solene", "fr",
            seats=32, mrr=11_200, renews=245,
            people=(
                Person("Clarisse Montbrun", "Directrice générale"),
                Person("Thierry Aguesse", "Directeur d'exploitation"),
                Person("Maïwenn Le Dantec", "Responsable sécurité", "admin"),
            ),
            talks=(
                *courts("solene", "Clarisse Montbrun", "Thierry Aguesse", until=-203),
                *courts("solene", "Clarisse Montbrun", "Thierry Aguesse", since=-160),
                calls("solene", "Clarisse Montbrun", every=7, since=-170, until=-120),
                *supports("solene", "Maïwenn Le Dantec"),
            ),
        ),
        raised=(RENEWAL,),
    ),
    Story(
        "Everything at once",
        "No word with the boss for a quarter, none with a user for seven weeks, less use every "
        "week, and eighteen days to the renewal.",
        Account(
            "Cawthorn & Pell Joinery", "smb", "marek", "uk",
            seats=9, mrr=1_700, renews=18,
            people=(
                Person("Desmond Cawthorn", "Managing Director"),
                Person("Ruby Pell", "Workshop Supervisor", "user"),
            ),
            talks=(
                *courts("marek", "Desmond Cawthorn", until=-104),
                *supports("marek", "Ruby Pell", until=-49),
                *prepares("marek", "Desmond Cawthorn", renewal=-347),
            ),
            adoption=((-45, 0.9), (-30, 0.3), (-5, 0.1)),
        ),
        raises=(RENEWAL, SINGLE, FALLING),
    ),
    Story(
        "Quiet, and not worth a word",
        "Both executives are away for five weeks. Their renewal is ten months off and the ties are "
        "strong: they may rest.",
        Account(
            "Stadtwerke Brunnhagen", "enterprise", "tobias", "de",
            seats=34, mrr=12_300, renews=301, term=1095,
            people=(
                Person("Dr. Friedhelm Osterkamp", "Vorstand Technik"),
                Person("Carolin Weidinger", "Leiterin Netzbetrieb"),
                Person("Jost Harmsen", "Instandhaltung", "user"),
            ),
            talks=(
                *courts("tobias", "Dr. Friedhelm Osterkamp", "Carolin Weidinger", until=-35),
                *supports("tobias", "Jost Harmsen"),
            ),
        ),
    ),
    Story(
        "The owner who reads along",
        "He writes to nobody, but is copied on every mail to his plant. That is contact, too.",
        Account(
            "Cerámicas Torrealbar", "smb", "ximena", "es",
            seats=7, mrr=1_150, renews=25, term=730,
            people=(
                Person("Ignacio Torrealbar", "Propietario"),
                Person("Pilar Monforte", "Responsable de planta", "admin"),
            ),
            talks=(
                *courts("ximena", "Ignacio Torrealbar", until=-33),
                *supports("ximena", "Pilar Monforte"),
                writes("ximena", "Pilar Monforte", every=7, cc=("Ignacio Torrealbar",)),
            ),
        ),
    ),
    # --- What looks like contact, and is none
    Story(
        "Machines among themselves",
        "Newsletters out, out-of-office notes back, bounces, calendar updates: three a week, and "
        "not one of them written by a human for a hundred days.",
        Account(
            "Moorwieser Kliniken", "enterprise", "tobias", "de",
            seats=35, mrr=13_600, renews=70, term=730,
            people=(
                Person("Dr. Katrin Ebersbach", "Geschäftsführerin"),
                Person("Jörg Wiesinger", "Kaufmännischer Leiter"),
                Person("Swantje Poppinga", "Fachkraft für Arbeitssicherheit", "admin"),
            ),
            talks=(
                *courts("tobias", "Dr. Katrin Ebersbach", "Jörg Wiesinger", until=-110),
                *supports("tobias", "Swantje Poppinga"),
                machine("bulk", "tobias", "Dr. Katrin Ebersbach", "Jörg Wiesinger",
                        every=7, since=-109),
                machine("auto-reply", "tobias", "Dr. Katrin Ebersbach", every=7, since=-108),
                machine("bounce", "tobias", "Jörg Wiesinger", every=14, since=-108),
                machine("calendar", "tobias", "Dr. Katrin Ebersbach", every=14, since=-100),
            ),
        ),
        raises=(RENEWAL, SINGLE),
    ),
    Story(
        "Meetings that never took place",
        "The calendar is full of the two directors: cancelled, declined, nobody came.",
        Account(
            "Hoteles Sierra Quieta", "mid-market", "ximena", "es",
            seats=20, mrr=5_100, renews=30, term=730,
            people=(
                Person("Álvaro Benavente", "Director General"),
                Person("Marta Quiroga", "Directora de Operaciones"),
                Person("Rocío Lasierra", "Coordinación de plantas", "user"),
            ),
            talks=(
                *courts("ximena", "Álvaro Benavente", "Marta Quiroga", until=-34),
                meets("ximena", "Álvaro Benavente", "Marta Quiroga",
                      every=12, since=-33, goes_wrong="cancelled"),
                meets("ximena", "Marta Quiroga", every=12, since=-29, goes_wrong="no_show"),
                meets("ximena", "Álvaro Benavente", every=12, since=-25, goes_wrong="declined"),
                *supports("ximena", "Rocío Lasierra"),
            ),
        ),
        raises=(RENEWAL,),
    ),
    Story(
        "The assistant answers every mail",
        "The COO retired eight weeks ago. His assistant is charming, quick, and signs nothing.",
        Account(
            "Inglesby Lifts", "smb", "priya", "uk",
            seats=7, mrr=1_350, renews=110, term=730,
            people=(
                Person("Bernard Inglesby", "COO"),
                Person("Polly Fairweather", "Assistant to the COO"),
                Person("Kwame Hollins", "Lift Engineer", "user"),
            ),
            talks=(
                *courts("priya", "Bernard Inglesby", until=-56),
                calls("priya", "Polly Fairweather", every=7),
                writes("priya", "Polly Fairweather", every=5),
                *supports("priya", "Kwame Hollins"),
            ),
            turns=(leaves(-55, "Bernard Inglesby"),),
        ),
        raises=(SINGLE,),
    ),
    # --- Relations that hang on one person
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
    # --- Callum leaves, and five customers with him
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
    # --- Usage
    Story(
        "The plant that went dark",
        "Fewer rounds every week, and nobody who walks them has been called for almost two months.",
        Account(
            "Salt Heron Seafood", "mid-market", "dele", "us",
            seats=20, mrr=5_300, renews=190, term=730,
            people=(
                Person("Delphine Arceneaux", "President"),
                Person("Wade Lindqvist", "VP Processing"),
                Person("Tuyet Marchand", "EHS Specialist", "admin"),
            ),
            talks=(
                *courts("dele", "Delphine Arceneaux", "Wade Lindqvist"),
                *supports("dele", "Tuyet Marchand", until=-52),
            ),
            adoption=((-65, 0.7), (-30, 0.25), (0, 0.1)),
        ),
        raises=(FALLING,),
    ),
    Story(
        "The boardroom is happy",
        "Steering committees, warm words, two strong ties at the top. On the turbines, more than "
        "half of the inspectors have gone back to paper.",
        Account(
            "Windlestraw Energy", "enterprise", "priya", "uk",
            seats=38, mrr=15_900, renews=290, term=1095,
            people=(
                Person("Annabel Prentice", "Chief Executive"),
                Person("Gethin Broadbent", "SVP Generation"),
                Person("Marsha Uduak", "Maintenance Planner", "user"),
            ),
            talks=(
                *courts("priya", "Annabel Prentice", "Gethin Broadbent"),
                *supports("priya", "Marsha Uduak", until=-54),
            ),
            adoption=((-50, 0.65), (-30, 0.25)),
        ),
        raises=(FALLING,),
    ),
    Story(
        "Ximena asked them why",
        "Half of the mill stopped. It took her a while to call; a form had broken on their phones, "
        "and they came back.",
        Account(
            "Aceites Valdehiguera", "mid-market", "ximena", "es",
            seats=19, mrr=4_500, renews=165, term=730,
            people=(
                Person("Fernando Valdehiguera", "Presidente"),
                Person("Ainhoa Sagarra", "Directora Industrial"),
                Person("Basilio Cortezón", "Analista de calidad", "admin"),
            ),
            talks=(
                *courts("ximena", "Fernando Valdehiguera", "Ainhoa Sagarra"),
                *supports("ximena", "Basilio Cortezón", until=-232),
                *supports("ximena", "Basilio Cortezón", since=-185),
                calls("ximena", "Basilio Cortezón", every=7, since=-185, until=-150),
            ),
            adoption=((-230, 0.65), (-212, 0.25), (-185, 0.25), (-160, 0.65)),
        ),
        raised=(FALLING,),
    ),
    Story(
        "The quarry sleeps in winter",
        "Usage falls by half, as every January. Marek knows: he talks to the foreman every week.",
        Account(
            "Garsgill Quarries", "mid-market", "marek", "uk",
            seats=20, mrr=4_700, renews=140, term=730,
            people=(
                Person("Morag Inverarity", "Managing Director"),
                Person("Clive Osei", "Operations Director"),
                Person("Dougie Rattray", "Shift Supervisor", "user"),
            ),
            talks=(
                *courts("marek", "Morag Inverarity", "Clive Osei"),
                calls("marek", "Dougie Rattray", every=7),
            ),
            adoption=((-300, 0.65), (-260, 0.25), (-215, 0.25), (-180, 0.65)),
        ),
    ),
    # --- Everybody uses it, and nobody knows who
    Story(
        "Loved by strangers",
        "The licences lay idle until a new foreman took them up. Nine in ten are in use now, and "
        "the only person we know is the owner.",
        Account(
            "Frigoríficos Almenzar", "smb", "ximena", "es",
            seats=20, mrr=2_900, renews=175, term=730,
            people=(Person("Consuelo Almenzar", "Gerente General"),),
            talks=courts("ximena", "Consuelo Almenzar"),
            adoption=((-160, 0.0), (-70, 0.95)),
        ),
        raises=(ADOPTION,),
    ),
    Story(
        "The glassworks took to it",
        "Nobody used it for a year, then it spread from furnace to furnace by itself. Management "
        "is delighted, and we have not met one person who uses it.",
        Account(
            "Verrerie de Montcendré", "mid-market", "solene", "fr",
            seats=22, mrr=5_000, renews=236, term=730,
            people=(
                Person("Guillemette d'Arvor", "PDG"),
                Person("Sofiane Belkacem", "Directeur industriel"),
            ),
            talks=courts("solene", "Guillemette d'Arvor", "Sofiane Belkacem"),
            adoption=((-140, 0.0), (-40, 0.9)),
        ),
        raises=(ADOPTION,),
    ),
    Story(
        "The user clinic",
        "A plant of strangers. Tobias saw the flag, invited whoever wanted to come, and found his "
        "champion.",
        Account(
            "Hagenried Kunststoffe", "smb", "tobias", "de",
            seats=20, mrr=3_000, renews=155, term=730,
            people=(
                Person("Waltraud Hagenried", "Geschäftsführende Gesellschafterin"),
                Person("Enno Kowalski", "Technischer Dienst", "user"),
            ),
            talks=(
                *courts("tobias", "Waltraud Hagenried"),
                *supports("tobias", "Enno Kowalski", since=-140),
            ),
            adoption=((-300, 0.0), (-205, 0.92)),
        ),
        raised=(ADOPTION,),
    ),
    # --- Comings and goings
    Story(
        "The one we lost",
        "First the executives, then the users, then the usage. All of it was said; on the day of "
        "the renewal they left, and there was nothing more to say.",
        Account(
            "Quarter Moon Motels", "mid-market", "dele", "us",
            seats=18, mrr=4_600, renews=-95,
            people=(
                Person("Garland Tisdale", "Chief Executive Officer"),
                Person("Bettina Marsh", "VP Hospitality"),
                Person("Ronnie Escobedo", "Facilities Technician", "admin"),
            ),
            talks=(
                *courts("dele", "Garland Tisdale", "Bettina Marsh", until=-225),
                *supports("dele", "Ronnie Escobedo", until=-170),
            ),
            adoption=((-165, 0.65), (-150, 0.25), (-95, 0.0)),
            churns=-95,
        ),
        raised=(RENEWAL, SINGLE, FALLING),
    ),
    Story(
        "Onboarded by the book",
        "New in the winter, live three months later, with two executives and an admin who call us.",
        Account(
            "Fonderies Marsaulnois", "mid-market", "solene", "fr",
            seats=17, mrr=4_100, renews=125, begins=-240, lifecycle="onboarding",
            people=(
                Person("Roland Marsaulnois", "Président"),
                Person("Edwige Charpentreau", "Directrice de production"),
                Person("Malo Guivarch", "Responsable sécurité", "admin"),
            ),
            talks=(
                *courts("solene", "Roland Marsaulnois", "Edwige Charpentreau"),
                *supports("solene", "Malo Guivarch"),
            ),
            adoption=((-235, 0.1), (-120, 0.6)),
            turns=(goes_live(-150),),
        ),
    ),
    Story(
        "Still unpacking",
        "Onboarding since last month; one kick-off, no routine yet. Not a risk, a beginning.",
        Account(
            "Copse & Harbour Clinics", "mid-market", "priya", "uk",
            seats=16, mrr=3_800, renews=320, begins=-44, lifecycle="onboarding",
            people=(
                Person("Thandiwe Marlowe", "Director of Nursing"),
                Person("Alec Prosser", "Facilities Technician", "admin"),
            ),
            talks=(
                meets("priya", "Thandiwe Marlowe", "Alec Prosser", every=90, until=-42),
                *supports("priya", "Alec Prosser"),
            ),
            adoption=((-40, 0.1), (0, 0.4)),
        ),
    ),
    Story(
        "Just looking",
        "A trial: everybody clicks, nobody is known, and it ends in a week. Not ours to flag.",
        Account(
            "Blue Kettle Laundries", "smb", "marek", "us",
            seats=5, mrr=0, renews=7, term=30, begins=-23, lifecycle="trial",
            people=(Person("Nettie Sorensen", "Owner"),),
            talks=(writes("marek", "Nettie Sorensen", every=90, until=-22),),
            adoption=((0, 1.0),),
        ),
    ),
)  # fmt: skip

ACCOUNTS = tuple(
    sorted((*STEADY, *(story.account for story in STORIES)), key=lambda account: account.id)
)
"""Everyone at once, in order of id."""
