"""The worst rule files of the allowed size: answered within 2 seconds and 200 MB."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from worker.rulefiles.files import MOST_BYTES

CHECKS = """
import json, re, sys, time
from datetime import date
from pathlib import Path
from worker.rulefiles import check

began = time.process_time()
problems, rules = check([Path(sys.argv[1])], date(2026, 1, 1))
took = time.process_time() - began
peak = int(re.search("VmHWM: *\\t* *([0-9]+) kB", Path("/proc/self/status").read_text())[1]) / 1024
print(json.dumps([took, peak, len(problems), rules is not None]))
"""

RULE = "  - {{id: r{0}, title: T, severity: low, when: {{known_users: at least {0}}}}}\n"


def filled(piece: str, begin: str = "", end: str = "") -> str:
    """As many of the pieces as a file may hold; {0} in one is its number."""
    pieces, room, number = [], MOST_BYTES - len((begin + end).encode()), 0
    while True:
        text = piece.format(number) if "{0}" in piece else piece
        room -= len(text.encode())
        if room < 0:
            return begin + "".join(pieces) + end
        pieces.append(text)
        number += 1


def below(most: int, piece: str, begin: str = "", end: str = "") -> str:
    """So many of the pieces; {0} in one is its number."""
    return begin + "".join(piece.format(number) for number in range(most)) + end


WORST = {
    "rules": filled(RULE, "rules:\n"),
    "the same rule": filled(RULE.replace("{0}", "0").format(), "rules:\n"),
    "unknown facts": filled(RULE.replace("known_users", "knwn_users"), "rules:\n"),
    "unknown keys": filled("k{0}: 1\n"),
    "nested lists": filled("["),
    "nested tables": "rules:\n" + "".join(" " * n + "- a:\n" for n in range(1, 1_000)),
    "dashes": filled("- "),
    "commas": filled("[],", "rules: [", "]"),
    "empty items": filled("-\n", "rules:\n"),
    "colons": filled(":"),
    "quotes": filled('"'),
    "anchors": filled("&a{0} "),
    "aliases": filled("- *a\n", "rules:\n- &a {id: x}\n"),
    "tabs": filled("\t"),
    "one word": filled("a"),
    "thresholds": filled("  t{0}: {{default: 5}}\n", "thresholds:\n"),
    "conditions": filled("  c{0}: {{known_users: at least {0}}}\n", "conditions:\n"),
    "a chain of conditions": filled("  c{0}: [c{0}x]\n", "conditions:\n"),
    "one long condition": filled("{{known_users: at least {0}}}, ", RULE.format(0).replace(
        "{known_users: at least 0}}", "[")[:-1], "]}\n"),
    "rules that can be read": below(700, RULE, "rules:\n"),
    "unknown facts that can be read": below(700, RULE.replace("known", "knwn"), "rules:\n"),
    "conditions of conditions": below(
        2_000, "  c{0}: [x{0}, x{0}]\n", "conditions:\n", "rules:\n" + RULE.format(0)
    ),
    "a circle of conditions": below(
        90, "  c{0}: [" + ", ".join(f"c{n}" for n in range(90)) + "]\n", "conditions:\n"
    ),
    "alternatives that never hold": below(
        300,
        "      - any: [{{known_users: at least {0}}}, {{usage_30d: under {0}}}]\n",
        "rules:\n  - id: a\n    title: T\n    severity: low\n    when:\n",
    ),
    "segments": below(
        900,
        "s{0}: 5, ",
        "rules:\n" + RULE.format(0).replace("at least 0", "at least t") + "thresholds: {t: {",
        "default: 1}}\n",
    ),
    "placeholders": filled("{{x}}", "rules:\n  - {id: a, severity: low, title: '", "'}\n"),
}  # fmt: skip


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak from /proc")
@pytest.mark.parametrize("name", WORST)
def test_the_worst_files_are_answered_in_two_seconds_and_200_mb(tmp_path: Path, name: str) -> None:
    file = tmp_path / "worst.yaml"
    file.write_text(WORST[name], encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", CHECKS, str(file)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    took, peak, problems, found = json.loads(done.stdout)
    assert problems or found
    assert took < 2
    assert peak < 200, peak
