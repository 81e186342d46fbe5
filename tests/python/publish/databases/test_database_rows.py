"""What a database holds is what was published: values, types, keys, comments."""

import math

import duckdb
import pytest
import sqlalchemy as sa

from publish import PublishError
from publish.databases import send

TEXTS = [
    "", " ", "trailing ", "Trailing", "trailing",
    "NULL", "\\N", "\\.", "it''s", '"double"', 'a,b;c\td', "line\nfeed\r\n",
    "back\\slash\\n",
    "ünïcödé", "\U0001f600\U0001f680", "%s %(x)s :name ?", "=1+1", "x" * 100_000, "\x01\x1f\x7f",
]  # fmt: skip
NASTY = """
create table marts.nasty as select * from (values
    (1::bigint, true, 0.1::double, date '2024-02-29', timestamp '2024-02-29 23:59:59.999999', 'plain',
        1.500::decimal(9, 3)),
    (9223372036854775807, false, 1.7976931348623157e308, date '0001-01-01', timestamp '1000-01-01 00:00:00', '', -0.25),
    (-9223372036854775808, null, 5e-324, date '9999-12-31', timestamp '9999-12-31 23:59:59', null, null),
    (4, null, -0.0, null, null, null, null),
    (5, null, 0.1 + 0.2::double, null, null, null, 123456.5)
) as nasty(id, flag, measure, day, moment, label, amount);
comment on table marts.nasty is 'It''s 100 % "nasty"; \\ and :more.\nSecond line.';
comment on column marts.nasty.label is 'A label''s text, 100 %.';
"""


def insert_texts():
    return [f"insert into marts.nasty (id, label) values ({100 + i}, {_literal(text)})" for i, text in enumerate(TEXTS)]


def _literal(text):
    return "'" + text.replace("'", "''") + "'"


def published(paths, table):
    with duckdb.connect(paths.published / "marts.duckdb", read_only=True) as reader:
        return reader.execute(f'from "{table}"').fetchall()


def comparable(rows):
    """NaN is equal to itself; the order is no matter."""
    return sorted(
        [tuple("NaN" if isinstance(it, float) and math.isnan(it) else it for it in row) for row in rows], key=repr_key
    )


def repr_key(row):
    return [(it is None, str(float(it)) if isinstance(it, bool | int | float) else str(it)) for it in row]


# If this fails, a BI tool shows another value than the published file holds.
def test_values_are_those_of_the_published_file(place, paths, publish_into):
    sent = publish_into(place, 1, NASTY, *insert_texts())
    assert sent.tables["nasty"] == 5 + len(TEXTS)
    for table in ("nasty", "module_status", "route_step", "station_day", "report_weeks"):
        assert comparable(place.rows(table)) == comparable(published(paths, table)), table
    assert place.tables() == sorted([*sent.tables, "firstpass_version"])


# If this fails, NaN is taken for a number, or keeps a whole plant from being published.
def test_values_that_a_database_does_not_know_are_null_and_counted(place, paths, publish_into):
    sent = publish_into(place, 1)

    def known(value):
        lost = isinstance(value, float) and (math.isnan(value) or (math.isinf(value) and place.kind == "mariadb"))
        return None if lost and place.kind != "postgresql" else value

    expected = [tuple(map(known, row)) for row in published(paths, "test_attempt")]
    assert comparable(place.rows("test_attempt")) == comparable(expected)
    lost = {"postgresql": 0, "sqlite": 8, "mariadb": 24}[place.kind]
    notes = [f"test_attempt.test_duration_s: {lost} values changed: NULL, for want of what they are"] if lost else []
    assert sent.notes == notes


# If this fails, a date without end stops every later publication, or becomes some day.
def test_moments_without_end(place, publish_into):
    rows = "(1, date 'infinity', timestamp '-infinity'), (2, date '2024-01-01', timestamp '2024-01-01 01:00:00')"
    statement = f"create table marts.nasty as select * from (values {rows}) as nasty(id, day, moment)"
    sent = publish_into(place, 1, statement)
    ends = place.execute(f"select id from {place.name('nasty')} where day is null and moment is null")
    if place.kind == "postgresql":
        assert ends == []
        found = f"select id from {place.name('nasty')} where day = 'infinity' and moment = '-infinity'"
        assert place.execute(found) == [(1,)]
    else:
        assert ends == [(1,)]
        assert {note.split(":")[0] for note in sent.notes} >= {"nasty.day", "nasty.moment"}


# If this fails, a NUL in some operator's text stops every later publication, or vanishes unseen.
def test_a_nul_character_is_replaced_where_it_cannot_be_held(place, publish_into):
    sent = publish_into(place, 1, "create table marts.nasty as select 1 as id, 'a' || chr(0) || 'b' as label")
    if place.kind == "postgresql":
        assert place.rows("nasty") == [(1, "a\ufffdb")]
        assert sent.notes == ["nasty.label: 1 values changed: the NUL characters in them are now U+FFFD"]
    else:
        assert place.rows("nasty") == [(1, "a\0b")]


