"""What a file does not say is asked, not guessed."""

from pathlib import Path

import pytest
import yaml

from ingest.source import Unreadable
from ingest.suggest import suggest
from ingest.suggest.times import times_of

HEADER = "SN,Model,Test,Tester,Start Time,P/F,Elapsed"
ROWS = [f"A{n},P,ICT,T{n % 3},2024-01-{n:02} 08:00:00,{'PF'[n % 2]},{n}.5" for n in range(1, 25)]


def put(folder: Path, *lines: str, name: str = "export.csv") -> Path:
    file = folder / name
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def suggested(folder: Path, *lines: str, **options):
    return suggest(put(folder, *lines), **options)


# Two columns could both be the serial number; the wrong one counts modules that do not exist.
def test_of_equally_plausible_columns_none_is_taken(tmp_path):
    found = suggested(tmp_path, f"{HEADER},Serial No.", *(f"{row},B{at}" for at, row in enumerate(ROWS)))
    assert "serial_num" not in found.entry.source["columns"]
    assert "# serial_num: SN" in found.text and "choose: SN or Serial No." in found.text
    assert found.undecided == ["serial_num"]
    assert found.trial.loaded == {"test_record": 24}  # as if the first had been chosen


# Columns of the same content are no question.
def test_equal_columns_are_not_asked_about(tmp_path):
    found = suggested(tmp_path, f"{HEADER},Serial No.", *(f"{row},{row.split(',')[0]}" for row in ROWS))
    assert found.undecided == []


# The second of January is taken for the first of February, and nobody is told.
def test_day_and_month_are_asked_for_unless_a_value_over_12_tells(tmp_path):
    def with_times(*days: str):
        rows = [f"A{n},P,ICT,T,{day} 08:00,P,1" for n, day in enumerate(days)]
        return suggested(tmp_path, HEADER, *rows)

    unclear = with_times("01/02/2024", "03/04/2024")
    assert unclear.undecided == ["timestamp_format"] and "timestamp_format" not in unclear.entry.source
    assert (
        '# timestamp_format: "%d/%m/%Y %H:%M"' in unclear.text
        and '# timestamp_format: "%m/%d/%Y %H:%M"' in unclear.text
    )
    assert with_times("01/13/2024", "03/04/2024").entry.source["timestamp_format"] == "%m/%d/%Y %H:%M"
    assert with_times("13/01/2024", "03/04/2024").entry.source["timestamp_format"] == "%d/%m/%Y %H:%M"


# One column of a file shows the order of day and month, and the next is read the other way round.
def test_times_of_one_file_are_written_alike_unless_they_say_otherwise(tmp_path):
    header = "Equipment,Start,End,Type"
    plain = suggested(tmp_path, header, *(f"M,0{n}/05/2024,{n + 12}/05/2024,planned" for n in range(1, 9)))
    assert (plain.entry.source["timestamp_format"], plain.undecided) == ("%d/%m/%Y", [])
    mixed = suggested(tmp_path, header, *(f"M,05/{n + 12}/2024,{n + 12}/05/2024,planned" for n in range(1, 9)))
    assert mixed.entry.source["columns"]["end_at"] == {"sql": "strptime(\"End\", '%d/%m/%Y')"}
    assert mixed.trial.loaded == {"maintenance": 8}


# A required column that is not there would be filled with nonsense, or the user is left without a hint.
def test_what_is_missing_is_named_with_a_way_out(tmp_path):
    found = suggested(tmp_path, "SN,Test,Start Time,P/F", *(f"A{n},ICT,2024-01-01 08:00:00,P" for n in range(9)))
    assert found.undecided == ["product_name", "machine_id", "test_duration_s"]
    assert '# machine_id: {path: "([^/]+)/[^/]+$"}' in found.text
    assert f"this is {tmp_path.name}" in found.text
    assert list(found.entry.source["columns"]) == ["serial_num", "test_name", "test_timestamp", "test_result"]


# One of two must be there: without a word about it all records are rejected later.
def test_a_choice_of_required_columns_is_asked_for(tmp_path):
    found = suggested(tmp_path, "work_order_id,operation,sequence", *(f"W{n},solder,{n}" for n in range(9)))
    assert found.undecided == ["line_id"]


