"""What a job title says of its holder, as people really write titles."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.core.titles import EXEC_LEVELS, FUNCTIONS, Level, function_of, level_of

C_LEVEL, VP, DIRECTOR, MANAGER, STAFF = Level


def read(*rows: tuple[Level | None, str]) -> list[tuple[str, Level | None]]:
    """One case a title: a row is a level and titles parted by semicolons and spaces."""
    return [(title.strip(), level) for level, titles in rows for title in titles.split("; ")]


PLAIN_RANKS = read(
    (C_LEVEL, "CEO; CIO; CISO; CRO; Chief Executive; Chief Information Officer; President; Chair"),
    (C_LEVEL, "Chief Data and Analytics Officer; Chief Diversity, Equity & Inclusion Officer"),
    (C_LEVEL, "Managing Director; General Counsel; Vice Chair; Board member; C-level; Co-CEO"),
    (VP, "VP; SVP; EVP; AVP; Vice President; Vice-President; Area VP; V P Sales; Deputy CEO"),
    (VP, "Associate Vice President; Assistant Vice President; Deputy Chief Information Officer"),
    (DIRECTOR, "Director; Dir, IT; Associate Director; Deputy Director; Executive Director; GM"),
    (DIRECTOR, "Head of IT; Global Head; Treasurer; Dean; Principal; General Manager"),
    (MANAGER, "Manager; Mgr; Mgr Trading; Team Lead; Supervisor; Sales Lead; Controller"),
    (STAFF, "Analyst; Engineer; Lead Engineer; Sr Specialist; In House Lawyer; Trader; Employee"),
    (STAFF, "Consultant; Intern; Professor; Fellow; Principal Engineer; Distinguished Engineer"),
)
SAYS_NOTHING = read(
    (None, "N/A; -; ; ???; test; IT; Sales; Management; Distinguished; Lead; 首席执行官; директор"),
)
SPELLING = read(
    (C_LEVEL, "C.T.O.; C.E.O; Chief  Executive\tOfficer; ｃｅｏ; CTO @ Acme; CTO at Acme; (CEO)"),
    (VP, "V.P. Sales; V. P. Sales; S.V.P.; VP-Sales; Sr VP; Exec. VP; Vice Pres."),
    (DIRECTOR, "Dir. of IT; DIRECTOR; IT-Director; Director – IT; Director- IT; [Director]"),
)
SEVERAL_TITLES = read(
    (C_LEVEL, "VP & CTO; Founder & CEO; CEO/Founder; Co-Founder | CTO; VP (Sales), acting CEO"),
    (C_LEVEL, "SVP, General Counsel & Secretary; Art Director & Founder; MD & CEO"),
    (VP, "Sr. VP & GM; VP & Chief of Staff; VP, Assistant General Counsel; VP, Product Owner"),
    (DIRECTOR, "IT Director / Project Manager; Manager/Director; Director, Account Management"),
)
SOMEONE_ELSES_RANK = read(
    (STAFF, "Assistant to the CEO; Assistant to the Vice President; Executive Assistant; EA / CEO"),
    (STAFF, "CEO Assistant; Director's assistant; CEO’s assistant; CEO´s assistant; PA to CFO"),
    (STAFF, "Executive Assistant - CEO; Executive Assistant to the CEO & CFO; Exec Asst to Pres."),
    (STAFF, "Executive Assistant (VP Sales); Executive Assistant Vice President; CEO Intern"),
    (STAFF, "Secretary to the Board; Executive Secretary; Advisor to the CEO; CRO Specialist"),
    (STAFF, "Founder's Associate; Senior Advisor, CEO Office; Chief Executive Officer's PA"),
    (MANAGER, "CEO’s office manager; CEO´s office manager; CEO Office Manager"),
    (MANAGER, "Program Manager, Office of the CTO; Manager, reports to CTO"),
    (MANAGER, "Office Manager & EA to the CEO; Head Office Manager"),
    (DIRECTOR, "Chief of Staff to the CEO; Director, Executive Assistants; EA to CEO | Head of HR"),
    (None, "Office of the CEO; Reports to CTO; Works for the CEO; Advisory Board Member"),
)
ASSISTANT_AS_A_RANK = read(
    (DIRECTOR, "Assistant Director; Asst. Dir; Assistant General Counsel; Assistant Treasurer"),
    (MANAGER, "Assistant Manager; Assistant General Manager"),
    (DIRECTOR, "Employee Assistance Director; Procure to Pay Director; Go-to-Market Director"),
)
NOT_ANY_MORE = read(
    (None, "former CEO; ex-CEO; retired; Retired CEO; CEO (retired); Past President; aspiring CEO"),
    (None, "Ehemaliger Geschäftsführer; Ancien directeur; Professor Emeritus; VP Sales, retired"),
    (STAFF, "Consultant, ex-CEO; Former VP Sales, now consultant"),
    (C_LEVEL, "CEO (interim); acting CFO; CEO, former lawyer"),
)
MISLEADING_WORDS = read(
    (C_LEVEL, "Owner; Co-Owner; Business Owner; Owner/Operator; Sole Trader; Managing Partner"),
    (VP, "Partner; Tax Partner; Partner, Tax; Partner at Smith LLP"),
    (DIRECTOR, "Chief of Staff; Chief Architect; Associate Partner; Corporate Secretary"),
    (DIRECTOR, "Executive Creative Director; Technical Director; Director of Product Owners"),
    (MANAGER, "Account Director; Group Account Director; Creative Director; Chief Engineer"),
    (MANAGER, "Product Manager; Project Manager; Account Manager; Partner Manager"),
    (STAFF, "Product Owner; Process Owner; Senior Product Owner; Principal Product Owner"),
    (STAFF, "Art Director; Film Director; Director of Photography; Document Controller; Head Chef"),
    (STAFF, "Account Executive; Sales Executive; Marketing Executive; Tech Lead; Loan Officer"),
    (STAFF, "HR Business Partner; Senior Business Partner; Finance Partner; Management Trainee"),
    (None, "Senior Executive; Executive Officer; Executive"),
)
GERMAN = read(
    (C_LEVEL, "Geschäftsführer; Geschaeftsfuehrerin; Geschäftsführender Gesellschafter; Inhaber"),
    (C_LEVEL, "Geschäftsführer/in; Vorstandsvorsitzender; Mitglied des Vorstands; Gründer"),
    (VP, "Stellvertretender Geschäftsführer; Vizepräsident; Vizepraesidentin"),
    (DIRECTOR, "Prokurist; Leiter IT; IT-Leiterin; Abteilungsleiter; Bereichsleiter; Leiter/in IT"),
    (DIRECTOR, "Hauptabteilungsleiter; Vertriebsleiter; Leitung Einkauf; Direktor"),
    (MANAGER, "Teamleiter; Projektleiterin; Produktmanager"),
    (STAFF, "Assistentin der Geschäftsführung; Vorstandsassistent; Referent des Vorstands"),
    (STAFF, "Mitarbeiter der Geschäftsleitung; Sekretariat Geschäftsführung; Chefsekretärin"),
    (STAFF, "Sachbearbeiter; Referent; Einkäufer; Praktikant der Geschäftsführung; Berater"),
    (STAFF, "Halbleiter Entwickler; Kaufmännischer Angestellter"),
)
FRENCH = read(
    (C_LEVEL, "Directrice générale; DG; PDG; Président-Directeur Général; Gérant; Président"),
    (C_LEVEL, "Secrétaire général; Fondatrice; Chef d'entreprise; DIRECTEUR GENERAL"),
    (VP, "Directeur Général Adjoint; Directeur général adjoint de la recherche; Vice-présidente"),
    (DIRECTOR, "Directeur commercial; Directeur adjoint; DSI; DAF; DRH; Chef de cabinet"),
    (DIRECTOR, "Directeur des systèmes d’information; Directrice marketing"),
    (MANAGER, "Responsable informatique; Chef de projet; Chef d'équipe; Directeur de clientèle"),
    (STAFF, "Assistante de direction; Assistante du PDG; Adjoint au directeur; Ingénieur"),
    (STAFF, "Secrétaire de direction; Stagiaire auprès du directeur; Directeur artistique"),
    (STAFF, "Comptable; Chargée de mission; Développeuse; Employé"),
)
SPANISH = read(
    (C_LEVEL, "Director General; Directora General; Presidente; Gerente General; Dueño; Duena"),
    (C_LEVEL, "Consejero Delegado; Socio fundador"),
    (VP, "Director General Adjunto; Vicepresidenta de Ventas"),
    (DIRECTOR, "Directora de Operaciones; Director Comercial; Subdirector; Director adjunto"),
    (MANAGER, "Gerente; Jefe de Compras; Responsable de TI; Director de cuentas"),
    (STAFF, "Asistente de Dirección; Asistente del Director General; Adjunto al CEO; Ingeniera"),
    (STAFF, "Secretaria del Director General; Ejecutivo de cuentas; Analista"),
)
ALL = (
    PLAIN_RANKS
    + SAYS_NOTHING
    + SPELLING
    + SEVERAL_TITLES
    + SOMEONE_ELSES_RANK
    + ASSISTANT_AS_A_RANK
    + NOT_ANY_MORE
    + MISLEADING_WORDS
    + GERMAN
    + FRENCH
    + SPANISH
)


@pytest.mark.parametrize(("title", "level"), PLAIN_RANKS)
def test_a_rank_is_read_from_its_ordinary_title(title: str, level: Level | None) -> None:
    assert level_of(title) is level


@pytest.mark.parametrize(("title", "level"), SAYS_NOTHING)
def test_a_title_that_says_nothing_stays_unknown(title: str, level: Level | None) -> None:
    assert level_of(title) is level


@pytest.mark.parametrize(("title", "level"), SPELLING)
def test_dots_dashes_brackets_and_short_words_do_not_hide_a_rank(
    title: str, level: Level | None
) -> None:
    assert level_of(title) is level


@pytest.mark.parametrize(("title", "level"), SEVERAL_TITLES)
def test_of_several_titles_the_highest_counts(title: str, level: Level | None) -> None:
    assert level_of(title) is level


@pytest.mark.parametrize(("title", "level"), SOMEONE_ELSES_RANK)
def test_who_works_for_a_senior_person_is_not_that_person(title: str, level: Level | None) -> None:
    assert level_of(title) is level


@pytest.mark.parametrize(("title", "level"), ASSISTANT_AS_A_RANK)
def test_assistant_before_a_rank_is_a_rank_and_not_an_aide(title: str, level: Level | None) -> None:
    assert level_of(title) is level


@pytest.mark.parametrize(("title", "level"), NOT_ANY_MORE)
def test_what_someone_was_does_not_count_but_an_interim_post_does(
    title: str, level: Level | None
) -> None:
    assert level_of(title) is level


@pytest.mark.parametrize(("title", "level"), MISLEADING_WORDS)
def test_a_senior_word_is_read_within_its_phrase(title: str, level: Level | None) -> None:
    assert level_of(title) is level


@pytest.mark.parametrize(("title", "level"), GERMAN)
def test_german_titles(title: str, level: Level | None) -> None:
    assert level_of(title) is level


@pytest.mark.parametrize(("title", "level"), FRENCH)
def test_french_titles(title: str, level: Level | None) -> None:
    assert level_of(title) is level


@pytest.mark.parametrize(("title", "level"), SPANISH)
def test_spanish_titles(title: str, level: Level | None) -> None:
    assert level_of(title) is level


def test_executives_are_directors_and_above() -> None:
    assert {"c_level", "vp", "director"} == EXEC_LEVELS


@pytest.mark.parametrize(
    ("function", "titles"),
    [
        ("finance", "CFO; Financial Analyst; Controller; Directeur financier; PA to the CFO"),
        ("it", "CIO; Dir, IT; IT-Leiter; Responsable informatique; Data Center Manager; DSI"),
        ("security", "CISO; Chief Information Security Officer; Security Engineer"),
        ("engineering", "CTO; Software Engineer; VP of Engineering; Entwickler; Ingénieur"),
        ("data", "Data Engineer; Chief Data Officer; Analista de datos"),
        ("sales", "CRO; VP Sales; Account Executive; Vertriebsleiter; Directeur commercial"),
        ("marketing", "CMO; Product Marketing Manager; Brand Director"),
        ("product", "Product Owner; Head of Product; Data Product Manager; Produktmanager"),
        ("operations", "COO; Plant Manager; Directora de Operaciones; Chief Operating Officer"),
        ("procurement", "IT Procurement Manager; Jefe de Compras; Einkäufer; Einkaufsleiter"),
        ("hr", "CHRO; IT Recruiter; HR Business Partner; Chief People Officer; DRH"),
        ("legal", "General Counsel; In House Lawyer; Data Protection Officer"),
        ("support", "Customer Success Manager; Technical Support Engineer; Kundendienst"),
        ("design", "UX Lead; Senior Designer; Creative Director"),
        ("research", "Head of R&D; Research Fellow; Chief Scientist"),
        ("trading", "VP Trading; Trader"),
    ],
)
def test_a_function_is_read_from_its_words_special_ones_before_general_ones(
    function: str, titles: str
) -> None:
    assert {title: function_of(title) for title in titles.split("; ")} == dict.fromkeys(
        titles.split("; "), function
    )


@pytest.mark.parametrize("title", ["CEO", "Owner", "Director", "Analyst", "N/A", "", "Sole Trader"])
def test_a_title_without_a_function_has_none(title: str) -> None:
    assert function_of(title) is None


known_titles = st.sampled_from([title for title, _ in ALL])
blanks = st.text(" \t\n\u00a0", max_size=50)


@given(known_titles, st.sampled_from([str.upper, str.lower, str.title, str.swapcase]))
def test_case_does_not_matter(title: str, recase) -> None:
    assert level_of(recase(title)) is level_of(title)
    assert function_of(recase(title)) == function_of(title)


@given(known_titles, blanks, blanks)
def test_surrounding_blanks_do_not_matter(title: str, before: str, after: str) -> None:
    assert level_of(before + title + after) is level_of(title)


@given(known_titles, st.sampled_from([" ", "\t", "  ", "\u00a0", "\n"]))
def test_the_kind_and_number_of_inner_blanks_do_not_matter(title: str, blank: str) -> None:
    assert level_of(title.replace(" ", blank)) is level_of(title)


@given(known_titles | st.text(max_size=100))
def test_accents_composed_or_decomposed_do_not_matter(title: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, title) for form in ("NFC", "NFD"))
    assert level_of(composed) is level_of(decomposed)
    assert function_of(composed) == function_of(decomposed)


@given(known_titles)
def test_missing_accents_do_not_matter(title: str) -> None:
    letters = unicodedata.normalize("NFD", title)
    assert level_of("".join(c for c in letters if unicodedata.category(c) != "Mn")) is level_of(
        title
    )


@given(known_titles, known_titles)
def test_titles_parted_by_a_bar_are_read_apart(one: str, other: str) -> None:
    order = [*Level, None]
    joined = order.index(level_of(f"{one} | {other}"))
    assert joined == min(order.index(level_of(one)), order.index(level_of(other)))


@given(st.text(st.characters(codec=None), max_size=500))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert level_of(text) in {*Level, None}
    assert function_of(text) in {name for name, _ in FUNCTIONS} | {None}


@pytest.mark.parametrize(
    "piece",
    ["a", " ", "ceo ", "to ", "to the ", "chief a ", "x's ", "assistant to ", "a, ", "leit", "ex ",
     "vice ", "avp ", "c.", "(", "- ", "\u0301", "\ufdfa"],
)  # fmt: skip
def test_hostile_text_is_read_in_bounded_time(piece: str) -> None:
    text = piece * (5_000_000 // len(piece))
    begun = time.perf_counter()
    level_of(text)
    function_of(text)
    assert time.perf_counter() - begun < 0.25


def test_only_the_beginning_of_a_pasted_text_is_read() -> None:
    assert level_of("Director " + "lorem " * 2_000) is DIRECTOR
    assert level_of("lorem " * 2_000 + "CEO") is None
