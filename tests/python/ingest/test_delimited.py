"""What becomes of CSV and TSV: delimiters, quoting, encodings, ragged rows."""

import codecs
import gzip
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plant_site import GOOD, HEADER, line

from ingest.formats import delimited, quoting
from ingest.source import Unreadable


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_taken_from_the_header(site, delimiter):
    site.put_rows("a.csv", GOOD.replace(",", delimiter), header=HEADER.replace(",", delimiter))
    site.load()
    assert site.rows()[0]["serial_num"] == "A1"


# A comma in a name must not win over the real delimiter.
def test_delimiter_is_the_one_that_gives_known_columns(site):
    site.put_rows("a.csv", GOOD.replace(",", ";") + ";x", header=HEADER.replace(",", ";") + ";a,b,c,d,e,f,g,h,i,j")
    site.load()
    assert site.rows()[0]["_extra"] == '{"a,b,c,d,e,f,g,h,i,j":"x"}'


def test_delimiter_of_plant_yml_wins(site):
    site.describe(delimiter="~").put_rows("a.csv", GOOD.replace(",", "~"), header=HEADER.replace(",", "~"))
    site.load()
    assert site.rows()[0]["serial_num"] == "A1"


def test_tsv(site):
    site.put_rows("a.tsv", GOOD.replace(",", "\t"), header=HEADER.replace(",", "\t"))
    site.load()
    assert site.rows()[0]["serial_num"] == "A1"


# Lines with too many fields lose the rest in many readers, those with too few are padded: both hide a broken export.
def test_ragged_rows_are_rejected_as_received(site):
    site.put_rows("a.csv", "x,y", GOOD, GOOD + ",,", '"a,b",' + GOOD, "", line(serial_num="B2"))
    load = site.load_one()
    assert (load.row_count, load.reject_count) == (2, 3)
    assert [(row["_row"], row["serial_num"]) for row in site.rows()] == [(2, "A1"), (5, "B2")]
    assert site.rejects() == [
        (1, "x,y", "2 fields instead of 7"),
        (3, GOOD + ",,", "9 fields instead of 7"),
        (4, '"a,b",' + GOOD, "8 fields instead of 7"),
    ]


# Automatic detection turns quoting off because of one bad row, and every quoted value is torn apart.
def test_one_bad_row_does_not_change_how_the_others_are_read(site):
    quoted = [line(serial_num=f'"S,{i}"') for i in range(50)]
    site.put_rows("a.csv", *quoted[:20], 'x",y', line(serial_num='5" pipe'), *quoted[20:])
    load = site.load_one()
    assert (load.row_count, load.reject_count) == (51, 1)
    assert [row["serial_num"] for row in site.rows()][19:22] == ["S,19", '5" pipe', "S,20"]


def test_quoted_values_are_read(site):
    site.put_rows("a.csv", line(serial_num='"a""b"', product_name='""""', machine_id='"x,y"', test_name='"two\nlines"'))
    site.load()
    row = site.rows()[0]
    assert [row[n] for n in ("serial_num", "product_name", "machine_id", "test_name")] == [
        'a"b',
        '"',
        "x,y",
        "two\nlines",
    ]


BROKEN = {
    "one stray quote at the end of the file": [GOOD, line(serial_num='"A')],
    "one stray quote, rows follow": [line(serial_num='"A'), GOOD, GOOD],
    "two rows with a quote that is not closed": [line(serial_num='"A'), line(serial_num='"B'), GOOD],
    "opened in one row, closed at the end of the next": [line(serial_num='"A'), line(test_duration_s='1"'), GOOD],
    "opened in the last column, closed in the last of the next": [
        line(test_duration_s='"1'),
        line(test_duration_s='2"'),
    ],
    "opened in the last column, closed in the first of the next": [line(test_duration_s='"1'), line(serial_num='B"')],
    "opened and closed in the middle": [line(test_name='"T'), line(test_name='T"')],
    "closed before the end of the value": [line(serial_num='"A"1')],
    "an empty value, then text": [line(serial_num='""A')],
    "four stray quotes": [line(serial_num='"A'), line(serial_num='"B'), line(serial_num='"C'), line(serial_num='"D')],
    "closed in a row that is too short": [line(serial_num='"A'), 'x"'],
    "a bad one after a literal one": [line(serial_num='5" x'), line(serial_num='"A'), GOOD],
}


