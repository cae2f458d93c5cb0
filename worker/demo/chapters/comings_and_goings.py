"""Comings and goings: one customer lost, others who have only begun."""

from worker.demo.script import Account, Person, courts, goes_live, meets, supports, writes
from worker.demo.story import FALLING, RENEWAL, SINGLE, Story

STORIES = (
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
