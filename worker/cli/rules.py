"""`tiewatch rules`: whether the rule files are right and do what they should, and why."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from xml.etree import ElementTree

import typer
from rich.text import Text

from worker.cli import backtests
from worker.cli.access import a_date, database
from worker.cli.explanations import document, show
from worker.cli.looking import ON
from worker.cli.terminal import NOT_HELD, AsJson, Refused, out, print_json, say, table
from worker.core.rules import Mode, RuleSet
from worker.core.shadows import Volume, volumes
from worker.core.verdicts import Verdict, verdict
from worker.explaining.explain import NotExplained, explain
from worker.rulebooks import ruletests
from worker.rulebooks.rulebook import read_rulebook
from worker.rulebooks.ruletests import Result
from worker.rulefiles import Problem, RuleFilesRefused, check, load, load_metrics, schema
from worker.rulefiles.included import SHIPPED
from worker.running import runtime
from worker.shipped import rules_dir
from worker.store import answers, flag_lists
from worker.store.database import reading

app = typer.Typer(no_args_is_help=True, help="The rule files.")
app.command("backtest")(backtests.backtest)
app.command("diff")(backtests.diff)

TESTS = "tests"
"""The folder of the rules directory that holds their tests."""


@app.command("check")
def run_check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Rule files or folders; none named means the rules in force."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Let warnings fail the check, as problems do.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check rule files, and show every problem with its file, line and column."""
    _require(paths or ())
    problems, found = check(paths or [runtime.rules_path()], runtime.clock().date())
    if as_json:
        _print_problems_json(problems)
    else:
        for problem in problems:
            print(problem)
        if found is not None:
            number = "1 rule" if len(found.rules) == 1 else f"{len(found.rules)} rules"
            print(f"{number}, {_counted_warnings(problems)}.")
            if not paths:
                _say_if_none_ships(found)
    if found is None or (strict and problems):
        raise typer.Exit(NOT_HELD)


def _say_if_none_ships(found: RuleSet) -> None:
    """Tell whoever has begun a rules directory that it takes the place of the rules that ship."""
    in_force = {rule.id for rule in found.rules} | found.off
    if in_force.isdisjoint(rule.id for rule in load(rules_dir()).rules):
        say(f"None of them comes with tiewatch: a file with 'include: {SHIPPED}' brings those too.")


def _counted_warnings(warnings: Sequence[Problem]) -> str:
    if not warnings:
        return "no problem"
    return "no problem, " + ("1 warning" if len(warnings) == 1 else f"{len(warnings)} warnings")


@app.command("schema")
def run_schema() -> None:
    """Print the JSON Schema of rule files, with which editors complete and check them.

    It knows the facts of metrics.yaml in the rules directory: print it anew when they change.
    """
    root = runtime.rules_path()
    try:
        rules = load(root)
    except RuleFilesRefused:  # 'rules check' tells of what is wrong in rules
        rules = None
    print_json(schema(load_metrics(root, rules).facts))


