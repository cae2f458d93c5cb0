"""The rules in force while their files change: followed, mended, shared among workers."""

import os
import time
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from tests.pipeline import alerts, at, flags, meeting, rows, sweep, take_in
from worker import shipped
from worker.core.alerts import AlertReason
from worker.core.telling import Telling
from worker.evaluating.evaluation import RULE_IS_GONE
from worker.rulebooks import in_force as rulebooks
from worker.rulebooks.in_force import RulesInForce, find
from worker.rulebooks.rulebook import OtherRules, Rulebook, read_rulebook
from worker.rulefiles import RuleFilesRefused, check
from worker.store import rule_sets, tables
from worker.store.database import reading

D = date(2026, 2, 18)
NOW = at(D)

SILENT = """
rules:
  - {id: silent, title: Silent, severity: medium, when: {days_since_contact: over 5 days}}
"""
UNUSED = """
rules:
  - {id: unused, title: Unused, severity: low, when: {usage_30d: at most 0}}
"""
LONELY = """
rules:
  - {id: lonely, title: Lonely, severity: low, when: {known_users: under 2}}
"""
BAD = SILENT.strip().replace("days_since_contact", "days_since_kontact")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    folder.mkdir()
    write(folder, {"a.yaml": SILENT, "b.yaml": UNUSED})
    return folder


_times = count(1_700_000_000)
"""Long ago, each later than the one before."""


def write(root: Path, files: dict[str, str | None]) -> None:
    """Write files as an editor does, which makes each a new one; None removes one."""
    for name, text in files.items():
        if text is None:
            (root / name).unlink()
        else:
            (root / "new").write_text(text, encoding="utf-8")
            os.utime(root / "new", (next(_times), next(_times)))
            os.replace(root / "new", root / name)


def ids(book: Rulebook) -> list[str]:
    return [rule.id for rule in book.rules.rules]


def look(worker: RulesInForce, engine: Engine) -> Rulebook:
    """What the worker finds some seconds later."""
    worker.look_again()
    return worker.now(engine, NOW)


def test_a_changed_directory_is_in_force_within_seconds(engine, root):
    worker = RulesInForce(root)
    assert ids(worker.now(engine, NOW)) == ["silent", "unused"]
    write(root, {"b.yaml": LONELY})
    (root / "more").mkdir()
    write(root, {"more/c.yaml": UNUSED})
    assert ids(look(worker, engine)) == ["lonely", "silent", "unused"]
    write(root, {"a.yaml": None})
    assert ids(look(worker, engine)) == ["lonely", "unused"]
    assert alerts(engine) == []


def test_nothing_is_looked_at_twice_within_two_seconds(engine, root, monkeypatch):
    worker = RulesInForce(root)
    first = worker.now(engine, NOW)
    monkeypatch.setattr(rulebooks, "_seen", lambda _: pytest.fail("looked again"))
    assert worker.now(engine, NOW) is first


def test_a_file_that_is_being_written_is_left_alone_for_a_second(engine, root):
    worker = RulesInForce(root)
    before = worker.now(engine, NOW)
    file = root / "a.yaml"
    file.write_text(BAD[:30])
    assert look(worker, engine) is before
    os.utime(file, (time.time() - 2, time.time() - 2))
    assert look(worker, engine).digest == before.digest
    assert len(alerts(engine)) == 1
    file.write_text(LONELY)
    os.utime(file, (time.time() + 900, time.time() + 900))  # by the clock of another machine
    assert ids(look(worker, engine)) == ["lonely", "unused"]


def test_a_bad_file_keeps_its_last_good_version_and_stops_no_other(engine, root):
    worker = RulesInForce(root)
    before = worker.now(engine, NOW)
    write(root, {"a.yaml": BAD, "b.yaml": LONELY})
    mended = look(worker, engine)
    assert ids(mended) == ["lonely", "silent"]
    assert mended.rules.rules[1] == before.rules.rules[0]
    write(root, {"a.yaml": SILENT.replace("over 5", "over 9")})
    assert ids(look(worker, engine)) == ["lonely", "silent"]
    assert look(worker, engine).digest not in (mended.digest, before.digest)


