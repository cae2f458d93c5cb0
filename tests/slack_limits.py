"""The limits that Slack documents for messages and views: what it would refuse, and why.

Written from the reference pages of Block Kit, not from our code or slack-sdk's, so that a test of
ours finds out before Slack does. Lengths are counted as UTF-16 does, the strictest way.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

BLOCKS = {"message": 50, "modal": 100, "home": 100}

KINDS = {
    "message": {"header", "section", "context", "divider", "actions"},
    "modal": {"header", "section", "context", "divider", "actions", "input"},
    "home": {"header", "section", "context", "divider", "actions", "input"},
}

WHOLE_MESSAGE = 9_000
"""Not documented. Slack answers msg_blocks_too_long from somewhere above 11,000 characters."""

DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def problems_of_message(text: str, blocks: list[Json]) -> list[str]:
    """Why Slack would refuse the message, or cut it short."""
    found = list(_text("text", text, 1, 4_000))
    found += _blocks(blocks, "message")
    if (whole := sum(size(each) for each in texts_of(blocks))) > WHOLE_MESSAGE:
        found.append(f"all texts together: {whole}")
    return found


def problems_of_view(view: Json) -> list[str]:
    """Why Slack would refuse the modal or home tab."""
    kind = view["type"]
    found = list(_blocks(view["blocks"], kind))
    if kind == "home":
        return found + [f"home has {key}" for key in ("title", "submit", "close") if view.get(key)]
    for key in ("title", "submit", "close"):
        if key in view:
            found += _object(f"view.{key}", view[key], 24, plain=True)
    if "title" not in view:
        found.append("a modal needs a title")
    has_input = any(block["type"] == "input" for block in view["blocks"])
    if has_input and "submit" not in view:
        found.append("a modal with inputs needs submit")
    found += _text("private_metadata", view.get("private_metadata", ""), 0, 3_000)
    return found + list(_text("callback_id", view.get("callback_id", "x"), 1, 255))


def texts_of(value: Any) -> Iterator[str]:
    """Every text of a message or view that people read, from top to bottom."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "text" and isinstance(inner, str):
                yield inner
            else:
                yield from texts_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_of(inner)


def size(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _blocks(blocks: list[Json], surface: str) -> Iterator[str]:
    if not 1 <= len(blocks) <= BLOCKS[surface]:
        yield f"{len(blocks)} blocks in a {surface}"
    ids = Counter(block["block_id"] for block in blocks if "block_id" in block)
    yield from (f"block_id {name!r} is there {n} times" for name, n in ids.items() if n > 1)
    for number, block in enumerate(blocks):
        where = f"block {number} ({block['type']})"
        if block["type"] not in KINDS[surface]:
            yield f"{where}: not in a {surface}"
        yield from _text(f"{where}.block_id", block.get("block_id", "x"), 1, 255)
        yield from _block(where, block)


def _block(where: str, block: Json) -> Iterator[str]:
    match block["type"]:
        case "header":
            yield from _object(where, block["text"], 150, plain=True)
        case "section":
            yield from _object(where, block["text"], 3_000)
            if "accessory" in block:
                yield from _element(f"{where}.accessory", block["accessory"])
        case "context":
            if not 1 <= len(block["elements"]) <= 10:
                yield f"{where}: {len(block['elements'])} elements"
            for element in block["elements"]:
                yield from _object(where, element, 3_000)
        case "actions":
            elements = block["elements"]
            if not 1 <= len(elements) <= 25:
                yield f"{where}: {len(elements)} elements"
            if len({element["action_id"] for element in elements}) < len(elements):
                yield f"{where}: two elements share an action_id"
            for element in elements:
                yield from _element(where, element)
        case "input":
            yield from _object(f"{where}.label", block["label"], 2_000, plain=True)
            if "hint" in block:
                yield from _object(f"{where}.hint", block["hint"], 2_000, plain=True)
            yield from _element(where, block["element"])


def _element(where: str, element: Json) -> Iterator[str]:
    kind = element["type"]
    where = f"{where}.{kind}"
    yield from _text(f"{where}.action_id", element.get("action_id", ""), 1, 255)
    if "placeholder" in element:
        yield from _object(f"{where}.placeholder", element["placeholder"], 150, plain=True)
    options = element.get("options", [])
    match kind:
        case "button":
            yield from _object(where, element["text"], 75, plain=True)
            yield from _text(f"{where}.value", element["value"], 1, 2_000)
            if element.get("style", "primary") not in ("primary", "danger"):
                yield f"{where}: no such style"
        case "overflow":
            yield from _count(where, options, 1, 5)
        case "radio_buttons" | "checkboxes":
            yield from _count(where, options, 1, 10)
        case "static_select":
            yield from _count(where, options, 1, 100)
        case "external_select":
            if options or element.get("min_query_length", -1) < 0:
                yield f"{where}: its options are asked for, from so many characters on"
        case "datepicker":
            if "initial_date" in element and not DATE.fullmatch(element["initial_date"]):
                yield f"{where}: {element['initial_date']} is no date"
        case "plain_text_input":
            if not 1 <= element.get("max_length", 1) <= 3_000:
                yield f"{where}: max_length {element['max_length']}"
        case _:
            yield f"{where}: an element that these tests do not know"
    yield from problems_of_options(where, options)
    if "initial_option" in element and element["initial_option"] not in options:
        yield f"{where}: initial_option is none of the options"


def problems_of_options(where: str, options: list[Json]) -> Iterator[str]:
    """What Slack would say against the options of a menu."""
    for option in options:
        yield from _object(f"{where}.option", option["text"], 75, plain=True)
        yield from _text(f"{where}.option.value", option["value"], 1, 150)
        if "description" in option:
            yield from _object(f"{where}.description", option["description"], 75, plain=True)
    values = [option["value"] for option in options]
    if len(set(values)) < len(values):
        yield f"{where}: two options have one value"


def _count(where: str, options: list[Json], least: int, most: int) -> Iterator[str]:
    if not least <= len(options) <= most:
        yield f"{where}: {len(options)} options"


def _object(where: str, text: Json, most: int, *, plain: bool = False) -> Iterator[str]:
    if plain and text["type"] != "plain_text":
        yield f"{where}: must be plain_text"
    if text["type"] == "plain_text" and "verbatim" in text:
        yield f"{where}: verbatim is for mrkdwn"
    if text["type"] == "mrkdwn" and "emoji" in text:
        yield f"{where}: emoji is for plain_text"
    yield from _text(where, text["text"], 1, most)


def _text(where: str, text: str, least: int, most: int) -> Iterator[str]:
    if not least <= size(text) <= most:
        yield f"{where}: {size(text)} characters, {least} to {most} allowed"
    if least and not text.strip():
        yield f"{where}: blank"
