"""What looks like contact, and is none: machines, meetings that never were, an assistant."""

from worker.demo.script import (
    Account,
    Person,
    calls,
    courts,
    leaves,
    machine,
    meets,
    supports,
    writes,
)
from worker.demo.story import RENEWAL, SINGLE, Story

STORIES = (
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
)  # fmt: skip
