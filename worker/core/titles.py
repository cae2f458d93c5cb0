"""Job title -> decision level and function, so that rules can tell an executive from a user.

Titles arrive as people wrote them. A title is made plain, the rows of LEVELS are read from the
top, and the highest level found wins. Where a title can mean two things the lower one is taken:
a person wrongly taken for an executive hides a renewal at risk, a missed one costs a check.

- The words decide, not the employer: a bank's vice president is a VP; associate, assistant and
  deputy directors are directors; product, project and account managers are managers.
- Who works for a senior person (assistant, office, team, "reports to") does not have that
  person's level. What follows an aide's title is taken for the titles of those aided, up to a bar.
- What someone was formerly is no level; acting and interim holders count.
- C level: who heads or owns the company or sits on its board, its general counsel, a managing
  director. Their deputies are VPs, and so is a partner of a firm (one owner among many).
- Directors: general managers, chiefs of staff, chief architects and scientists, company
  secretaries, treasurers, deans, heads of departments, executive directors (below managing
  ones); in France DSI, DAF and DRH, whose D is "directeur". A chief engineer runs a plant or a
  ship, and a controller may be an analyst (Germany): managers.
- Account, client and creative directors serve an agency's clients: managers. Art and film
  directors practise a craft: staff, like product owners, account executives and fellows.
- "Senior Executive" and "Executive Officer" are the top in one country and the bottom in
  another: unknown (None), like every title that says nothing.
"""

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache


class Level(StrEnum):
    """How far up a person decides, highest first; the values are those of the contact event."""

    C_LEVEL = "c_level"
    VP = "vp"
    DIRECTOR = "director"
    MANAGER = "manager"
    STAFF = "staff"


C_LEVEL, VP, DIRECTOR, MANAGER, STAFF = Level
EXEC_LEVELS: frozenset[Level] = frozenset({C_LEVEL, VP, DIRECTOR})

_CXO = "(ceo|cfo|coo|cto|cio|ciso|cso|cmo|cro|cpo|chro|cdo|cco|cao|clo|cgo|cbo|cxo|cdio|cdao|caio)"
_OFFICER = r"chief \w+ ([\w,]+ ){0,5}officer"
_SENIOR = f"({_CXO}|chief|president|vice|senior|executive|managing|director|head|board|founder)"

# What people shorten, read as if written out.
SHORT = {
    "asst": "assistant", "assoc": "associate", "avp": "associate vice president",
    "dep": "deputy", "dir": "director", "evp": "executive vice president", "exec": "executive",
    "gen": "general", "gm": "general manager", "mgr": "manager", "mng": "managing",
    "mngr": "manager", "pres": "president", "rvp": "regional vice president", "sr": "senior",
    "svp": "senior vice president", "vp": "vice president",
}  # fmt: skip

