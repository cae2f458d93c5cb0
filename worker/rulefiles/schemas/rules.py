"""The keys of a rule."""

from worker.core.rules import LONGEST_LINK, Kind, Severity
from worker.rulefiles.rules import LONGEST_TITLE
from worker.rulefiles.schemas.shared import CONDITION, DAYS, WORD, Schema
from worker.rulefiles.values import LONGEST_HOLD, MODES, OFF

RULE_KEYS: dict[str, Schema] = {
    "id": {
        **WORD,
        "description": "Its name for good, unique among all files: letters, digits, '-', '_', '.'.",
    },
    "title": {
        **WORD,
        "maxLength": LONGEST_TITLE,
        "description": "The first line of the alert. {fact} and {threshold} are filled in.",
    },
    "severity": {"enum": list(Severity), "description": "How much it matters."},
    "when": {**CONDITION, "description": "What must hold: all that stands here."},
    "advice": {**WORD, "description": "What the rep should do about it."},
    "playbook": {
        "type": "string",
        "pattern": r"^\s*https?://",
        "maxLength": LONGEST_LINK,
        "description": "A link to the page that says how.",
    },
    "hold_for": {
        **DAYS,
        "description": f"Days that it must hold before the flag opens, at most {LONGEST_HOLD}.",
    },
    "keep_open_for": {
        **DAYS,
        "description": "Days that it must not hold before the flag resolves, "
        f"at most {LONGEST_HOLD}.",
    },
    "except_when": {**CONDITION, "description": "Takes the account out while it holds."},
    "tags": {
        "type": ["string", "number", "array"],
        "items": WORD,
        "description": "Words of your own to group rules by.",
    },
    "kind": {
        "enum": list(Kind),
        "description": "risk: the customer may go (the default). growth: it may buy more; its "
        "flags put nobody at risk.",
    },
    "mode": {
        "enum": list(MODES),
        "description": "live if not given; shadow evaluates and keeps flags that nobody is alerted "
        f"about; {OFF} does nothing.",
    },
    "notify": {
        "type": ["string", "array"],
        "items": {"type": "string"},
        "examples": ["owner", "owner's manager", "rep sam"],
        "description": "owner, owner's manager, a quoted #channel, a rep's id after 'rep ', "
        "or a list of them.",
    },
    "remind_every": {**DAYS, "description": f"1 to {LONGEST_HOLD} days."},
    "override": {
        "type": "boolean",
        "description": "true in a rule that takes the place of the other with its id.",
    },
}
