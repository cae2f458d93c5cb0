"""Someone goes quiet: a tie fades, or only seems to."""

from worker.demo.script import Account, Person, calls, courts, prepares, supports, writes
from worker.demo.story import FALLING, RENEWAL, SINGLE, Story

STORIES = (
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
)  # fmt: skip
