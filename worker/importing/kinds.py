"""What a file is, by its columns: which of the mappings is for it, and why."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from worker.core.mapping import Import
from worker.importing.records import Unreadable

_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Chosen:
    """A mapping for a file, with the reason in words."""

    mapping: Import
    why: str


def choose(
    columns: Mapping[str, str], imports: Mapping[str, Import], name: str | None = None
) -> Chosen:
    """The mapping named, else the one whose columns the file has.

    `columns` are the names as written by plain name. Of two mappings, one that asks for all that
    the other one does and more goes first. Raises Unreadable.
    """
    if name is not None:
        if name not in imports:
            raise Unreadable(f"there is no mapping {name!r}: there are {', '.join(imports)}")
        return _with_events(Chosen(imports[name], "you said so"), columns)
    fitting = {
        one: wanted
        for one, mapping in imports.items()
        if (wanted := _most(wanted for wanted in mapping.columns if columns.keys() >= set(wanted)))
    }
    best = [
        one
        for one, wanted in fitting.items()
        if not any(set(wanted) < set(other) for other in fitting.values())
    ]
    if not best:
        raise Unreadable(_unknown(columns, imports))
    if len(best) > 1:
        raise Unreadable(f"may be {' or '.join(best)}: say which with --as")
    has = ", ".join(columns[one] for one in fitting[best[0]])
    return _with_events(Chosen(imports[best[0]], f"it has the columns {has}"), columns)


def absent(columns: Mapping[str, str], mapping: Import) -> list[str]:
    """What the mapping looks for in columns of which the file has none, in words."""
    missing: list[str] = []
    for value in mapping.values:
        names = [pick.column for pick in value if pick.column is not None]
        if len(names) == len(value) and not columns.keys() & set(names):
            missing += names
    return [_with_near(name, columns) for name in dict.fromkeys(missing)]


def _with_near(name: str, columns: Mapping[str, str]) -> str:
    near = get_close_matches(name, columns, n=1)
    return f"{name} (do you mean {columns[near[0]]}?)" if near else name


def _most(sets: Iterable[Collection[str]]) -> Collection[str]:
    return max(sets, key=len, default=())


def _with_events(chosen: Chosen, columns: Mapping[str, str]) -> Chosen:
    """See that something can come out of the file at all."""
    mapping = chosen.mapping
    if not mapping.read & columns.keys():
        names = ", ".join(list(columns.values())[:_SHOWN])
        raise Unreadable(f"has none of the columns that {mapping.name} reads; it has {names}")
    for shape in mapping.events:
        whose = (*shape.subject, *shape.member)
        wanted = {pick.column for pick in whose}
        if whose and None not in wanted and not wanted & columns.keys():
            raise Unreadable(
                f"would be {mapping.name}, but no column says which account a row is of: export it "
                "with the companies and contacts that it is associated with"
            )
    return chosen


def _unknown(columns: Mapping[str, str], imports: Mapping[str, Import]) -> str:
    names = list(columns.values())
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (
        f"is of no kind that is known by its columns ({', '.join(names[:_SHOWN])}{more}). Its "
        "first line must name the columns. If it does, say with --as what it is, or map them with "
        f"--mapping; there are {', '.join(imports)}"
    )