# 1,234 is read as a thousand times too much or too little.
def test_a_comma_that_may_separate_thousands_or_decimals_is_asked_about(tmp_path):
    header = "sensor_id;reading_at;value"
    unclear = suggested(tmp_path, header, *(f"S;2024-01-01 08:00:{n};1,2{n}" for n in range(10, 60)))
    assert unclear.undecided == ["value"] and "choose: 1,210 is 1.210" in unclear.text
    decimal = suggested(tmp_path, header, *(f"S;2024-01-01 08:00:{n};1,{n}" for n in range(10, 60)))
    assert (decimal.entry.source["decimal"], decimal.undecided) == (",", [])
    both = suggested(tmp_path, header, *(f"S;2024-01-01 08:00:{n};1,2{n}.5" for n in range(10, 60)))
    assert both.entry.source["columns"] == {"value": {"sql": "replace(value, ',', '')"}}


# 1.234 pieces become one piece and a bit, and the record is rejected, or is a thousandth of what was made.
def test_a_dot_that_separates_thousands_is_told_by_the_other_numbers(tmp_path):
    header = "sensor_id;reading_at;value;product_name;interval_start_at;interval_end_at;machine_id;total_count"
    rows = [f"S;2024-01-01 08:00:{n};1.2{n};P;2024-01-01 08:00;2024-01-01 09:00;M;1.2{n}" for n in range(10, 60)]
    counted = suggested(tmp_path, header, *rows, table="production_count")
    assert counted.entry.source["columns"] == {
        "total_count": {"sql": "replace(replace(total_count, '.', ''), ',', '.')"}
    }
    assert suggested(tmp_path, header, *rows, table="sensor_reading").entry.source.get("columns") is None
    decimal = suggested(
        tmp_path,
        "SN;Test;Start Time;item;measured;LSL",
        *(f"A;T;2024-01-01 08:00:{n};V;1.2{n};0,5" for n in range(10, 60)),
    )
    assert decimal.entry.source["decimal"] == "," and decimal.trial.rejected == 0


# A comma in one column and a dot in the other: read alike, one of them is a thousand times too large.
def test_numbers_in_two_styles_are_read_each_in_its_own(tmp_path):
    header = "SN;Test;Start Time;item;measured;LSL"
    found = suggested(tmp_path, header, *(f"A;T;2024-01-01 08:00:{n};V;1.{n};0,5{n % 7}" for n in range(10, 60)))
    assert "decimal" not in found.entry.source
    assert found.entry.source["columns"]["lower_limit"] == {"sql": "replace(replace(LSL, '.', ''), ',', '.')"}
    assert found.trial.rejected == 0


# A result that nobody explained is counted as a pass or a fail.
def test_values_of_unknown_meaning_are_asked_about(tmp_path):
    rows = [row.replace(",F,", ",QX,") for row in ROWS]
    found = suggested(tmp_path, HEADER, *rows)
    assert "choose: what 'QX' means" in found.text and found.undecided == ["test_result"]
    assert found.trial.rejected == 12


# Purposes of a plant's own are kept, so there is nothing to ask.
def test_values_that_are_kept_are_not_asked_about(tmp_path):
    found = suggested(tmp_path, f"{HEADER},Run Purpose", *(f"{row},burn-in" for row in ROWS))
    assert found.undecided == [] and found.entry.source["columns"]["run_purpose"] == "Run Purpose"


# Without a header everything could be anything; what values tell beyond doubt saves the half of the work.
def test_a_file_without_a_header_is_told_by_its_values(tmp_path):
    found = suggested(tmp_path, *ROWS)
    assert found.fit.table == "test_record"
    assert found.entry.source["header"] == [f"c{n}" for n in range(1, 8)]
    assert found.entry.source["columns"] == {"test_timestamp": "c5", "test_result": "c6", "test_duration_s": "c7"}
    assert found.undecided == ["serial_num", "product_name", "test_name", "machine_id"]
    assert found.trial.loaded == {"test_record": 24}


