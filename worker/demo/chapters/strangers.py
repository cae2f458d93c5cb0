"""Everybody uses it, and nobody knows who."""

from worker.demo.script import Account, Person, courts, supports
from worker.demo.story import ADOPTION, Story

STORIES = (
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
)  # fmt: skip