# Each row: level, words, what they are. Whole words, in any case, with or without accents (ä also
# as ae). A title is cut into parts at , / & - and the like. " | " parts alternatives, * stands for
# any letters, ^ and $ for the start and end of a part, … for other words of the part, < and > for
# all that stands before and after; else as in regular expressions. A row takes its words out of
# the title, so that the rows below do not see them: "vice president" stands above "president".
# None: taken out, no level.
LEVELS: tuple[tuple[Level | None, str, str], ...] = (
    # --- Whose rank is it, and since when?
    (None, r"< (retired|emerit*|former|ret)(?= (,\Z|(, )?[|]))", "CEO (retired)"),
    (None, "(retired|former|formerly|ex|previous|previously|aspiring) … | past (president|chair*)",
           "former CEO"),
    (None, "(ehemalig*|ancien|ancienne|antigu[oa]) …", "former: German, French, Spanish"),
    (None, r"(chief (\w+ )?|vice |managing |general )?\w+'s", "the CEO's ..."),
    (DIRECTOR, "(?<!executive )(assistant|associate|deputy) general counsel", "a rank, no aide"),
    (MANAGER, "(?<!executive )(assistant|associate|deputy) general manager", "a rank, no aide"),
    (None, "(?<!executive )(?<!personal )assistant(?= (vice|director|manager|head|professor|"
           "controller|treasurer|principal|dean))", "a rank, no aide: assistant director"),
    (STAFF, r"… *(assist[ae]n[tz](?!s\b)*|asistente|referent|referentin) >", "aides"),
    (STAFF, "(ea|pa)(?= (to|for|of|[,|])) > | executive (support|administrator|coordinator) >",
            "aides, English"),
    (STAFF, "^(adjointe?|adjunt[oa]) (a|au|aux|al|du|de|del) > | (mitarbeiter|sekretariat)* >",
            "aides"),
    (STAFF, "… (intern|trainee|apprentice)", "learners, English"),
    (STAFF, "(praktikant*|werkstudent*|auszubildende*|azubi|stagiaire|becari[oa]) >", "learners"),
    (C_LEVEL, "secretary general | general secretary | generalsekretär* | secrétaire générale? | "
              "secretari[oa] general", "heads of an organisation, not secretaries"),
    (DIRECTOR, "(company|corporate) secretary", "an office under company law"),
    (STAFF, "… *(secretary|sekretär|sekretärin|secrétaire|secretari[oa])"
            "( (of|der|des|de|du|del) >)?", "secretaries"),
    (None, "office of … | büro de[rs] … | (bureau|cabinet) d[ue] … | oficina del? …", "an office"),
    (None, f"(to|for) (the|our|{_SENIOR}) >", "reports to, works for"),
    (None, f"({_CXO}|founder|president)(?= (office|team|staff|support|associate|analyst|"
           "specialist|manager|coordinator|advis[eo]r|coach))", "CEO office, CRO specialist"),
    (None, "advisory board( member)? | head office", "no say in the company; a place"),
    # --- Words that mislead when read one by one
    (STAFF, "(product|line|process|service|system|application|app|data|solution|platform|feature|"
            "account|technology|risk|control|asset|backlog|domain|project|program|tool) owner",
            "owns a thing, not the company"),
    (STAFF, "(business|hr|people|talent|finance|it|technology|channel|client|delivery|learning|"
            "strategic|alliance|success|marketing|sales) partner", "HR business partner"),
    (STAFF, "(art|film|movie|video|stage|casting|music|choir|photography) director | director of "
            "photography | direct(eur|rice) (artistique|de la photographie) | "
            "directora? de (arte|fotografía|casting)", "crafts"),
    (DIRECTOR, "(executive|group|global) creative director", "heads the creative directors"),
    (MANAGER, "(accounts?|client|creative) director | direct(eur|rice) de (clientèle|création) | "
              "directora? (de cuentas|creativ[oa])", "agency directors"),
    (STAFF, "(account|sales|marketing|customer|client|service|support|business development|hr|"
            "finance|legal|media|advertising|pr|recruitment|procurement|purchasing|admin|digital|"
            "brand|events?|operations|success) executive", "British and Indian clerks"),
    (STAFF, "(document|traffic|stock|inventory|credit|quality|production) controller | "
            "(head|executive|sous|pastry) chef | head (coach|nurse|waiter|cashier|trader|hunter) | "
            "tech(nical)? lead", "crafts"),
    (MANAGER, "(team|unit|section|shift) head | chief (engineer|accountant|inspector|clerk|"
              "steward|operator)", "English"),
    (MANAGER, "*(team|gruppen|projekt|schicht|filial|bau|lager)leit(er|erin|ung)", "German"),
    (DIRECTOR, "chef de cabinet | department chair* | associate partner", "below C level"),
    (VP, f"(deputy|vice) ({_CXO}|{_OFFICER}|chief executive|managing director|director general) | "
         "direct(eur|rice) générale? (adjointe?|déléguée?) | dga | subdirectora? general | "
         "directora? general adjunt[oa] | (stellvertretend*|stv) (geschäftsführ|vorstand)*",
         "deputies"),
    (VP, "(vice|v) ?president[ea]? | v p | vi[cz]e ?präsident(in)? | vice (chancellor|provost)",
         "all languages"),
    (VP, "^partner$ | ^partner(?= (of|in)) | (tax|audit|law|litigation|equity|general|junior|"
         "consulting|advisory|assurance|investment|venture|operating) partner", "of a firm"),
    # --- From the top
    (C_LEVEL, f"{_CXO} | {_OFFICER} | chief executive | chief (operating|operations|financial|"
              "finance|information|technology|marketing|revenue|people|product|legal|commercial|"
              "security|strategy)$", "English"),
    (C_LEVEL, "president | chair(man|woman|person)? | board (member|director) | (non executive|"
              "independent) director | member of the board | board of directors", "English"),
    (C_LEVEL, "(managing|senior|founding) partner | managing (director|member) | general counsel | "
              "general director | director general(?! (accounting|affairs|services|purchasing|"
              "procurement)) | chancellor | provost", "English"),
    (C_LEVEL, "(co)?founder | owner | proprietor | sole trader | ^c (level|suite)", "English"),
    (C_LEVEL, "*geschäftsführ* | geschäftsleit(er|erin|ung) | gf | *vorst(and|ändin)s? | "
              "vorstands(mitglied|vorsitz|sprecher|chef)* | aufsichtsrat* | generaldirektor* | "
              "präsident(in)? | *gründer(in)? | inhaber(in)? | gesellschafter(in)?", "German"),
    (C_LEVEL, "pdg | dg | présidente? | direct(eur|rice) générale? | (co)?gérante? | "
              "(co)?fondat(eur|rice) | propriétaire | chef d entreprise", "French"),
    (C_LEVEL, "president[ea] | directora general | gerente general | consejer[oa] delegad[oa] | "
              "(co)?fundadora? | dueñ[oa] | propietari[oa] | administradora? únic[oa]", "Spanish"),
    (DIRECTOR, "director | head | general manager | chief | dean | treasurer | ^principal$ | "
               "(school|vice) principal | (corporate|group|global) controller", "English"),
    (DIRECTOR, "direktor(in)? | (?!halbleit|begleit)*leit(er|erin|ung) | prokurist(in)?", "German"),
    (DIRECTOR, "direct(eur|rice) | dsi | daf | drh", "French"),
    (DIRECTOR, "directora | subdirectora?", "Spanish"),
    (MANAGER, "manager | supervisor | superintendent | foreman | (team|squad|shift) lead | "
              "leader | (?<![,|] )lead$ | controller | comptroller", "English"),
    (MANAGER, "*manager(in)? | chef (de|d|du|des) | responsable | jef[ea] | (sub)?gerent[ea] | "
              "encargad[oa]", "German, French, Spanish"),
    (None, "senior executive | executive officer", "top or bottom, by country"),
    (STAFF, "accountant | (sys)?admin | administrator | advis[eo]r | agent | analyst | architect | "
            "associate | attorney | auditor | bookkeeper | broker | buyer | clerk | coach | "
            "consultant | contractor | coordinator | counsel | designer | developer | economist | "
            "editor | employee | engineer | expert | fellow | generalist | inspector | lawyer | "
            "lecturer | librarian | nurse | officer | operator | paralegal | planner | professor | "
            "programmer | receptionist | recruiter | rep | representative | researcher | "
            "salesperson | scientist | scrum master | specialist | staff | strategist | student | "
            "teacher | team member | technician | tester | trader | underwriter | worker | writer",
            "English"),
    (STAFF, "*(sachbearbeit|angestellt|berater|entwickler|ingenieur|techniker|administrator|"
            "kauf(mann|frau)|käufer|architekt|spezialist|jurist|verwalter|buchhalter)*", "German"),
    (STAFF, "analyste | ingénieure? | technicien(ne)? | consultante? | conseill(er|ère) | "
            "juriste | avocate? | comptable | achet(eur|euse) | vend(eur|euse) | employée? | "
            "développ(eur|euse) | gestionnaire | chargée? (de|d|des)", "French"),
    (STAFF, "analista | ingenier[oa] | técnic[oa] | consultora? | asesora? | abogad[oa] | "
            "contadora? | compradora? | vendedora? | emplead[oa] | especialista | auxiliar | "
            "desarrolladora? | coordinadora? | ejecutiv[oa] de (cuentas|ventas)", "Spanish"),
)  # fmt: skip