@app.command("test")
def run_tests(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Test files or folders; none named means all in rules/tests."),
    ] = None,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Also name the rules that no test expects.")
    ] = False,
    junit: Annotated[
        Path | None, typer.Option(help="Write the results to this file, as JUnit XML.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the tests of the rules: timelines of events, and the flags that should then be open."""
    _require(paths or ())
    book = read_rulebook(runtime.rules_path())
    folder = runtime.rules_path() / TESTS
    if not paths and not folder.is_dir():
        raise Refused(
            f"{folder}: there is no such folder. docs/testing.md says how to write a test."
        )
    tests, problems = ruletests.read(paths or [folder], book.rules, book.sources)
    results = [ruletests.run(test, book) for test in tests]
    failures = [failure for result in results for failure in result.failures]
    if junit is not None:
        _write_junit(junit, results, problems)
    if as_json:
        _print_problems_json([*problems, *failures])
    else:
        for problem in (*problems, *failures):
            print(problem)
        failed = sum(1 for result in results if result.failures)
        number = "1 test" if len(results) == 1 else f"{len(results)} tests"
        unread = " Those with a problem were not run." if problems else ""
        print(f"{number}: {len(results) - failed} passed, {failed} failed.{unread}")
    if coverage:
        for id_ in ruletests.uncovered(tests, book.rules):
            say(f"No test expects {id_} to be open.")
    if problems or failures:
        raise typer.Exit(NOT_HELD)


@app.command("explain")
def run_explain(
    account: Annotated[str, typer.Argument(help="The account's id.")],
    rule: Annotated[
        str | None, typer.Option(help="Only this rule, by its id; none named means all.")
    ] = None,
    on: ON = None,
    as_json: AsJson = False,
) -> None:
    """Say why each rule is or is not open on an account, and what would change that."""
    day, book = a_date(on), runtime.rulebook()
    try:
        found = explain(database(), account, book, day, runtime.clock(), rule, withhold=on is None)
    except NotExplained as error:
        raise Refused(str(error)) from error
    if as_json:
        print_json([document(one) for one in found])
    else:
        show(found)


@app.command("report")
def run_report(
    days: Annotated[int, typer.Option(min=1, max=3_660, help="How far to look back.")] = 90,
    as_json: AsJson = False,
) -> None:
    """Show what each rule raised, in shadow or live, what reps made of it, and how often they found
    it right."""
    since = runtime.clock().date() - timedelta(days)
    rules = [(one.mode is Mode.SHADOW, one.id) for one in runtime.rulebook().rules.rules]
    with reading(database()) as db:
        found = volumes(flag_lists.raised(db, since), rules)
        moved = flag_lists.answers(db, since)
        tallies, unanswered = answers.tallies(db, since), answers.unanswered(db, since)
    verdicts = {
        one.rule: verdict(tallies.get(one.rule, ()), unanswered.get(one.rule, 0))
        for one in found
        if not one.shadow
    }
    if as_json:
        print_json([_volume_json(one, moved, verdicts.get(one.rule)) for one in found])
        return
    columns = (
        "rule",
        "mode",
        "flags",
        "accounts",
        "up",
        "alone",
        "beside live",
        *flag_lists.ANSWERS,
    )
    shape = table(*columns, "because", "resolved unanswered", "right")
    for one in found:
        beside = ", ".join(f"{rule} {number:,}" for rule, number in one.beside)
        said = moved.get((one.rule, one.shadow), {})
        judged = None if one.shadow else verdicts[one.rule]
        numbers = (one.flags, one.accounts, one.up, one.alone)
        mode = Mode.SHADOW if one.shadow else Mode.LIVE
        shape.add_row(
            Text(one.rule),
            mode,
            *(f"{number:,}" for number in numbers),
            Text(beside),
            *(f"{said.get(state, 0):,}" for state in flag_lists.ANSWERS),
            *_judged(judged),
        )
    out.print(shape)


def _judged(of: Verdict | None) -> tuple[str, str, str]:
    if of is None:
        return "", "", ""
    because = ", ".join(f"{why.replace('_', ' ')} {n:,}" for why, n in of.dismissed.items())
    return because, f"{of.unanswered:,}", "" if of.precision is None else f"{of.precision:g}%"


def _volume_json(
    one: Volume, moved: Mapping[tuple[str, bool], Mapping[str, int]], judged: Verdict | None
) -> dict[str, Any]:
    said = moved.get((one.rule, one.shadow), {})
    return {
        "rule": one.rule,
        "mode": Mode.SHADOW if one.shadow else Mode.LIVE,
        "flags": one.flags,
        "accounts": one.accounts,
        "open": one.up,
        "alone": one.alone,
        "beside": [{"rule": rule, "flags": number} for rule, number in one.beside],
        "feedback": {str(state): said.get(state, 0) for state in flag_lists.ANSWERS},
        "dismissed_because": dict(judged.dismissed) if judged else {},
        "resolved_unanswered": judged.unanswered if judged else 0,
        "precision": judged.precision if judged else None,
    }


def _require(paths: Sequence[Path]) -> None:
    for path in paths:
        if not path.exists():
            raise Refused(f"{path}: there is no such file or folder.")


def _print_problems_json(problems: Sequence[Problem]) -> None:
    print_json(
        [
            {"file": p.file, "line": p.line, "column": p.column, "message": p.message}
            | ({"warning": True} if p.warning else {})
            for p in problems
        ]
    )


def _write_junit(file: Path, results: Sequence[Result], problems: Sequence[Problem]) -> None:
    """The form that build servers read: a case for each test, a failure for each difference.

    What keeps a test from running is an error, in a case named after its place.
    """
    failed = sum(1 for result in results if result.failures)
    suite = ElementTree.Element(
        "testsuite",
        name="tiewatch rules test",
        tests=str(len(results) + len(problems)),
        failures=str(failed),
        errors=str(len(problems)),
    )
    for problem in problems:
        name, line = f"{problem.file}:{problem.line}", str(problem.line)
        case = ElementTree.SubElement(suite, "testcase", name=name, file=problem.file, line=line)
        ElementTree.SubElement(case, "error", message=problem.message).text = str(problem)
    for result in results:
        place = result.test.at
        case = ElementTree.SubElement(
            suite, "testcase", name=result.test.name, file=place.file, line=str(place.line)
        )
        for failure in result.failures:
            message = failure.message.partition("\n")[0]
            ElementTree.SubElement(case, "failure", message=message).text = str(failure)
    try:
        ElementTree.ElementTree(suite).write(file, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise Refused(f"{file}: cannot be written: {error.strerror}.") from error
