"""The book of gates is only added to, survives a crash in the middle of a line, and tells of edits."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from workbench.errors import DataError, LockedError
from workbench.gate.ledger import Ledger
from workbench.gate.records import GateRecord, Look, Promotion, Start, Unwaiver, Waiver
from workbench.store.lock import owning

AT = "2026-01-01T00:00:00+00:00"
DAY = date(2026, 6, 1)
NO_DAY = b'{"kind":"waive","rule":"set:a.min","until":"2026-02-31","who":"x","at":"x","why":"x"}'


def promotion(run: str, name: str = "main", evalset: str = "set") -> Promotion:
    return Promotion(evalset=evalset, name=name, run=run, who="somebody", at=AT, why="good")


def waiver(rule: str, until: str = "2026-12-31") -> Waiver:
    return Waiver(rule=rule, until=until, who="somebody", at=AT, why="known")


def unwaiver(rule: str) -> Unwaiver:
    return Unwaiver(rule=rule, who="somebody", at=AT, why="fixed")


def book(home: Path, *records: GateRecord) -> Ledger:
    ledger = Ledger(home)
    for record in records:
        ledger.add(record)
    return ledger


def test_an_empty_home_has_no_records(tmp_path: Path) -> None:
    assert Ledger(tmp_path).records() == []
    assert list(tmp_path.iterdir()) == []


def test_what_was_added_is_read_in_order_and_nothing_before_it_changes(tmp_path: Path) -> None:
    records = [promotion("r1"), waiver("set:a.min"), unwaiver("set:a.min")]
    ledger, before = Ledger(tmp_path), b""
    for record in records:
        ledger.add(record)
        content = ledger.file.read_bytes()
        assert content.startswith(before)
        before = content
    assert ledger.records() == records


def test_the_latest_promotion_of_a_name_counts(tmp_path: Path) -> None:
    ledger = book(
        tmp_path, promotion("r1"), promotion("r2", name="other"), promotion("r3"), promotion("r4", evalset="b")
    )
    found = ledger.promotion("set", "main")
    assert found is not None and found.run == "r3"
    assert ledger.promotion("set", "nobody") is None


def test_a_waiver_holds_through_its_last_day_unless_it_is_ended(tmp_path: Path) -> None:
    ledger = book(tmp_path, waiver("set:a.min"), waiver("set:b.min", "2026-06-01"), waiver("set:c.min", "2026-05-31"))
    assert [w.rule for w in ledger.waivers(DAY)] == ["set:a.min", "set:b.min"]
    ledger.add(unwaiver("set:a.min"))
    assert [w.rule for w in ledger.waivers(DAY)] == ["set:b.min"]
    assert ledger.waivers(DAY, "other") == []


def test_a_line_that_a_crash_cut_short_does_not_count_and_harms_nothing(tmp_path: Path) -> None:
    ledger = book(tmp_path, promotion("r1"))
    with ledger.file.open("ab") as file:
        file.write(promotion("r2").json_bytes()[:20])
    assert [r.run for r in ledger.records() if isinstance(r, Promotion)] == ["r1"]
    ledger.add(promotion("r3"))
    assert [r.run for r in ledger.records() if isinstance(r, Promotion)] == ["r1", "r3"]


@pytest.mark.parametrize("line", [b"{}", b"nonsense", b'{"kind":"promote","evalset":"set"}', b"\xff", NO_DAY])
def test_an_edited_line_is_named(tmp_path: Path, line: bytes) -> None:
    ledger = book(tmp_path, promotion("r1"))
    ledger.file.write_bytes(ledger.file.read_bytes() + line + b"\n")
    with pytest.raises(DataError, match=r"records.jsonl:2: not a record of a gate.*\[GATE_RECORD\]"):
        ledger.records()
    with pytest.raises(DataError):
        ledger.add(promotion("r2"))


def test_two_processes_do_not_write_at_once(tmp_path: Path) -> None:
    with owning(tmp_path / "gates"), pytest.raises(LockedError):
        Ledger(tmp_path).add(promotion("r1"))


def test_the_time_is_never_before_that_of_the_last_record(tmp_path: Path) -> None:
    ledger, early, late = Ledger(tmp_path), datetime(2025, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    assert ledger.now(early) == early
    ledger.add(promotion("r1"))
    assert (ledger.now(early), ledger.now(late)) == (datetime.fromisoformat(AT), late)


def test_looks_and_beginnings_are_found(tmp_path: Path) -> None:
    looks = [
        Look(evalset=e, inputs={"rows": "r"}, runs=("r",), tables={}, outcome="pass", policy="p", alpha=0.05, at=AT)
        for e in ("x", "y")
    ]
    start = Start(evalset="x", run="r", rows="r", series="m", at=AT)
    ledger = book(tmp_path, looks[0], start, looks[1])
    assert (ledger.looks(), ledger.starts()) == (looks, [start])


def lines(ledger: Ledger) -> list[bytes]:
    return ledger.file.read_bytes().splitlines(keepends=True)


def three(home: Path) -> Ledger:
    return book(home, promotion("r1"), promotion("r2"), promotion("r3"))


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (0, r":1: record 1 is missing: record 2"),
        (1, r":2: record 2 is missing"),
        (2, r":3: records 3 to 3 are missing"),
    ],
)
def test_a_removed_line_is_named_the_last_one_too(tmp_path: Path, at: int, told: str) -> None:
    ledger = three(tmp_path)
    kept = lines(ledger)
    ledger.file.write_bytes(b"".join(kept[:at] + kept[at + 1 :]))
    for use in (ledger.records, lambda: ledger.add(promotion("r4"))):
        with pytest.raises(DataError, match=rf"records.jsonl{told}.*\[GATE_RECORD\]"):
            use()


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_line_whose_words_were_changed_is_named(tmp_path: Path, at: int) -> None:
    ledger = three(tmp_path)
    kept = lines(ledger)
    kept[at] = kept[at].replace(b"somebody", b"somebodi")
    ledger.file.write_bytes(b"".join(kept))
    with pytest.raises(DataError, match=rf"records.jsonl:{at + 1}: this record was edited"):
        ledger.records()


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_line_that_was_replaced_by_one_with_a_digest_of_its_own_is_named(tmp_path: Path, at: int) -> None:
    ledger, forged = three(tmp_path / "a"), book(tmp_path / "b", *[promotion(f"x{i}") for i in range(3)])
    kept = lines(ledger)
    kept[at] = lines(forged)[at]
    ledger.file.write_bytes(b"".join(kept))
    with pytest.raises(DataError, match="this record was replaced"):
        ledger.records()


def test_a_book_that_is_gone_or_lost_its_head_is_told(tmp_path: Path) -> None:
    ledger = three(tmp_path)
    head = ledger.head.read_bytes()
    ledger.head.unlink()
    with pytest.raises(DataError, match=r"records\.head is gone"):
        ledger.records()
    ledger.head.write_bytes(b"{}")
    with pytest.raises(DataError, match="not what was written"):
        ledger.records()
    ledger.head.write_bytes(head)
    ledger.file.unlink()
    with pytest.raises(DataError, match="records 1 to 3 are missing at the end"):
        ledger.records()


def test_a_crash_between_a_line_and_its_head_loses_nothing(tmp_path: Path) -> None:
    ledger = book(tmp_path, promotion("r1"))
    head = ledger.head.read_bytes()
    ledger.add(promotion("r2"))
    ledger.head.write_bytes(head)
    assert len(ledger.records()) == 2
    ledger.add(promotion("r3"))
    assert len(ledger.records()) == 3