# An unclosed quote swallows the good rows after it: the file must fail, or records are lost in silence.
@pytest.mark.parametrize("rows", BROKEN.values(), ids=BROKEN)
def test_broken_quoting_fails_the_file(site, rows):
    site.put_rows("a.csv", GOOD, *rows)
    load = site.load_one()
    assert (load.status, load.row_count) == ("failed", 0)
    assert "quot" in load.error
    assert site.rows() == [] and site.rejects() == []


@pytest.mark.parametrize(
    "rows, number", [([GOOD, GOOD, '"x'], 4), ([GOOD, '"x"y', GOOD], 3), (['5" p,', '"x\n', GOOD, '"y'], 6)]
)
def test_broken_quoting_names_the_line(site, rows, number):
    site.put_rows("a.csv", *rows)
    assert f"line {number}" in site.load_one().error


def test_unclosed_quote_in_the_header_fails_the_file(site):
    site.put_rows("a.csv", GOOD, header='"' + HEADER)
    assert site.load_one().error == "the header has a quote that is never closed"


def test_endless_record_fails_the_file(monkeypatch):
    monkeypatch.setattr(quoting, "LONGEST_RECORD", 1 << 20)
    blocks = iter([b'a,b\n"', b"x" * (1 << 20), b"x" * (1 << 20)])
    with pytest.raises(Unreadable, match="starts on line 2 is longer than 1 MB"):
        list(quoting.record_blocks(blocks, b",", 2, first_line=1))


fields = st.text(st.sampled_from('ab," \n5'), max_size=6)


# However the text is cut into blocks, the same records come out: a block boundary is no place to lose one.
@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.lists(fields, min_size=3, max_size=3), min_size=1, max_size=6),
    st.integers(1, 9),
    st.sampled_from(["\n", "\r\n"]),
)
def test_blocks_do_not_matter(rows, size, end):
    text = end.join(",".join('"' + value.replace('"', '""') + '"' for value in row) for row in rows).encode()
    cuts = [text[at : at + size] for at in range(0, len(text), size)]
    whole = outcome(iter([text]))
    assert outcome(iter(cuts)) == whole
    if whole is not None:
        assert whole == text


def outcome(blocks) -> bytes | None:
    try:
        return b"".join(quoting.record_blocks(blocks, b",", 3, first_line=1))
    except Unreadable:
        return None


# Stray quotes may fail a file, but never make a row disappear from one that loads.
@settings(max_examples=500, deadline=None)
@given(st.lists(st.lists(st.text(st.sampled_from('ab"'), max_size=3), min_size=3, max_size=3), min_size=1, max_size=5))
def test_stray_quotes_never_swallow_rows(rows):
    text = "a,b,c\n" + "".join(",".join(row) + "\n" for row in rows)
    try:
        batches = list(delimited.read(io.BytesIO(text.encode()), set(), delimiter=",", encoding="utf-8"))
    except Unreadable:
        return
    assert sum(len(batch.rows) + len(batch.rejects) for batch in batches) == len(rows)


# Rows far beyond the first block have their own numbers and reach the lake too.
def test_many_blocks(site, monkeypatch):
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 1000)
    rows = [line(serial_num=f'"S{i}"', product_name="Pröd") if i % 7 else "ragged" for i in range(500)]
    site.put_rows("a.csv", *rows)
    site.load()
    assert [row["_row"] for row in site.rows()] == [i + 1 for i in range(500) if i % 7]
    assert all(row["serial_num"] == f"S{row['_row'] - 1}" and row["product_name"] == "Pröd" for row in site.rows())
    assert [number for number, *_ in site.rejects()] == list(range(1, 501, 7))


