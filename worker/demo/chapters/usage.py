"""Usage falls, and somebody asks why, or nobody does."""

from worker.demo.script import Account, Person, calls, courts, supports
from worker.demo.story import FALLING, Story

STORIES = (
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
)  # fmt: skip
