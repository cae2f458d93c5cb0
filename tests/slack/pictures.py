"""The pictures in docs/pictures: previews of the samples, as a headless Chromium shows them.

`python -m tests.slack.pictures` draws them anew; `CHROMIUM` names the browser if it is not
`chromium`. They are made of the messages themselves, so they show what people get.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from slack_sdk.models.views import View

from tests.slack import samples
from worker.slack.blocks import Message
from worker.slack.page import Shown, page

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"

QUIET = (
    "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

WIDE, PHONE = 720, 390

# Only the messages: the page's title and captions are for readers of a preview.
# A browser's window is never as narrow as a phone, so the page is told its width.
STYLE = "<style>h1, h2, p.about {{ display: none }} body {{ padding: 12px; width: {}px }}</style>"
MEASURE = "<script>document.title = document.documentElement.scrollHeight</script>"


def pictures() -> dict[str, tuple[int, Sequence[Message | View]]]:
    """What each picture shows, and how wide it is, in pixels."""
    messages, windows = samples.messages(), samples.windows()
    return {
        "alert": (WIDE, [messages["card"]]),
        "phone": (PHONE, [messages["card"]]),
        "resolved": (WIDE, [messages["card resolved"]]),
        "acknowledged": (WIDE, [messages["card acknowledged"]]),
        "digest": (WIDE, [messages["digest"]]),
        "weekly": (WIDE, [messages["weekly"]]),
        "account": (WIDE, [messages["account"]]),
        "why": (WIDE, [windows["why"]]),
        "snooze": (WIDE, [windows["snooze"]]),
        "not-a-risk": (WIDE, [windows["not a risk"]]),
        "home": (WIDE, [windows["home"]]),
    }


def draw(browser: str) -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        # As root, which containers often are, Chromium has no sandbox to offer.
        as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
        start = [browser, *QUIET, *as_root, f"--user-data-dir={folder}/profile"]
        for name, (width, shown) in pictures().items():
            html = page(name, "", [Shown("", each) for each in shown])
            file = Path(folder) / f"{name}.html"
            file.write_text(
                html.replace("</head>", f"{STYLE.format(width)}</head>") + MEASURE, encoding="utf-8"
            )
            height = _height(start, file, width)
            to = FOLDER / f"{name}.png"
            size = f"--window-size={width},{height}"
            _run([*start, size, f"--screenshot={to}", file.as_uri()])
            print(f"{to.name}: {width} x {height}, {to.stat().st_size:,} bytes")


def _height(start: Sequence[str], file: Path, width: int) -> int:
    shown = _run([*start, f"--window-size={width},100", "--dump-dom", file.as_uri()])
    found = re.search(r"<title>(\d+)</title>", shown)
    assert found is not None, f"{file.name} was not measured"
    return int(found[1])


def _run(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


if __name__ == "__main__":
    chromium = shutil.which(os.environ.get("CHROMIUM", "chromium"))
    sys.exit("There is no chromium: name one in CHROMIUM.") if chromium is None else draw(chromium)