# Two names in a file and three tables that they could be of: any entry would be a guess.
def test_without_a_header_and_without_telling_values_the_table_is_asked_for(tmp_path):
    rows = [f"2024-01-{n:02} 08:00:00,A{n},B{n},C{n}" for n in range(1, 20)]
    with pytest.raises(Unreadable, match="no header.*--table"):
        suggested(tmp_path, *rows)
    found = suggested(tmp_path, *rows, table="machine_state")
    assert found.undecided == ["machine_id", "state"]
    assert "; or {path: " in found.text


# All text, and a first line that may be a record: it is lost as a header.
def test_a_first_line_that_may_be_a_header_is_said_to_be_taken_for_one(tmp_path):
    found = suggested(
        tmp_path, "Machine,foo,bar,State,baz", *(f"M{n},x{n},y{n},run{n},z{n}" for n in range(5)), table="machine_state"
    )
    assert found.sample.named
    record = suggested(tmp_path, *(f"M1,x{n},y{n},run,z{n}" for n in range(5)), table="machine_state")
    assert not record.sample.named and record.sample.count == 5
    unsure = suggested(tmp_path, *(f"M{n},x{n},y{n},q{n}" for n in range(5)), table="machine_state")
    assert "choose: its first line was taken for a header" in unsure.text


# A header with a name twice makes the file fail for good.
def test_a_header_that_can_not_be_used_is_replaced_by_one_by_position(tmp_path):
    found = suggested(tmp_path, "", "", f"{HEADER},Note,Note,", *(f"{row},a,b,c" for row in ROWS))
    assert found.entry.source["header"] == [*HEADER.split(","), "Note", "Note_9", "c10"]
    assert found.entry.source["skip_rows"] == 3
    assert found.trial.loaded == {"test_record": 24}
    assert found.extra == ["Note", "Note_9", "c10"]
    worse = suggested(tmp_path, f"{HEADER},Note_9,Note,Note", *(f"{row},a,b,c" for row in ROWS), table="test_record")
    assert len(set(worse.entry.source["header"])) == 10


# Text of a file that gets into the entry makes another entry of it, or breaks it.
def test_hostile_names_stay_names(tmp_path):
    names = [
        'Serial "No."',
        "Part: {x}, [y] # z",
        "'; drop table t; --",
        "- Test",
        "Tester",
        "Start Time",
        "P/F",
        "Elapsed: !!python/object",
    ]
    header = ",".join('"' + name.replace('"', '""') + '"' for name in names)
    rows = [f"A{n},P,x,ICT,T1,2024-01-01 08:00:00,P,1" for n in range(5)]
    found = suggested(tmp_path, header, *rows)
    (source,) = yaml.safe_load(found.text)
    assert source == found.entry.source
    assert source["columns"]["serial_num"] == 'Serial "No."'
    assert found.trial.failed is None and found.trial.loaded == {"test_record": 5}


# A format is taken for right that reads other moments than were written.
@pytest.mark.parametrize(
    ("texts", "formats", "others"),
    [
        (["10/13/22 05:57:31;877", "10/10/22 05:57:31.877"], ("%m/%d/%y %H:%M:%S;%f", "%m/%d/%y %H:%M:%S.%f"), 0),
        (["01/02/24"], ("%d/%m/%y",), 2),
        (["20240131080000"], ("%Y%m%d%H%M%S",), 0),
        (["20240131T0800"], ("%Y%m%dT%H%M",), 0),
        (["31-Jan-2024 8:00 PM"], ("%d-%b-%Y %I:%M %p",), 0),
        (["January 31, 2024 8:00:00 AM"], ("%B %d, %Y %I:%M:%S %p",), 0),
        (["2024年1月31日 8:00"], ("%Y年%m月%d日 %H:%M",), 0),
        (["2024/01/31 08:00:00+01:00"], ("%Y/%m/%d %H:%M:%S%z",), 0),
        (["2024-01-31 08:00:00 UTC"], ("%Y-%m-%d %H:%M:%S %Z",), 0),
        (["12345678", "99999999"], (), 0),
        (["x", "2024-13-45"], (), 0),
    ],
)
def test_formats_of_times_are_those_that_they_are_written_in(texts, formats, others):
    found = times_of(texts)
    assert (found.formats, len(found.others)) == (formats, others)
