"""Rule files: YAML that admins edit, to rules and settings or to problems with their place.

docs/rules.md is what admins read. A file goes through `files` (which ones, their bytes), `nodes`
(YAML with places), then `thresholds`, `shared` (conditions with a name), `rules` and `overrides`,
down to `conditions`, `comparisons`, `operands` and `quantities`; `check` puts it together.
`schema`, made of `schemas`, tells editors what such a file looks like.
"""

from worker.rulefiles.capture import load_capture
from worker.rulefiles.check import check, load
from worker.rulefiles.health import load_health
from worker.rulefiles.metrics import load_metrics
from worker.rulefiles.problems import Problem, RuleFilesRefused
from worker.rulefiles.schema import schema
from worker.rulefiles.sources import load_sources
from worker.rulefiles.telling import load_telling
from worker.rulefiles.ties import load_ties
from worker.rulefiles.webhooks import load_webhooks

__all__ = [
    "Problem",
    "RuleFilesRefused",
    "check",
    "load",
    "load_capture",
    "load_health",
    "load_metrics",
    "load_sources",
    "load_telling",
    "load_ties",
    "load_webhooks",
    "schema",
]
