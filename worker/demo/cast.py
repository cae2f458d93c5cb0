"""The cast: Marrowbeck's team, and those of its customers with whom all goes well.

The company, its customers and all people are made up. Prices are a month, in local currency.
"""

import random
from dataclasses import dataclass
from typing import Literal

from worker.demo.script import Account, Person, Rep, Segment, courts, prepares, supports

COMPANY = "Marrowbeck"
HEAD = "ruth"
"""The rep to whom all others report."""

REPS = (
    Rep("priya", "Priya Raghunathan", "U0MBPRIYA", "Europe/London"),
    Rep("marek", "Marek Dvořáček", "U0MBMAREK", "Europe/Prague"),
    Rep("solene", "Solène Guérard", "U0MBSOLENE", "Europe/Paris"),
    Rep("tobias", "Tobias Achterberg", "U0MBTOBIAS", "Europe/Berlin"),
    Rep("ximena", "Ximena Larrabeiti", "U0MBXIMENA", "Europe/Madrid"),
    Rep("dele", "Dele Okunwobi", "U0MBDELE", "America/New_York"),
    Rep("callum", "Callum Strachan", "U0MBCALLUM", "Europe/London", leaves=-37),
    Rep(HEAD, "Ruth Amsel-Byrne", "U0MBRUTH", "Europe/London"),
)


@dataclass(frozen=True, slots=True)
class Country:
    """Where a customer is: its money, its clock, and what its people are called there."""

    currency: str
    timezone: str
    first_names: str
    last_names: str
    titles: tuple[str | None, ...]


_ENGLISH = (
    "Safety Coordinator", "Maintenance Planner", "Site Inspector", "Shift Supervisor",
    "Quality Analyst", "Operations", "EHS Specialist", "Facilities Technician", None,
)  # fmt: skip

COUNTRIES = {
    "uk": Country(
        "GBP",
        "Europe/London",
        "Abigail Bronwen Cerys Dominic Esme Fergus Gwilym Harriet Idris Jocelyn Kieran Lorna "
        "Miriam Nikhil Olwen Percival Rhiannon Stuart Tamsin Zainab",
        "Abernethy Birtwhistle Cholmondeley Duckworth Entwistle Fothergill Greenhalgh Hebden "
        "Illingworth Jowett Kirkbride Lightfoot Micklethwaite Nuttall Ogden Postlethwaite",
        _ENGLISH,
    ),
    "us": Country(
        "USD",
        "America/Chicago",
        "Aliyah Beckett Carmelita Darnell Elodie Forrest Gideon Hollis Imani Jasper Keiko Lamar "
        "Marisol Nolan Odessa Prescott Quincy Rosalba Silas Thuy",
        "Armbruster Brightwater Castellanos Delacroix Eberhart Figueroa Gunderson Hathaway "
        "Ivanovich Jorgensen Kowalczyk Lindholm McAllister Nakamura Okafor Pettibone",
        _ENGLISH,
    ),
    "de": Country(
        "EUR",
        "Europe/Berlin",
        "Annegret Bastian Cordula Detlef Elfriede Fabian Gesine Hauke Ilka Jannik Kerstin Lorenz "
        "Mareike Norbert Okan Petra Ruben Svenja Thorben Wiebke",
        "Albersmeier Bruchhausen Czerny Dickmann Eichstätter Feldhaus Grünewald Holtkamp "
        "Immelmann Jürgensen Kattenbeck Lohmeyer Mühlbauer Niedermann Ostendorf Pfeifenberger",
        (
            "Fachkraft für Arbeitssicherheit", "Qualitätssicherung", "Instandhaltung",
            "Sachbearbeitung Prüfwesen", "Technischer Dienst", None,
        ),
    ),
    "fr": Country(
        "EUR",
        "Europe/Paris",
        "Amandine Bastien Clotilde Damien Eugénie Florian Ghislaine Hugues Inès Jocelyne Killian "
        "Léonie Mathurin Noémie Octave Perrine Quentin Rosalie Sylvain Yasmina",
        "Aubertin Beauchesne Carpentras Delahousse Escoffier Fontvieille Grandjean Herbelin "
        "Jacquemart Lacassagne Maisonneuve Nivernais Ollivier Pontcarré Roquebrune Thévenin",
        (
            "Responsable sécurité", "Responsable maintenance", "Analyste qualité",
            "Prévention et risques", "Atelier", None,
        ),
    ),
    "es": Country(
        "EUR",
        "Europe/Madrid",
        "Adoración Bernabé Candela Darío Eulalia Fermín Graciela Hernán Inmaculada Joaquín "
        "Leocadia Macarena Nicanor Olalla Práxedes Remedios Saturnino Trinidad Ulises Violeta",
        "Arizmendi Barrenechea Cifuentes Dorronsoro Echegaray Fuensalida Goicoechea Hinojosa "
        "Iturralde Jaraquemada Larrañaga Mendizábal Navascués Ochandiano Peñaranda Quintanilla",
        (
            "Responsable de planta", "Analista de calidad", "Especialista en prevención",
            "Auxiliar de mantenimiento", "Planta", None,
        ),
    ),
}  # fmt: skip