def test_admins_are_told_once_of_a_bad_file_by_however_many_workers(engine, root):
    workers = [RulesInForce(root), RulesInForce(root)]
    for worker in workers:
        worker.now(engine, NOW)
    write(root, {"a.yaml": BAD})
    for _ in range(3):
        for worker in workers:
            look(worker, engine)
    look(RulesInForce(root), engine)  # one that starts meanwhile
    (alert,) = alerts(engine)
    assert (alert.reason, alert.account) == (AlertReason.RULES, "")
    assert alert.title == "The rules of a.yaml stay as they were: 1 problem"
    (why,) = alert.why
    assert why.startswith("a.yaml:2:58: unknown fact 'days_since_kontact'; did you mean 'days_sin")
    write(root, {"a.yaml": "rules: ]"})  # another mistake is worth another word
    look(workers[0], engine)
    assert len(alerts(engine)) == 2


def test_a_worker_that_starts_beside_a_bad_file_has_its_last_good_version(engine, root):
    RulesInForce(root).now(engine, NOW)
    write(root, {"a.yaml": "\tx"})
    assert ids(RulesInForce(root).now(engine, NOW)) == ["silent", "unused"]


def test_without_a_version_from_before_a_bad_file_is_refused(engine, root):
    write(root, {"a.yaml": BAD})
    with pytest.raises(RuleFilesRefused):
        RulesInForce(root).now(engine, NOW)


def test_files_that_do_not_fit_each_other_any_more_are_kept_together(engine, root):
    using = SILENT.replace("over 5 days", "over too long")
    write(root, {"a.yaml": using, "b.yaml": UNUSED + "thresholds: {too long: {default: 5 days}}"})
    worker = RulesInForce(root)
    before = worker.now(engine, NOW)
    write(root, {"b.yaml": UNUSED, "c.yaml": LONELY})
    assert look(worker, engine) == before
    write(root, {"a.yaml": SILENT})
    assert ids(look(worker, engine)) == ["lonely", "silent", "unused"]


def test_a_directory_that_goes_away_leaves_its_rules(engine, root):
    worker = RulesInForce(root)
    before = worker.now(engine, NOW)
    root.rename(root.with_name("elsewhere"))
    assert look(worker, engine) == before
    (alert,) = alerts(engine)
    assert "no such file or folder" in alert.why[0]