# Each row: function, words (as above). The first row that matches names it, so special ones lead.
FUNCTIONS: tuple[tuple[str, str], ...] = (
    ("legal", "legal | counsel | clo | attorney | lawyer | paralegal | compliance | privacy | data "
              "protection | recht* | jurist* | juridique | avocate? | jurídic[oa] | abogad[oa]"),
    ("security", "*security | ciso | cyber* | *sicherheit* | rssi | sécurité | seguridad"),
    ("procurement", "procurement | purchasing | sourcing | buyer | *eink(a|ä)uf* | achats? | "
                    "achet(eur|euse) | compras | compradora?"),
    ("hr", "hr | chro | human resources | people | talent | recruit* | drh | rh | ressources "
           "humaines | recursos humanos | rrhh | personal(leit|referent|wesen)*"),
    ("support", "support | customer (success|service|care|experience|operations) | client "
                "services? | help ?desk | service desk | kunden(dienst|service)* | soporte"),
    ("marketing", "marketing | cmo | brand | communications? | advertising | pr | public "
                  "relations | market research | seo | kommunikation* | mercadotecnia"),
    ("sales", "sales | cro | revenue | account (executive|manager|director) | business "
              "development | commercial* | vertrieb* | verkauf* | ventes | ventas | comercial | "
              "vendedora?"),
    ("finance", "financ* | cfo | controller | treasur* | account(ant|ing) | audit* | tax | "
                "payroll | billing | finanz* | buchhalt* | steuer* | daf | comptab* | contab* | "
                "contadora?"),
    ("product", "product(?! (engineer*|design*)) | produkt(?!ion)* | produits? | producto"),
    ("it", "it | cio | information (technology|systems?|officer) | infrastructure | network | data "
           "cent(er|re) | systems? administrator | edv | informati(k|que)* | informática | dsi | "
           "ti | sistemas | systèmes d information"),
    ("data", "data | cdo | analytics | business intelligence | bi | machine learning | ai | "
             "daten* | données | datos"),
    ("design", "*design* | ux | ui | creative | (art|film) director"),
    ("research", "research* | r , d | scientist | forschung* | recherche | investigación"),
    ("engineering", "engineer* | cto | technology | technical | software | develop(er|ment) | "
                    "architect* | devops | programmer | technik* | technique | *ingenieur* | "
                    "*entwickl* | ingénieure? | développ* | ingenier* | desarroll* | tecnología"),
    ("trading", "(?<!sole )trad(er|ing)"),
    ("operations", "operations | operating | coo | ops | logisti* | supply chain | production | "
                   "manufacturing | plant | facilities | quality | office manager | produktion* | "
                   "betrieb* | opérations | operaciones | logística | producción"),
)  # fmt: skip