@pytest.mark.parametrize(
    "content",
    [
        codecs.BOM_UTF8 + f"{HEADER}\n{GOOD}Ä\n".encode(),
        f"{HEADER}\n{GOOD}Ä\n".encode("utf-16"),
        codecs.BOM_UTF16_BE + f"{HEADER}\r\n{GOOD}Ä".encode("utf-16-be"),
        f"\n\n{HEADER}\n{GOOD}Ä".encode(),
    ],
)
def test_byte_order_marks_and_blank_first_lines(site, content):
    site.put("a.csv", content.replace(b"1.5", b"1.5"))
    site.describe(columns={}).load()
    assert site.rejects()[0][1]["test_duration_s"] == "1.5Ä"
    assert site.rejects()[0][1]["serial_num"] == "A1"


def test_encoding_of_plant_yml(site):
    site.describe(encoding="cp1252").put("a.csv", f"{HEADER}\n{line(serial_num='Ä€')}\n".encode("cp1252"))
    site.load()
    assert site.rows()[0]["serial_num"] == "Ä€"


# The person who gets the message can fix it: where, and which key.
@pytest.mark.parametrize("block", [16 << 20, 7])
def test_wrong_encoding_fails_the_file(site, monkeypatch, block):
    monkeypatch.setattr(delimited, "BLOCK_BYTES", block)
    content = f"{HEADER}\n{line(serial_num='漢Ä')}\n".encode()
    content = content.replace("Ä".encode(), b"\xc4")
    site.put("a.csv", content)
    load = site.load_one()
    at = content.index(b"\xc4")
    assert load.error.startswith(
        f"not utf-8 at byte {at} (0xc4); say which encoding it has with encoding: in plant.yml"
    )
    assert site.rows() == []


# What was written before the fault shows must not stay.
def test_fault_late_in_a_long_file_leaves_nothing(site, monkeypatch):
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 1000)
    rows = "".join(f"{line(serial_num=f'S{i}')}\n" for i in range(1000))
    site.put("a.csv", f"{HEADER}\n{rows}".encode() + b"\xc4\n")
    assert site.load_one().status == "failed"
    assert site.rows() == [] and not list(site.paths.raw.rglob("*.part"))


def test_truncated_last_character_fails_the_file(site):
    site.put("a.csv", f"{HEADER}\n{GOOD}".encode() + "Ä".encode()[:1])
    assert site.load_one().error.startswith("not utf-8 at byte")


def test_header_only_is_loaded_with_no_rows(site):
    site.put("a.csv", HEADER)
    load = site.load_one()
    assert (load.status, load.row_count, load.reject_count) == ("loaded", 0, 0)


@pytest.mark.parametrize("name", ["a.csv", "b.csv.gz", "c.ndjson", "d.json"])
def test_empty_file_fails(site, name):
    site.put(name, gzip.compress(b"") if name.endswith("gz") else b"")
    load = site.load_one()
    assert load.status == "failed" and ("empty" in load.error or "JSON" in load.error)


def test_file_of_blank_lines_fails(site):
    site.put("a.csv", "\n\n\r\n")
    assert site.load_one().error == "the file has no header"


def test_column_twice_fails_the_file(site):
    site.put_rows("a.csv", GOOD + ",B", header=HEADER + ",serial_num")
    assert site.load_one().error.startswith("the header has the column 'serial_num' twice; name all by position")


# A dump with the header of another table must never be loaded by luck.
def test_header_of_another_table_fails_the_file(site):
    site.put("a.csv", "SerialNum,Component,ComponentLot,InstalledAt\nA,B,C,2024-01-01 00:00\n")
    error = site.load_one().error
    assert "product_name, test_name, machine_id, test_timestamp, test_result, test_duration_s of test_record" in error
    assert "its columns fit the table component_use" in error


def test_windows_line_ends(site):
    site.put("a.csv", f"{HEADER}\r\n{GOOD}\r\nshort\r\n{line(serial_num='B')}\r\n")
    site.load()
    assert [(row["_row"], row["test_duration_s"]) for row in site.rows()] == [(1, 1.5), (3, 1.5)]
    assert site.rejects() == [(2, "short", "1 fields instead of 7")]