def test_a_worker_takes_over_what_another_one_has_read(engine, root, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    write(other, {"a.yaml": LONELY, "ties.yaml": "half_life: 30 days\n"})
    one, two = RulesInForce(root), RulesInForce(other)
    one.now(engine, NOW)
    assert ids(two.now(engine, NOW)) == ["lonely"]
    assert look(one, engine) == two.now(engine, NOW)
    assert one.now(engine, NOW).ties.half_life == 30
    write(root, {"a.yaml": SILENT.replace("over 5", "over 6")})
    assert ids(look(one, engine)) == ids(look(two, engine)) == ["silent", "unused"]


def test_slack_yaml_is_followed_and_a_bad_one_leaves_the_last_good_one(engine, root):
    worker = RulesInForce(root)
    assert worker.now(engine, NOW).telling == Telling()
    write(root, {"slack.yaml": "budget: 3\n"})
    assert look(worker, engine).telling.budget == 3
    write(root, {"slack.yaml": "budget: none\n"})
    assert look(worker, engine).telling.budget == 3
    (alert,) = alerts(engine)
    assert alert.why == ("slack.yaml:1:9: 'budget' is a number from 1 to 1,000, not 'none'",)
    write(root, {"slack.yaml": None})
    assert look(worker, engine).telling == Telling()


def test_every_version_is_kept_and_each_flag_has_the_one_that_opened_it(engine, root):
    worker = RulesInForce(root)
    book = worker.now(engine, NOW)
    take_in(engine, book, D, meeting(D))
    sweep(engine, book, D + timedelta(6))
    write(root, {"b.yaml": LONELY})
    later = look(worker, engine)
    sweep(engine, later, D + timedelta(7))
    opened_with = {row["rule"]: row["rules_hash"] for row in rows(engine, tables.flags)}
    assert opened_with == {"silent": book.digest, "lonely": later.digest}
    assert {row["digest"] for row in rows(engine, tables.rule_sets)} == {book.digest, later.digest}
    with reading(engine) as db:
        assert rule_sets.texts(db, book.digest)["b.yaml"] == UNUSED


def test_a_flag_that_was_pending_has_the_version_that_opened_it(engine, root):
    held = SILENT.replace("severity: medium", "severity: medium, hold_for: 2 days")
    write(root, {"a.yaml": held})
    worker = RulesInForce(root)
    take_in(engine, worker.now(engine, NOW), D, meeting(D))
    sweep(engine, worker.now(engine, NOW), D + timedelta(6))
    write(root, {"b.yaml": None})
    later = look(worker, engine)
    sweep(engine, later, D + timedelta(8))
    write(root, {"b.yaml": LONELY})
    sweep(engine, look(worker, engine), D + timedelta(9))
    (flag,) = [row for row in rows(engine, tables.flags) if row["rule"] == "silent"]
    assert (flag["state"], flag["rules_hash"]) == ("open", later.digest)


def test_a_worker_of_another_version_does_nothing(engine, root):
    worker = RulesInForce(root)
    old = worker.now(engine, NOW)
    take_in(engine, old, D, meeting(D))
    write(root, {"b.yaml": LONELY})
    new = look(worker, engine)
    take_in(engine, new, D, meeting(D))
    assert flags(engine) == {"acme": ["lonely"]}
    with pytest.raises(OtherRules):
        take_in(engine, old, D, meeting(D))
    with pytest.raises(OtherRules):
        sweep(engine, old, D)
    assert flags(engine) == {"acme": ["lonely"]}
    assert len(rows(engine, tables.events)) == 2


def test_a_deleted_rule_resolves_its_flags_at_the_next_sweep_and_not_before(engine, root):
    worker = RulesInForce(root)
    take_in(engine, worker.now(engine, NOW), D, meeting(D))
    day = D + timedelta(6)
    sweep(engine, worker.now(engine, NOW), day)
    write(root, {"a.yaml": None})
    without = look(worker, engine)
    take_in(engine, without, day, meeting(day))
    assert flags(engine) == {"acme": ["silent"]}
    sweep(engine, without, day)
    assert flags(engine) == {}
    assert alerts(engine)[-1].why == (RULE_IS_GONE,)


def test_a_changed_rule_is_evaluated_for_everyone_at_the_next_sweep(engine, root):
    worker = RulesInForce(root)
    take_in(engine, worker.now(engine, NOW), D, meeting(D), meeting(D, account="birch"))
    write(root, {"a.yaml": SILENT.replace("over 5 days", "at least 1 day")})
    sweep(engine, look(worker, engine), D + timedelta(1))
    assert flags(engine) == {"acme": ["silent"], "birch": ["silent"]}


OURS = SILENT.replace("title: Silent", "override: true, title: Ours")


def test_a_change_is_in_force_also_when_no_worker_has_work(engine, root):
    worker, watcher = RulesInForce(root), RulesInForce(root)
    before = worker.now(engine, NOW)
    assert not watcher.watch(engine, NOW)
    write(root, {"b.yaml": LONELY})
    assert not watcher.watch(engine, NOW)
    assert in_force(engine) not in (None, before.digest)
    assert in_force(engine) == look(worker, engine).digest


def test_admins_hear_once_of_a_mistake_that_no_worker_has_met(engine, root):
    worker, watchers = RulesInForce(root), [RulesInForce(root), RulesInForce(root)]
    worker.now(engine, NOW)
    for watcher in watchers:
        watcher.watch(engine, NOW)
    write(root, {"a.yaml": BAD})
    assert [watcher.watch(engine, NOW) for watcher in watchers * 2] == [True, False, False, False]
    look(worker, engine)
    assert len(alerts(engine)) == 1


def test_who_only_watches_begins_with_the_rules_that_are_in_force(engine, root, tmp_path):
    (tmp_path / "other").mkdir()
    write(tmp_path / "other", {"a.yaml": LONELY})
    before = RulesInForce(root).now(engine, NOW)
    for folder in (tmp_path / "other", tmp_path / "nothing"):
        watcher = RulesInForce(folder)
        watcher.watch(engine, NOW)
        assert not watcher.watch(engine, NOW)
    assert in_force(engine) == before.digest


def test_who_only_watches_puts_nothing_in_force_where_no_worker_ever_was(engine, root):
    watcher = RulesInForce(root)
    watcher.watch(engine, NOW)
    write(root, {"a.yaml": BAD})
    assert not watcher.watch(engine, NOW)
    assert (in_force(engine), alerts(engine)) == (None, [])


def in_force(engine: Engine) -> str | None:
    with reading(engine) as db:
        return rule_sets.in_force(db)


def ship(monkeypatch, root: Path, text: str) -> None:
    """Let these be the rules that come with tiewatch."""
    wheel = root.with_name("wheel")
    (wheel / "rules").mkdir(parents=True, exist_ok=True)
    write(wheel / "rules", {"relationship.yaml": text})
    monkeypatch.setattr(shipped, "_WHEEL", wheel)


def test_an_upgrade_brings_its_rules_beside_what_an_admin_has_overridden(engine, root, monkeypatch):
    ship(monkeypatch, root, SILENT)
    write(root, {"a.yaml": OURS, "b.yaml": None})
    worker = RulesInForce(root)
    assert ids(worker.now(engine, NOW)) == ["silent"]
    more = LONELY.removeprefix("\nrules:\n")
    ship(monkeypatch, root, SILENT.replace("over 5", "over 4") + more)
    upgraded = look(worker, engine)
    assert ids(upgraded) == ["lonely", "silent"]
    assert upgraded.rules.rules[1].title == "Ours"
    assert alerts(engine) == []


def test_workers_of_two_versions_of_tiewatch_share_the_rules_that_ship_with_one(
    engine, root, monkeypatch
):
    write(root, {"a.yaml": "include: shipped rules\n", "b.yaml": None})
    ship(monkeypatch, root, SILENT)
    old = RulesInForce(root)
    assert ids(old.now(engine, NOW)) == ["silent"]
    ship(monkeypatch, root, LONELY)
    assert ids(RulesInForce(root).now(engine, NOW)) == ["lonely"]
    monkeypatch.setattr(rulebooks, "_seen", lambda _: old._seen)
    assert ids(look(old, engine)) == ["lonely"]


def test_an_upgrade_that_takes_an_overridden_rule_away_leaves_the_rules_as_they_were(
    engine, root, monkeypatch
):
    ship(monkeypatch, root, SILENT)
    write(root, {"a.yaml": OURS, "b.yaml": None})
    worker = RulesInForce(root)
    before = worker.now(engine, NOW)
    ship(monkeypatch, root, LONELY)
    assert look(worker, engine) == before
    assert "'silent' overrides nothing" in alerts(engine)[0].why[0]


TEXTS = st.sampled_from([SILENT, UNUSED, LONELY, BAD, "", "rules: []", "\t", "rules: 7", None])


@given(
    kept=st.dictionaries(st.sampled_from("abc"), st.sampled_from([SILENT, UNUSED, LONELY])),
    now=st.dictionaries(st.sampled_from("abcd"), TEXTS),
)
@settings(max_examples=60, deadline=None)
def test_whatever_is_written_there_are_rules_in_force(kept, now):
    with TemporaryDirectory() as folder:
        root = Path(folder)
        good = {f"{name}.yaml": text for name, text in kept.items()}
        write(root, good)
        assume(not check([root])[0])
        before = find(root, None)
        assert {name: before.files[name] for name in good} == good
        for name, text in now.items():
            if text is not None or f"{name}.yaml" in good:
                write(root, {f"{name}.yaml": text})
        found = find(root, before.files)
        problems, _ = check([root])
        assert list(found.problems) == problems
        if problems:
            assert find(root, found.files).book == found.book
        else:
            assert found.book == read_rulebook(root)