# If this fails, a BI tool sees texts where it needs numbers, or has to guess keys and meanings.
def test_types_keys_and_comments_come_along(place, publish_into):
    publish_into(place, 1, NASTY)
    inspector = sa.inspect(place.engine)
    types = {column["name"]: column["type"] for column in inspector.get_columns("nasty", place.schema)}
    expected = [sa.BigInteger, sa.Boolean, sa.Double, sa.Date, sa.DateTime, sa.String, sa.Numeric]
    for (name, found), kind in zip(types.items(), expected, strict=True):
        known = {"mariadb": {"flag": sa.Integer}, "sqlite": {"amount": sa.Double}}.get(place.kind, {})
        assert isinstance(found, known.get(name, kind)), (name, found)
    key = inspector.get_pk_constraint("test_attempt", place.schema)
    assert key["constrained_columns"] == ["serial_num", "test_timestamp"]
    assert inspector.get_pk_constraint("report_weeks", place.schema)["constrained_columns"] == ["load_week"]
    assert inspector.get_pk_constraint("station_day", place.schema)["constrained_columns"] == []
    if place.kind == "sqlite":
        return
    assert inspector.get_table_comment("nasty", place.schema)["text"].startswith('It\'s 100 % "nasty"; \\')
    columns = inspector.get_columns("nasty", place.schema)
    assert [column["comment"] for column in columns if column["comment"]] == ["A label's text, 100 %."]
    assert "test_attempt" in [row[0] for row in place.rows("firstpass_version")]


# If this fails, one module without a week keeps the whole plant from being published.
def test_a_key_with_null_is_a_unique_index(place, publish_into):
    nulls = "create or replace table marts.nasty as select * from (values (1, 'a'), (null, 'b')) as nasty(id, label)"
    for mark in (1, 2):
        publish_into(place, mark, nulls)
        inspector = sa.inspect(place.engine)
        assert inspector.get_pk_constraint("nasty", place.schema)["constrained_columns"] == []
        (index,) = inspector.get_indexes("nasty", place.schema)
        assert index["unique"] and index["column_names"] == ["id"]


# If this fails, two rows of one key reach readers, or the message does not say where they are.
def test_a_key_that_is_there_twice_fails(place, publish_into):
    publish_into(place, 1)
    with pytest.raises(PublishError, match="nasty: .*(?i:unique|duplicate)") as caught:
        publish_into(place, 2, "create table marts.nasty as select 7 as id from range(2)")
    assert "\n" not in str(caught.value) and "[SQL" not in str(caught.value)
    assert place.marks() == {1}


# If this fails, a mart of another shape is cut or its publication ends in a traceback.
@pytest.mark.parametrize(
    "definition, message",
    [
        ("marts.nasty as select [1, 2] as id", r"nasty: column id has type INTEGER\[\], which databases do not share"),
        (f"marts.{'x' * 51} as select 1 as a", "the name has 51 bytes, at most 50 fit"),
        (f"marts.nasty as select 1 as {'x' * 64}", "nasty: column x+: the name is longer than 63 bytes"),
    ],
)
def test_what_does_not_fit_is_named(in_sqlite, publish_into, definition, message):
    with pytest.raises(PublishError, match=message):
        publish_into(in_sqlite, 1, f"create table {definition}")


# If this fails, whole numbers beyond 64 bits are cut.
def test_large_whole_numbers(place, publish_into):
    number = 2**62 if place.kind == "sqlite" else 2**100
    publish_into(place, 1, f"create table marts.nasty as select {number}::hugeint as id, {2**63 - 1}::ubigint as other")
    assert place.rows("nasty") == [(number, 2**63 - 1)]


# If this fails, the keys of MySQL tables cut values, or a long text in one stops the publication.
def test_a_key_that_mysql_cannot_index_is_left_out(in_mariadb, publish_into):
    sent = publish_into(in_mariadb, 1, "create table marts.nasty as select repeat('x', 1000) as id")
    assert in_mariadb.rows("nasty") == [("x" * 1000,)]
    assert sent.notes[0] == "nasty has no key there: its values are longer than 3072 bytes"
    inspector = sa.inspect(in_mariadb.engine)
    assert inspector.get_pk_constraint("nasty", in_mariadb.schema)["constrained_columns"] == []


# If this fails, a long description stops the publication into MySQL.
def test_long_comments_are_cut_in_mysql(in_mariadb, publish_into):
    long = "x" * 3000
    statements = f"comment on table marts.nasty is '{long}'", f"comment on column marts.nasty.id is '{long}'"
    publish_into(in_mariadb, 1, "create table marts.nasty as select 1 as id", *statements)
    inspector = sa.inspect(in_mariadb.engine)
    assert inspector.get_table_comment("nasty", in_mariadb.schema)["text"] == "x" * 2045 + "..."
    assert inspector.get_columns("nasty", in_mariadb.schema)[0]["comment"] == "x" * 1021 + "..."


# If this fails, a plant that wants only its summaries on the server gets all attempts, or a wrong name goes unnoticed.
def test_only_the_tables_that_are_named(place, publish_into):
    sent = publish_into(place, 1, tables=["station_day", "route_step"])
    assert place.tables() == ["firstpass_version", "route_step", "station_day"] and len(sent.tables) == 2
    with pytest.raises(PublishError, match="tables: no_such_table: not published"):
        publish_into(place, 1, tables=["station_day", "no_such_table"])


# If this fails, the whole of history is sent again though the database has it, or its state is not what it says.
def test_a_version_that_is_there_is_not_sent_again(place, paths, publish_into):
    publish_into(place, 1)
    ((name, version, moment, count, plant),) = [
        row for row in place.rows("firstpass_version") if row[0] == "station_day"
    ]
    assert (name, count, plant) == ("station_day", 4, "p1")
    assert f"{moment:%Y%m%dT%H%M%S.%fZ}" == version == (paths.published / "current").resolve().name
    from publish.versions import Version

    said = []
    there = Version(version, paths.published / "current", {}, 0)
    again = send(paths, there, place.target(), plant="p1", keys={}, progress=said.append)
    assert again.tables["station_day"] == 4
    assert len(said) == 1 and said[0].endswith("connecting")
