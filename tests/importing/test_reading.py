"""Files as they come: encodings, delimiters, quotation marks, and what is no file at all."""

import gzip
import json
import os
from contextlib import ExitStack, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.importing.reading import records_of
from worker.importing.records import BreaksOff, Record, Spoilt, Unreadable

HEADER = "Record ID,Company name\n"


def read(file):
    with ExitStack() as held:
        records = records_of(file, held)
        return records, list(records.rows)


def values(file):
    return [dict(row.values) for row in read(file)[1] if isinstance(row, Record)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_names_come_out_right_in_every_encoding_of_a_spreadsheet(tmp_path, encoding):
    file = tmp_path / "a.csv"
    file.write_bytes((HEADER + "1,Müller & Söhne\n").encode(encoding))
    records, _ = read(file)
    assert values(file) == [{"recordid": "1", "companyname": "Müller & Söhne"}]
    assert bool(records.notes) == (encoding == "cp1252")


def test_a_late_byte_that_is_not_unicode_is_seen_and_said_where_it_is(tmp_path):
    file = tmp_path / "a.csv"
    many = "".join(f"{n},Acme\n" for n in range(200_000))
    file.write_bytes((HEADER + many + "9,Köln\n").encode("cp1252"))
    records, rows = read(file)
    assert "line 200002 is not UTF-8" in records.notes[0]
    assert rows[-1].values["companyname"] == "Köln"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_the_header_has(tmp_path, delimiter):
    file = tmp_path / "a.csv"
    file.write_text(f'"Record ID"{delimiter}"Company name"\n1{delimiter}"a, b; c"\n')
    assert values(file) == [{"recordid": "1", "companyname": "a, b; c"}]
    file.write_text(f"sep={delimiter}\n{file.read_text()}")
    assert [row.line for row in read(file)[1]] == [3]


def test_lines_are_counted_through_cells_of_several_lines_and_blank_ones(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text(HEADER + '1,"a\nb\nc"\n\n2,d\n')
    _, rows = read(file)
    assert [(row.line, row.values["companyname"]) for row in rows] == [(2, "a\nb\nc"), (6, "d")]


def test_a_row_with_more_cells_than_the_header_is_told_and_the_rest_read(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text(HEADER + "1,Acme, Inc.\n2,Beta,,\n3\n")
    _, rows = read(file)
    assert isinstance(rows[0], Spoilt)
    assert (rows[0].line, rows[0].problem[:40]) == (2, "the row has 3 cells and the header 2: a ")
    assert [dict(row.values) for row in rows[1:]] == [
        {"recordid": "2", "companyname": "Beta"},
        {"recordid": "3"},
    ]


def test_a_quotation_mark_that_is_never_closed_is_told_where_it_is_opened(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text(HEADER + '1,Acme\n2,"Beta\n3,Gamma\n4,Delta\n')
    with ExitStack() as held:
        rows = records_of(file, held).rows
        assert next(rows).line == 2
        with pytest.raises(BreaksOff, match="opened here and never closed") as told:
            list(rows)
    assert told.value.line == 3


def test_a_cell_of_ten_megabytes_is_read_and_one_of_twenty_is_told(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text(HEADER + f'1,"{"x" * 10_000_000}"\n')
    assert len(values(file)[0]["companyname"]) == 10_000_000
    file.write_text(HEADER + f'1,"{"x" * 20_000_000}"\n')
    with pytest.raises(BreaksOff, match="a quotation mark is missing"):
        read(file)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing.csv", None, "there is no such file"),
        ("folder", None, "is a folder"),
        ("pipe.csv", None, "is no ordinary file"),
        ("empty.csv", b"", "empty"),
        ("blank.csv", b"\n\n", "empty"),
        ("sheet.xlsx", b"PK\x03\x04 and so on", "save the sheet as CSV"),
        ("picture.csv", b"\x89PNG\x00\x00\x00\x01\x02\x03\x04\x05\x06", "is no text"),
        ("packed.csv", gzip.compress(HEADER.encode()), "is compressed: unpack it"),
        ("cut.csv.gz", gzip.compress(HEADER.encode())[:-12], "cannot be read"),
        ("a.json", b'{"a": ', "no JSON that can be read"),
        ("b.json", b"[]", "no list of objects, or an empty one"),
        ("c.json", "[{}]".encode("utf-16"), "save it in that encoding"),
        ("open.csv", b'"Record ID,\n', "has no header that can be read"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_read_is_said_plainly(tmp_path, name, content, said):
    file = tmp_path / name
    if name == "folder":
        file.mkdir()
    elif name == "pipe.csv":
        os.mkfifo(file)
    elif content is not None:
        file.write_bytes(content)
    with pytest.raises(Unreadable, match=said):
        read(file)


RECORDS = [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(RECORDS),
        json.dumps({"count": 2, "meta": {"tags": [1]}, "tickets": RECORDS}),
        "\n".join(map(json.dumps, RECORDS)),
        json.dumps(RECORDS, indent=2),
        "\ufeff" + json.dumps(RECORDS),
        "\ufeff" + "\n".join(map(json.dumps, RECORDS)),
    ],
)
def test_objects_are_found_wherever_they_are(tmp_path, text):
    file = tmp_path / "export.json"
    file.write_text(text, encoding="utf-8")
    assert values(file) == RECORDS


def test_one_bad_line_of_json_is_told_and_the_rest_read(tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_text('{"id": 1}\nnot json\n[1]\n{"id": 2}\n')
    _, rows = read(file)
    assert [(row.line, type(row)) for row in rows] == [
        (1, Record), (2, Spoilt), (3, Spoilt), (4, Record),
    ]  # fmt: skip


def test_a_document_that_breaks_off_gives_what_came_before(tmp_path):
    file = tmp_path / "a.json"
    many = ", ".join(json.dumps({"id": n}) for n in range(500))
    file.write_text(f"[{many}, {{")
    seen = []
    with ExitStack() as held:
        rows = records_of(file, held).rows
        with pytest.raises(BreaksOff):
            seen.extend(rows)
    assert len(seen) <= 500


def test_compressed_files_are_read_too(tmp_path):
    file = tmp_path / "a.csv.gz"
    file.write_bytes(gzip.compress((HEADER + "1,Acme\n").encode()))
    assert values(file) == [{"recordid": "1", "companyname": "Acme"}]


@given(st.binary(max_size=300), st.sampled_from([".csv", ".json", ".jsonl", ".csv.gz"]))
def test_whatever_is_in_a_file_it_is_read_or_said_to_be_unreadable(
    tmp_path_factory, content, suffix
):
    file = tmp_path_factory.mktemp("any") / f"a{suffix}"
    file.write_bytes(HEADER.encode() + content if suffix == ".csv" else content)
    with suppress(Unreadable, BreaksOff):
        read(file)