def colleagues(account: str, country: str, number: int) -> list[Person]:
    """People who work with the product at an account, in the order in which they began to.

    They are the same for every seed.
    """
    home = COUNTRIES[country]
    firsts, lasts = home.first_names.split(), home.last_names.split()
    rng = random.Random(account)
    pairs = rng.sample([(first, last) for first in firsts for last in lasts], 60)
    everyone = [Person(f"{first} {last}", rng.choice(home.titles)) for first, last in pairs]
    return everyone[:number]


def _steady(
    name: str,
    segment: Segment,
    owner: str,
    country: Literal["uk", "us", "de", "fr", "es"],
    seats: int,
    mrr: int,
    renews: int,
    execs: str,
    adoption: float = 0.6,
) -> Account:
    """A customer well looked after. `execs` are `Name, title` with semicolons in between."""
    deciders = [Person(*each.split(", ", 1)) for each in execs.split("; ")]
    names = [each.name for each in deciders]
    users = [
        Person(known.name, known.title, role)
        for known, role in zip(colleagues(name, country, 2), ("admin", "user"), strict=True)
    ]
    talks = (
        *courts(owner, *names),
        *supports(owner, *(user.name for user in users)),
        *prepares(owner, names[0], renewal=renews - 365),
        *prepares(owner, names[0], renewal=renews),
    )
    return Account(
        name, segment, owner, country, seats, mrr, renews, (*deciders, *users), talks,
        adoption=((-364, adoption - 0.05), (0, adoption + 0.05)),
    )  # fmt: skip


