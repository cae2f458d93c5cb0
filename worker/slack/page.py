"""A page that looks like Slack, of messages and windows that nobody has sent.

It is one file that loads nothing and runs no script, for pictures and for admins without a
workspace. It knows the kinds of block that tiewatch makes.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import Any

from slack_sdk.models.views import View

from worker.slack.blocks import Message

Json = dict[str, Any]

# What is left of markup in our texts: all else was escaped when they were made.
_LINK = re.compile(r'<(https?://[^|<>"]+)\|([^<>]+)>')
_BOLD = re.compile(r"\*([^*\n]+)\*")

_INPUTS = {"radio_buttons": "◯", "checkboxes": "☐"}


@dataclass(frozen=True, slots=True)
class Shown:
    """Something to see on the page, and a line about what it is."""

    caption: str
    what: Message | View

    def payload(self) -> Json:
        """What Slack would be given, as Block Kit Builder takes it too."""
        if isinstance(self.what, Message):
            blocks = [block.to_dict() for block in self.what.blocks]
            return {"caption": self.caption, "text": self.what.text, "blocks": blocks}
        return {"caption": self.caption, "view": self.what.to_dict()}


def page(title: str, about: str, shown: Sequence[Shown]) -> str:
    """The page as HTML, with everything under its caption."""
    style = files("worker.slack").joinpath("page.css").read_text("utf-8")
    parts = [f"<h2>{escape(each.caption)}</h2>{_shown(each.what)}" for each in shown]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>\n{style}</style></head>\n<body><main>"
        f'<h1>{escape(title)}</h1><p class="about">{escape(about)}</p>\n'
        + "\n".join(parts)
        + "\n</main></body></html>\n"
    )


def _shown(what: Message | View) -> str:
    if isinstance(what, Message):
        return _message(what)
    return _window(what.to_dict())


def _message(message: Message) -> str:
    blocks = _blocks(block.to_dict() for block in message.blocks)
    return (
        f'<div class="notification"><div class="avatar">t</div>'
        f"<div><b>tiewatch</b><span>{_marked(message.text)}</span></div></div>"
        f'<div class="message"><div class="avatar">t</div><div class="body">'
        f'<span class="sender">tiewatch</span><span class="app">APP</span>'
        f'<span class="time">9:00</span>{blocks}</div></div>'
    )


def _window(view: Json) -> str:
    blocks = f'<div class="blocks">{_blocks(view["blocks"])}</div>'
    if view["type"] == "home":
        tabs = '<div class="tabs"><b>Home</b><span>Messages</span><span>About</span></div>'
        return f'<div class="window">{tabs}{blocks}</div>'
    close = f'<span class="button">{_marked(view["close"]["text"])}</span>'
    submit = view.get("submit")
    send = f'<span class="button primary">{_marked(submit["text"])}</span>' if submit else ""
    title = f'<div class="title"><span>{_marked(view["title"]["text"])}</span><span>✕</span></div>'
    return f'<div class="window">{title}{blocks}<div class="foot">{close}{send}</div></div>'


def _blocks(blocks: Iterable[Json]) -> str:
    return "".join(_block(block) for block in blocks)


def _block(block: Json) -> str:
    match block["type"]:
        case "header":
            return f'<div class="header">{_marked(block["text"]["text"])}</div>'
        case "section":
            beside = _element(block["accessory"]) if "accessory" in block else ""
            return f'<div class="section"><div>{_marked(block["text"]["text"])}</div>{beside}</div>'
        case "context":
            texts = " ".join(_marked(each["text"]) for each in block["elements"])
            return f'<div class="context">{texts}</div>'
        case "actions":
            elements = "".join(_element(each) for each in block["elements"])
            return f'<div class="actions">{elements}</div>'
        case "input":
            return _input(block)
        case _:
            return "<hr>"


def _input(block: Json) -> str:
    optional = ' <span class="optional">(optional)</span>' if block.get("optional") else ""
    hint = f'<span class="hint">{_marked(block["hint"]["text"])}</span>' if "hint" in block else ""
    label = f"<b>{_marked(block['label']['text'])}{optional}</b>"
    return f'<div class="input">{label}{_element(block["element"])}{hint}</div>'


def _element(element: Json) -> str:
    match element["type"]:
        case "button":
            primary = " primary" if element.get("style") == "primary" else ""
            return f'<span class="button{primary}">{_marked(element["text"]["text"])}</span>'
        case "overflow":
            return f"<details><summary>⋯</summary><ul>{''.join(_entries(element))}</ul></details>"
        case "radio_buttons" | "checkboxes":
            return "".join(_choices(element))
        case "plain_text_input":
            return '<span class="field tall"></span>'
        case _:
            return f'<span class="field">{_marked(element["placeholder"]["text"])} ▾</span>'


def _entries(menu: Json) -> Iterator[str]:
    for option in menu["options"]:
        yield f"<li>{_marked(option['text']['text'])}</li>"


def _choices(element: Json) -> Iterator[str]:
    for option in element["options"]:
        chosen = option == element.get("initial_option")
        sign = "◉" if chosen else _INPUTS[element["type"]]
        more = option.get("description")
        under = f'<span class="more">{_marked(more["text"])}</span>' if more else ""
        label = f'<span class="sign">{sign}</span>{_marked(option["text"]["text"])}'
        yield f'<span class="choice">{label}{under}</span>'


def _marked(text: str) -> str:
    """Our texts as HTML: `&`, `<` and `>` are escaped in both in the same way, and links hold no
    quotes."""
    linked = _LINK.sub(r'<a href="\1">\2</a>', text)
    return _BOLD.sub(r"<b>\1</b>", linked).replace("\n", "<br>")
