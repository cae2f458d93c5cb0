"""What is wrong in a rule file, where, and what was probably meant."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

_CLOSE = 0.6
_LONGEST_WORD = 60
# Looking for what was meant takes longer than finding the mistake: a file that is wrong throughout
# must not keep anyone waiting.
_MOST_SUGGESTIONS = 100


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands: line and column count from 1, in characters."""

    file: str
    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake, at the key or value that has it; or a `warning`, which stops nothing."""

    file: str
    line: int
    column: int
    message: str
    warning: bool = False

    def __str__(self) -> str:
        """As editors and build logs link it: `rules/relationship.yaml:14:7: what is wrong`."""
        warning = "warning: " if self.warning else ""
        return f"{self.file}:{self.line}:{self.column}: {warning}{self.message}"


class RuleFilesRefused(Exception):
    """Rule files that cannot be used; `problems` says why."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """With at least one problem, in order of file, line and column."""
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


class Findings:
    """The problems found so far, and the warnings."""

    def __init__(self) -> None:
        """None yet."""
        self._problems: set[Problem] = set()
        self._warnings: set[Problem] = set()
        self._suggestions = 0

    def __len__(self) -> int:
        """How many problems there are; warnings do not count."""
        return len(self._problems)

    def add(self, at: Place, message: str) -> None:
        """Note a problem; the same one twice counts once."""
        self._problems.add(Problem(at.file, at.line, at.column, message))

    def warn(self, at: Place, message: str) -> None:
        """Note what is no problem, but probably not meant."""
        self._warnings.add(Problem(at.file, at.line, at.column, message, warning=True))

    def unknown(
        self, at: Place, kind: str, word: str, known: Collection[str], otherwise: str = ""
    ) -> None:
        """Note a word that is none of the known ones, with the nearest of them.

        `otherwise` follows where none is near.
        """
        nearest = self.nearest(word, known)
        hint = f"; did you mean {quoted(nearest)}?" if nearest else otherwise
        self.add(at, f"unknown {kind} {quoted(word)}{hint}")

    def nearest(self, word: str, known: Collection[str], cutoff: float = _CLOSE) -> str | None:
        """The known word that looks most like this one, if any does."""
        self._suggestions += 1
        if self._suggestions > _MOST_SUGGESTIONS or len(word) > _LONGEST_WORD:
            return None
        near = get_close_matches(word, known, n=1, cutoff=cutoff)
        return near[0] if near else None

    def move(self, files: Collection[str], to: Place, what: str) -> None:
        """Tell the problems of these files at the place that brought them about, as `what`."""
        for problem in [each for each in self._problems if each.file in files]:
            self._problems.remove(problem)
            where = f"{Path(problem.file).name}:{problem.line}"
            self.add(to, f"{what} {where} goes wrong: {problem.message}")

    def require_none(self) -> None:
        """See to it that there is no problem.

        Raises:
            RuleFilesRefused: there is; with all of them.
        """
        if self:
            raise RuleFilesRefused(self.sorted())

    def sorted(self) -> list[Problem]:
        """The problems, by file, line and column."""
        return sorted(self._problems)

    def with_warnings(self) -> list[Problem]:
        """The problems and the warnings, by file, line and column."""
        return sorted(self._problems | self._warnings)


def quoted(text: str) -> str:
    """The text in quotes and on one line, cut short where nobody would read on."""
    text = " ".join(text.split())
    return f"'{text}'" if len(text) <= _LONGEST_WORD else f"'{text[:_LONGEST_WORD]}...'"