_READ = 300  # characters of a title that are read; what is longer is pasted text
_CUT = 4 * _READ  # characters that are kept to find them: an accent may be a character of its own


def level_of(title: str) -> Level | None:
    """The decision level that a job title names, or None when it says nothing.

    The module says how ambiguous titles are read. Any text is taken; only its first 300
    characters are read, in bounded time.
    """
    return _level(title.strip()[:_CUT])


def function_of(title: str) -> str | None:
    """The function a job title names, one of FUNCTIONS, or None when it names none.

    An aide's function is that of the person aided (assistant to the CFO: finance). A CEO or an
    owner runs all functions and so has none.
    """
    return _function(title.strip()[:_CUT])


@lru_cache(maxsize=8192)
def _level(title: str) -> Level | None:
    text, found = _plain(title), set()
    for level, pattern in _LEVELS:
        text, times = pattern.subn("_", text)
        if times and level:
            found.add(level)
    return next((level for level in Level if level in found), None)


@lru_cache(maxsize=8192)
def _function(title: str) -> str | None:
    text = _plain(title)
    return next((function for function, pattern in _FUNCTIONS if pattern.search(text)), None)


def _bare(text: str) -> str:
    """`text` without accents, however they were composed."""
    letters = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _plain(title: str) -> str:
    """`title` as the tables read it: `Dir/GM` is `, director , general manager ,`.

    A comma stands for whatever joins titles and at both ends, a bar for | and ;.
    """
    text = re.sub("[’‘´`]", "'", unicodedata.normalize("NFC", title))
    text = " ".join(_bare(text).casefold().split())
    text = re.sub(r"\b(\w)\. ?(?=\w\b)", r"\1", text)  # c.t.o. -> cto.
    text = re.sub(r"'(?!s\b)|_", " ", text)
    text = re.sub(r"[;|]", " | ", text)
    text = re.sub(r"[,/&+@:()\[\]{}•·–—]| -|- |\b(?:and|und|et|y|at)\b", " , ", text)
    text = re.sub(r"[^\w',|]+", " ", text)
    text = re.sub(r"\w+", lambda word: SHORT.get(word[0], word[0]), text)
    return re.sub(r",(?: ,)+", ",", " ".join(f", {text[:_READ]} ,".split()))


_SIGNS = {
    "*": r"\w*", "^": r"(?<=[,|] )", "$": r"(?= [,|])", "ä": "ae?", "ö": "oe?", "ü": "ue?",
    "… ": r"(?:[^,|]* )?", " …": r"(?: [^,|]*)?", "< ": r"(?:[^|]* )?", " >": r"(?: [^|]*)?",
}  # fmt: skip


def _pattern(words: str) -> re.Pattern[str]:
    """The regular expression that a cell of words stands for."""
    choices = words.split(" | ")
    for sign, meaning in _SIGNS.items():
        choices = [choice.replace(sign, meaning) for choice in choices]
    return re.compile(rf"\b(?:{_bare('|'.join(choices))})\b")


_LEVELS = tuple((level, _pattern(words)) for level, words, _ in LEVELS)
_FUNCTIONS = tuple((function, _pattern(words)) for function, words in FUNCTIONS)
