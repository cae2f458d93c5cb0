"""Every kind of message and window as text, one file each, to read through when one changes.

`python -m tests.slack.snapshots` writes them anew; git then shows what people will see otherwise.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from slack_sdk.models.views import View

from tests.slack import samples
from worker.slack.blocks import Message

FOLDER = Path(__file__).parent / "snapshots"

Json = dict[str, Any]


def all_of_them() -> dict[str, str]:
    """The text of each sample, by the name of its file."""
    shown: list[tuple[str, Message | View]] = [
        *samples.messages().items(),
        *samples.windows().items(),
    ]
    return {f"{name.replace(',', '').replace(' ', '-')}.txt": text(what) for name, what in shown}


def text(what: Message | View) -> str:
    if isinstance(what, Message):
        lines = [f"notification: {what.text}", "", *_blocks(b.to_dict() for b in what.blocks)]
    else:
        view = what.to_dict()
        title = view.get("title", {}).get("text", "App Home")
        lines = [f"window: {title} ({view.get('callback_id', 'nothing to submit')})", ""]
        lines += _blocks(view["blocks"])
        lines += [f"[{view[key]['text']}]" for key in ("close", "submit") if key in view]
    return "\n".join(lines).rstrip() + "\n"


def _blocks(blocks: Iterable[Json]) -> Iterator[str]:
    for block in blocks:
        match block["type"]:
            case "header":
                yield f"# {block['text']['text']}"
            case "section":
                yield block["text"]["text"]
                yield from map(_element, [block["accessory"]] if "accessory" in block else [])
            case "context":
                yield f"~ {' '.join(each['text'] for each in block['elements'])}"
            case "actions":
                yield " ".join(_element(each) for each in block["elements"])
            case "input":
                optional = " (optional)" if block.get("optional") else ""
                yield f"{block['label']['text']}{optional}: {_element(block['element'])}"
                yield from [f"~ {block['hint']['text']}"] if "hint" in block else []
            case _:
                yield "---"
        yield ""


def _element(element: Json) -> str:
    if element["type"] == "button":
        strong = "!" if element.get("style") else ""
        return f"[{element['text']['text']}{strong} {element['value']}]"
    options = [
        f"{o['text']['text']} = {o['value']}"
        + (f" ({o['description']['text']})" if "description" in o else "")
        + ("*" if o == element.get("initial_option") else "")
        for o in element.get("options", [])
    ]
    return f"<{element['type']}: {'; '.join(options)}>"


def write() -> None:
    FOLDER.mkdir(exist_ok=True)
    for file in FOLDER.glob("*.txt"):
        file.unlink()
    for name, said in all_of_them().items():
        (FOLDER / name).write_text(said, encoding="utf-8")


if __name__ == "__main__":
    write()