STEADY = (
    _steady("Aldersyke Paper Mills", "enterprise", "priya", "uk", 34, 12_900, 212,
            "Imogen Sarkar, COO; Piers Lowther, Director of Engineering; "
            "Bethan Ruddock, Head of Safety"),
    _steady("Dunmallet Dairies", "mid-market", "priya", "uk", 18, 4_300, 61,
            "Oonagh Tresilian, Managing Director; Graham Ikande, Operations Director"),
    _steady("Eskrigg Couriers", "smb", "priya", "uk", 8, 1_250, 318,
            "Winston Haverigg, Founder"),
    _steady("Hexmere Ceramics", "smb", "priya", "uk", 6, 940, 134,
            "Philippa Snaith, Owner", 0.8),
    _steady("Thrushcombe Housing Trust", "mid-market", "priya", "uk", 21, 4_900, 257,
            "Delroy Ashcombe, Chief Executive; Maeve Corrigan, Head of Property"),
    _steady("Fellgate Breweries", "mid-market", "marek", "uk", 16, 3_900, 178,
            "Rowena Blackadder, COO; Sunil Pattinson, Head of Brewing Operations"),
    _steady("Ullerthwaite Cold Stores", "smb", "marek", "uk", 7, 1_100, 22,
            "Jackie Pomfret, Managing Director"),
    _steady("Nettlebourne Schools", "enterprise", "marek", "uk", 31, 10_400, 96,
            "Adaeze Montague, CFO; Rupert Swinnerton, Director of Estates; "
            "Kathleen Orr, Deputy Director, Safeguarding & Safety"),
    _steady("Skerrymoor Salmon", "smb", "marek", "uk", 9, 1_400, 283,
            "Hamish Torquhil, CEO"),
    _steady("Westering Ferries", "mid-market", "marek", "uk", 17, 4_100, 340,
            "Captain Isla Renwick, Fleet Director; Tom Adeyinka, VP Technical", 0.7),
    _steady("Copper Sparrow Distilling", "smb", "dele", "us", 8, 1_600, 149,
            "Jolene Vandermeer, Co-Founder & CEO"),
    _steady("Tamarack Bend Lumber", "mid-market", "dele", "us", 20, 5_200, 73,
            "Everett Sandoval, President; Nadine Holmquist, Sr. VP & GM"),
    _steady("Ironwood Ladder Company", "smb", "dele", "us", 6, 1_150, 301,
            "Cleo Whitfield-Reyes, COO", 0.75),
    _steady("Mesa Thistle Clinics", "enterprise", "dele", "us", 36, 15_600, 187,
            "Dr. Vivian Eze, Chief Medical Officer; Brock Tillery, VP, Facilities; "
            "Joan Kaminski, Dir, EHS"),
    _steady("Little Cypress Transit", "mid-market", "dele", "us", 19, 4_800, 229,
            "Marguerite Fontaine-Bell, General Manager; Otis Redfern, Director of Maintenance"),
    _steady("Tannhof Maschinenbau", "mid-market", "tobias", "de", 22, 5_400, 118,
            "Ulrich Tannhof, Geschäftsführer; Silke Brandes, Leiterin Produktion"),
    _steady("Rotfelder Papier", "smb", "tobias", "de", 7, 1_200, 264,
            "Heike Rotfelder, Inhaberin"),
    _steady("Silberauer Spedition", "smb", "tobias", "de", 9, 1_450, 39,
            "Mehmet Silberauer, Geschäftsführender Gesellschafter"),
    _steady("Klinikverbund Oberwiesenthal-Süd", "enterprise", "tobias", "de", 33, 12_200, 331,
            "Prof. Regine Stolzenburg, Vorstandsvorsitzende; Arne Kuhlmann, CIO; "
            "Beate Winterscheid, Bereichsleiterin Technik"),
    _steady("Gerbershof Molkerei", "smb", "tobias", "de", 8, 1_300, 160,
            "Anton Gerber, Betriebsleiter", 0.8),
    _steady("Transports Vercelange", "mid-market", "solene", "fr", 18, 4_400, 84,
            "Édouard Vercelange, PDG; Maud Kerdoncuff, Directrice des opérations"),
    _steady("Clinique des Hauts de Tréval", "mid-market", "solene", "fr", 20, 4_700, 244,
            "Dr. Antoine Lestrade, Directeur général; Fatoumata Diarra, DRH"),
    _steady("Biscuiterie Kermadeuc", "smb", "solene", "fr", 7, 1_150, 15,
            "Gaëlle Kermadeuc, Gérante"),
    _steady("Scierie du Haut Vallon", "smb", "solene", "fr", 6, 980, 199,
            "Rémi Chastagnol, Président"),
    _steady("Réseau Eaux de la Mérande", "enterprise", "solene", "fr", 35, 12_700, 277,
            "Hélène Vaubrun, Directrice générale; Karim Bessadi, DSI; "
            "Luc Tournemire, Directeur technique"),
    _steady("Cartonnages Vieilleville", "smb", "solene", "fr", 8, 1_250, 355,
            "Pascale Vieilleville, Directrice d'usine", 0.75),
    _steady("Conservas Marisqueira Brava", "mid-market", "ximena", "es", 17, 4_000, 127,
            "Lucía Outeiral, Directora General; Xabier Mondragón, Director de Producción"),
    _steady("Transportes Navalmorera", "smb", "ximena", "es", 8, 1_200, 223,
            "Julián Navalmorera, Propietario"),
    _steady("Grupo Solanas de Piedra", "enterprise", "ximena", "es", 32, 11_600, 54,
            "Beatriz Azcona, Consejera Delegada; Rodrigo Zubiaurre, Director de Operaciones; "
            "Nuria Calahorra, CFO"),
    _steady("Panaderías Trigalba", "smb", "ximena", "es", 6, 900, 291,
            "Elena Trigalba, Gerente General"),
    _steady("Astilleros Puntanegra", "mid-market", "ximena", "es", 19, 4_600, 172,
            "Gonzalo Iribarne, Presidente; Amaia Ugalde, Directora Técnica", 0.7),
    _steady("Lavanderías Nube Clara", "smb", "ximena", "es", 7, 1_050, 104,
            "Montserrat Falcó, Fundadora", 0.8),
)  # fmt: skip
"""Thirty-two customers of whom tiewatch should never say a word."""
