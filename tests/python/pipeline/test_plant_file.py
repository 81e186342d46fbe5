"""plant.yml: what is wrong with one is a line that its writer understands."""

from datetime import timedelta
from pathlib import Path

import pytest

from ingest import load_all
from pipeline.environment import subjects
from pipeline.paths import Paths
from pipeline.plant import PlantError, load_plant
from pipeline.subjects import SUBJECTS

PLANT = "plant: {name: p1, timezone: Asia/Singapore}\n"
SIMULATOR = PLANT + "sources: [{name: sim, kind: simulator, %s}]\n"
FILES = PLANT + "sources: [{name: tests, kind: files, path: x.csv, table: test_record, %s}]\n"
S3 = PLANT + "sources: [{name: dumps, kind: s3, table: test_record, %s}]\n"
SQL = PLANT + "sources: [{name: mes, kind: sql, url: 'sqlite:////x.db', table: test_record, %s}]\n"
KAFKA = PLANT + "sources: [{name: live, kind: kafka, brokers: 'b:9092', %s}]\n"
MQTT = PLANT + "sources: [{name: live, kind: mqtt, %s}]\n"
OPCUA = PLANT + "sources: [{name: live, kind: opcua, %s}]\n"
DATABASE = PLANT + "publish: [{url: 'sqlite:////x.db', %s}]\n"

WRONG = {
    "unknown zone": (
        "plant: {name: p1, timezone: Mars/Base}",
        "plant.timezone: 'Mars/Base': expected an IANA time zone such as Asia/Singapore",
    ),
    "time that YAML reads as a number": (
        "plant: {name: p1, timezone: UTC, production_day_start: 10:00}",
        'plant.production_day_start: 600: expected a time of day in quotes such as "07:00"',
    ),
    "no time of day": (
        'plant: {name: p1, timezone: UTC, production_day_start: "24:00"}',
        "plant.production_day_start: '24:00': expected a time of day in quotes such as \"07:00\"",
    ),
    "unknown key": (
        "plant: {name: p1, timezone: UTC, time_zone: UTC}",
        "plant.time_zone: unknown key; "
        "expected name, timezone, production_day_start, serial_reuse_days, wip_stale_days, subjects",
    ),
    "unknown section": (PLANT + "source: []", "source: unknown key; expected plant, sources, retention, publish"),
    "key that only a program knows": (
        PLANT + "folder: /etc",
        "folder: unknown key; expected plant, sources, retention, publish",
    ),
    "missing key": ("plant: {name: p1}", "plant.timezone: missing"),
    "missing section": ("sources: []", "plant: missing"),
    "empty section": ("plant:\nsources: []", "plant: missing"),
    "section of the wrong form": ("plant: []", "plant: expected keys with values"),
    "name that is no name": (
        "plant: {name: a b, timezone: UTC}",
        "plant.name: 'a b': expected letters, digits, - and _ only",
    ),
    "name that YAML reads as a number": (
        "plant: {name: 007, timezone: UTC}",
        "plant.name: 7: expected text (in quotes, if it looks like something else)",
    ),
    "name that YAML reads as true": (
        "plant: {name: yes, timezone: UTC}",
        "plant.name: True: expected text (in quotes, if it looks like something else)",
    ),
    "negative days": (
        "plant: {name: p1, timezone: UTC, serial_reuse_days: -1}",
        "plant.serial_reuse_days: -1: expected more than 0",
    ),
    "no days": ("plant: {name: p1, timezone: UTC, wip_stale_days: 0}", "plant.wip_stale_days: 0: expected more than 0"),
    "unknown subject": (
        "plant: {name: p1, timezone: UTC, subjects: [yields]}",
        "plant.subjects.0: 'yields': expected 'sensors', 'production', 'comparison', 'anomalies' or 'spc'",
    ),
    "subject without what it is made of": (
        "plant: {name: p1, timezone: UTC, subjects: comparison}",
        "plant.subjects: 'comparison': expected production, too, of which comparison is made",
    ),
    "more days than SQL can count": (
        "plant: {name: p1, timezone: UTC, serial_reuse_days: 99999999999999999999}",
        "plant.serial_reuse_days: 99999999999999999999: expected at most 36525",
    ),
    "wrong kind": (
        PLANT + "sources: [{name: a, kind: ftp}]",
        "sources.a.kind: 'ftp': expected simulator, files, s3, sql, kafka, mqtt or opcua",
    ),
    "no kind": (
        PLANT + "sources: [{name: a}]",
        "sources.a.kind: expected simulator, files, s3, sql, kafka, mqtt or opcua",
    ),
    "source that is only a word": (PLANT + "sources: [inbox]", "sources.1: 'inbox': expected keys with values"),
    "sources that are no list": (PLANT + "sources: {a: 1}", "sources: expected a list"),
    "two sources of one name": (
        PLANT + "sources: [{name: a, kind: simulator}, {name: a, kind: simulator}]",
        "sources.a.name: 'a': another source has this name; each needs one of its own",
    ),
    "unset variable": (
        SIMULATOR % "scale: '${FIRSTPASS_UNSET}'",
        "sources.sim.scale: '${FIRSTPASS_UNSET}': FIRSTPASS_UNSET is not set in the environment",
    ),
    "scale 0": (SIMULATOR % "scale: 0", "sources.sim.scale: 0: expected at least 0.001"),
    "scale in words": (SIMULATOR % "scale: big", "sources.sim.scale: 'big': expected a number"),
    "scale that is no number": (SIMULATOR % "scale: .nan", "sources.sim.scale: nan: expected at most 1000.0"),
    "half a week": (SIMULATOR % "weeks: 2.5", "sources.sim.weeks: 2.5: expected a whole number"),
    "day in words": (
        SIMULATOR % "start: yesterday",
        "sources.sim.start: 'yesterday': expected a date such as 2024-01-31",
    ),
    "day that does not exist": (SIMULATOR % "start: 2024-13-01", "not valid YAML: month must be in 1..12"),
    "key of another kind": (
        SIMULATOR % "path: x",
        "sources.sim.path: unknown key; expected name, kind, seed, scale, weeks, start, faults",
    ),
    "unknown format": (
        FILES % "format: xls",
        "sources.tests.format: 'xls': expected 'csv', 'tsv', 'parquet', 'json', 'ndjson', 'xlsx', 'form', 'stdf', "
        "'openhtf', 'wats' or 'atml'",
    ),
    "table of forms": (
        FILES % "format: form",
        "sources.tests: format: form: expected kind: files, and no table, columns or layout: "
        "a form itself says what it is",
    ),
    "long delimiter": (FILES % "delimiter: ';;'", "sources.tests.delimiter: ';;': expected one character"),
    "column that is no text": (
        FILES % "columns: {serial_num: 5}",
        "sources.tests.columns.serial_num: 5: expected text (in quotes, if it looks like something else)",
    ),
    "column from nowhere": (
        FILES % "columns: {serial_num: {values: {a: b}}}",
        "sources.tests.columns.serial_num: expected one of from, value, path, sheet, cell, sql",
    ),
    "column from two places": (
        FILES % "columns: {serial_num: {value: a, from: b}}",
        "sources.tests.columns.serial_num: expected one of from, value, path, sheet, cell, sql",
    ),
    "column with a key that none has": (
        FILES % "columns: {serial_num: {valeu: a}}",
        "sources.tests.columns.serial_num.valeu: unknown key; expected from, value, path, sheet, cell, sql, values",
    ),
    "column by a pattern without a group": (
        FILES % "columns: {serial_num: {path: '['}}",
        "sources.tests.columns.serial_num.path: '[': expected a regular expression with a group in brackets, such as "
        "([^/]+)/[^/]+$",
    ),
    "constant that is a date": (
        FILES % "columns: {serial_num: {value: 2024-01-31}}",
        "sources.tests.columns.serial_num.value: datetime.date(2024, 1, 31): expected text (a date or time in quotes), "
        "a number, true or false",
    ),
    "cell that is none": (
        FILES % "columns: {serial_num: {cell: b-2}}",
        "sources.tests.columns.serial_num.cell: 'b-2': expected a cell such as B2",
    ),
    "formats that are a number": (
        FILES % "timestamp_format: 5",
        "sources.tests.timestamp_format: 5: expected text (in quotes, if it looks like something else)",
    ),
    "tables beside a table": (
        FILES % "tables: [{table: rework}]",
        "sources.tests: tables says it already: write table with each table",
    ),
    "a table twice": (
        PLANT + "sources: [{name: a, kind: files, path: x.csv, tables: [{table: rework}, {table: rework}]}]",
        "sources.a: tables has rework twice; give the second a source of its own with the same path",
    ),
    "a key that no table has": (
        PLANT + "sources: [{name: a, kind: files, path: x.csv, tables: [{table: rework, path: y}]}]",
        "sources.a.tables.0.path: unknown key; expected table, columns, where",
    ),
    "header with a name twice": (FILES % "header: [a, a]", "sources.tests: header has the column 'a' twice"),
    "fewer than no lines": (FILES % "skip_rows: -1", "sources.tests.skip_rows: -1: expected at least 0"),
    "merged cells by halves": (
        FILES % "fill_merged: half",
        "sources.tests.fill_merged: 'half': expected true or false",
    ),
    "kafka without topics": (KAFKA % "topics: []", "sources.live.topics: expected at least one"),
    "kafka's password as a list": (
        KAFKA % "topics: [t], settings: {sasl.password: [hunter2]}",
        "sources.live.settings.sasl.password: expected text (in quotes, if it looks like something else)",
    ),
    "columns that are a list": (FILES % "columns: [serial_num]", "sources.tests.columns: expected keys with values"),
    "broker that is a URL": (
        MQTT % "broker: 'mqtt://user:secret@host', topics: [t]",
        "sources.live.broker: expected a host, or host:port",
    ),
    "port that no broker can have": (
        MQTT % "broker: 'host:70000', topics: [t]",
        "sources.live.broker: expected a host, or host:port",
    ),
    "topic that is none": (
        MQTT % "broker: host, topics: ['plant/#/x']",
        "sources.live.topics: 'plant/#/x': expected a topic such as plant/{plant_name}/lane/+/#, each name once",
    ),
    "topic of a payload that is none": (
        MQTT % "broker: host, topics: [t], payload: {topics: ['{x}/{x}']}",
        "sources.live.payload.topics: '{x}/{x}': expected a topic such as plant/{plant_name}/lane/+/#, each name once",
    ),
    "key that a payload has not": (
        MQTT % "broker: host, topics: [t], payload: {path: x}",
        "sources.live.payload.path: unknown key; expected format, topics, each, values",
    ),
    "key that TLS has not": (
        MQTT % "broker: host, topics: [t], tls: {cert: x}",
        "sources.live.tls.cert: unknown key; expected ca, certificate, key",
    ),
    "password that is a number": (
        MQTT % "broker: host, topics: [t], password: 12345",
        "sources.live.password: expected text (in quotes, if it looks like something else)",
    ),
    "server with a password in its URL": (
        OPCUA % "url: 'opc.tcp://user:secret@host', nodes: [i=1]",
        "sources.live.url: expected a URL without user and password, such as opc.tcp://press-4:4840",
    ),
    "node that is none": (
        OPCUA % "url: 'opc.tcp://host', nodes: {a: temperature}",
        "sources.live.nodes: 'temperature': expected such as ns=2;s=Line1.Temperature, or a path: /2:Line1/2:T",
    ),
    "nodes that are no text": (
        OPCUA % "url: 'opc.tcp://host', nodes: [[1]]",
        "sources.live.nodes: expected keys with values",
    ),
    "policy that is unknown": (
        OPCUA % "url: 'opc.tcp://host', nodes: [i=1], security: {policy: Basic256, certificate: c, key: k}",
        "sources.live.security.policy: 'Basic256': expected 'Basic256Sha256', 'Aes128Sha256RsaOaep' or "
        "'Aes256Sha256RsaPss'",
    ),
    "path that is not of a store": (
        S3 % "path: inbox/*.csv",
        "sources.dumps.path: 'inbox/*.csv': expected objects of a bucket, such as s3://bucket/folder/**/*.parquet",
    ),
    "bucket alone": (
        S3 % "path: 's3://bucket/'",
        "sources.dumps.path: 's3://bucket/': expected objects of a bucket, such as s3://bucket/folder/**/*.parquet",
    ),
    "pattern that is none": (
        S3 % "path: 's3://bucket/a**/b'",
        "sources.dumps.path: 's3://bucket/a**/b': expected objects of a bucket, such as "
        "s3://bucket/folder/**/*.parquet",
    ),
    "endpoint with a password": (
        S3 % "path: 's3://bucket/*', endpoint: 'http://me:hunter2@host'",
        "sources.dumps.endpoint: expected a URL without user and password, such as https://minio.example:9000",
    ),
    "key that no store has": (
        S3 % "path: 's3://bucket/*', region: x",
        "sources.dumps.region: unknown key; expected name, table, columns, timezone, timestamp_format, "
        "repeated_hour, kind, path, tables, where, format, delimiter, decimal, encoding, header, skip_rows, sheet, "
        "fill_merged, endpoint",
    ),
    "neither table nor query": (SQL % "", "sources.mes: expected either from, a table, or query"),
    "table and query": (SQL % "from: a, query: b", "sources.mes: expected either from, a table, or query"),
    "overlap without a column": (
        SQL % "from: a, overlap: 1 hour",
        "sources.mes: overlap needs high_water, the column that it is reckoned in",
    ),
    "overlap of an unknown unit": (
        SQL % "from: a, high_water: b, overlap: 1 year",
        "sources.mes.overlap: '1 year': expected a time such as 2 hours or 3 days, or a whole number such as 1000",
    ),
    "overlap that is negative": (
        SQL % "from: a, high_water: b, overlap: -1",
        "sources.mes.overlap: -1: expected a time such as 2 hours or 3 days, or a whole number such as 1000",
    ),
    "query of nothing": (SQL % "query: ''", "sources.mes.query: '': expected some text"),
    "key that no database has": (
        SQL % "relation: a",
        "sources.mes.relation: unknown key; expected name, table, columns, timezone, timestamp_format, "
        "repeated_hour, kind, url, from, query, high_water, overlap",
    ),
    "source with a URL that is none": (
        PLANT + "sources: [{name: mes, kind: sql, url: 'me:hunter2@host', table: t, from: a}]",
        "sources.mes.url: expected a database URL such as postgresql://user:password@host/name or "
        "sqlite:////path/to/file.db",
    ),
    "target of another kind": (DATABASE % "kind: postgres", "publish.1.kind: 'postgres': expected 'database'"),
    "target without a URL": (PLANT + "publish: [{kind: database}]", "publish.1.url: missing"),
    "key that no target has": (
        DATABASE % "kind: database, scheme: marts",
        "publish.1.scheme: unknown key; expected kind, url, schema, reader, tables",
    ),
    "key that only a program knows of a target": (
        DATABASE % "kind: database, schema_name: marts",
        "publish.1.schema_name: unknown key; expected kind, url, schema, reader, tables",
    ),
    "URL that is none": (
        PLANT + "publish: [{kind: database, url: 'me:hunter2@host'}]",
        "publish.1.url: expected a database URL such as postgresql://user:password@host/name or "
        "sqlite:////path/to/file.db",
    ),
    "port that is none": (
        PLANT + "publish: [{kind: database, url: 'postgresql://me:hunter2@host:port/x'}]",
        "publish.1.url: expected a database URL such as postgresql://user:password@host/name or "
        "sqlite:////path/to/file.db",
    ),
    "SQLite without a file": (
        PLANT + "publish: [{kind: database, url: 'sqlite://'}]",
        "publish.1.url: expected a database URL such as postgresql://user:password@host/name or "
        "sqlite:////path/to/file.db",
    ),
    "SQLite file whose place depends on where one is": (
        PLANT + "publish: [{kind: database, url: 'sqlite:///x.db'}]",
        "publish.1.url: expected a database URL such as postgresql://user:password@host/name or "
        "sqlite:////path/to/file.db",
    ),
    "schema that is no plain name": (
        DATABASE % "kind: database, schema: 'a b'",
        "publish.1.schema: 'a b': expected letters, digits, - and _ only",
    ),
    "no tables at all": (DATABASE % "kind: database, tables: []", "publish.1.tables: expected at least one"),
    "tables that are no list": (DATABASE % "kind: database, tables: all", "publish.1.tables: 'all': expected a list"),
    "retention without a unit": (
        PLANT + "retention: {detail: 26}",
        "retention.detail: 26: expected a number of weeks such as 26 weeks",
    ),
    "retention in another unit": (
        PLANT + "retention: {raw: {test_record: 6 months}}",
        "retention.raw.test_record: '6 months': expected a number of weeks such as 26 weeks",
    ),
    "retention of no time": (
        PLANT + "retention: {detail: 0 weeks}",
        "retention.detail: '0 weeks': expected a number of weeks such as 26 weeks",
    ),
    "retention of marts": (
        PLANT + "retention: {marts: 9 weeks}",
        "retention.marts: unknown key; expected detail, raw",
    ),
    "not YAML": ("plant: {name: p1", "not valid YAML: line 1, column 17: expected ',' or '}', but got '<stream end>'"),
    "tab": (
        "plant:\n\tname: p1",
        "not valid YAML: line 2, column 1: found character '\\t' that cannot start any token",
    ),
    "variable in braces, and another fault": (
        "plant: {name: ${NAME}, timezone: UTC",
        "not valid YAML: line 1, column 16: expected ',' or '}', but got '{'",
    ),
    "section that is there twice": (PLANT + PLANT, "not valid YAML: line 2, column 1: the key plant is there twice"),
    "key that is a number": (PLANT + "5: 3", "not valid YAML: line 2, column 1: expected text as a key"),
    "object of a program": (
        "plant: !call x",
        "not valid YAML: line 1, column 8: could not determine a constructor for the tag '!call'",
    ),
    "not a mapping": ("- 1", "expected a mapping with the keys plant and sources"),
    "empty file": ("", "expected a mapping with the keys plant and sources"),
    "value of two lines": (
        'plant: {name: "a\\nb", timezone: UTC}',
        "plant.name: 'a\\nb': expected letters, digits, - and _ only",
    ),
    "value without an end": (
        f"plant: {{name: {'x ' * 999}, timezone: UTC}}",
        f"plant.name: '{('x ' * 40)[:79]}...: expected letters, digits, - and _ only",
    ),
}


def reason(folder: Path) -> str:
    """The message, without the file that it begins with."""
    with pytest.raises(PlantError) as caught:
        load_plant(folder)
    message = str(caught.value)
    assert "\n" not in message
    return message.removeprefix(f"{folder / 'plant.yml'}: ")


# the plant's writer can't tell what to change
@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_one_line_with_key_value_and_what_was_expected(case, tmp_path):
    content, expected = WRONG[case]
    (tmp_path / "plant.yml").write_text(content)
    found = reason(tmp_path)
    assert found == expected


def test_a_file_that_is_not_utf_8_says_so(tmp_path):
    (tmp_path / "plant.yml").write_bytes("plant: {name: Werk-Süd, timezone: UTC}".encode("cp1252"))
    assert reason(tmp_path) == "expected UTF-8, which byte 21 is not"


def test_a_folder_without_plant_yml_says_what_a_plant_is(tmp_path):
    assert reason(tmp_path).startswith("not found; a plant is a folder with a plant.yml in it")


# a password would stand in the log of every night, and in mails about it
@pytest.mark.parametrize(
    "content",
    [
        "plant: {name: '${SECRET}', timezone: UTC}",
        "plant: {name: p1, timezone: '${SECRET}'}",
        "plant: {name: p1, timezone: 'Asia/${SECRET}'}",
        "plant: {name: p1, timezone: UTC, production_day_start: '${SECRET}'}",
        "plant: {name: p1, timezone: UTC, serial_reuse_days: '${SECRET}'}",
        "plant: {name: p1, timezone: UTC, passwrd: '${SECRET}'}",
        PLANT + "sources: [{name: a, kind: '${SECRET}'}]",
        PLANT + "sources: ['${SECRET}']",
        PLANT + "sources: '${SECRET}'",
        SIMULATOR % "scale: '${SECRET}'",
        SIMULATOR % "weeks: '${SECRET}'",
        SIMULATOR % "start: '${SECRET:-2024-01-01}'",
        FILES % "format: '${SECRET}'",
        FILES % "delimiter: '${SECRET}'",
        FILES % "timezone: '${SECRET}'",
        FILES % "columns: {serial_num: ['${SECRET}']}",
        FILES % "colums: '${SECRET}'",
        S3 % "path: '${SECRET}'",
        S3 % "path: 's3://b/*', endpoint: '${SECRET}'",
        SQL % "from: a, high_water: b, overlap: '${SECRET}'",
        PLANT + "sources: [{name: a, kind: sql, url: 'x${SECRET}', table: t, from: a}]",
        PLANT + "sources: [{name: a, kind: sql, url: 'x://${SECRET}', table: t}]",
        PLANT + "publish: ['${SECRET}']",
        PLANT + "publish: [{kind: '${SECRET}', url: x}]",
        PLANT + "publish: [{kind: database, url: '${SECRET}'}]",
        PLANT + "publish: [{kind: database, url: 'postgresql://me:${SECRET}@h:x/d'}]",
        PLANT + "publish: [{kind: database, url: {a: '${SECRET}'}}]",
        PLANT + "publish: [{kind: database, url: 'sqlite:////x', reader: '${SECRET}'}]",
        PLANT + "publish: [{kind: database, url: 'sqlite:////x', tables: '${SECRET}'}]",
    ],
)
def test_no_message_shows_what_the_environment_said(content, tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET", "hunter 2")
    (tmp_path / "plant.yml").write_text(content)
    assert "hunter" not in reason(tmp_path)


def test_two_sources_may_not_get_one_name_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET", "hunter2")
    (tmp_path / "plant.yml").write_text(
        PLANT + "sources: [{name: hunter2, kind: simulator}, {name: '${SECRET}', kind: simulator}]"
    )
    assert reason(tmp_path) == "sources.2.name: '${SECRET}': another source has this name; each needs one of its own"


def test_variables_are_replaced_and_have_defaults(tmp_path, monkeypatch):
    monkeypatch.setenv("FIRSTPASS_TEST_SCALE", "0.5")
    monkeypatch.setenv("FIRSTPASS_TEST_EMPTY", "")
    monkeypatch.delenv("FIRSTPASS_UNSET", raising=False)
    settings = {
        "scale": "${FIRSTPASS_TEST_SCALE:-1}",
        "weeks": "${FIRSTPASS_TEST_EMPTY:-4}",
        "seed": "1${FIRSTPASS_UNSET:-7}",
    }
    (tmp_path / "plant.yml").write_text(SIMULATOR % ", ".join(f"{key}: '{value}'" for key, value in settings.items()))
    (source,) = load_plant(tmp_path).sources
    assert (source.scale, source.weeks, source.seed) == (0.5, 4, 17)


def test_what_is_left_out_has_its_default(tmp_path):
    (tmp_path / "plant.yml").write_text("\ufeff" + PLANT + "sources:\n")
    plant = load_plant(tmp_path)
    assert plant.sources == [] and plant.folder == tmp_path
    assert (plant.plant.serial_reuse_days, plant.plant.wip_stale_days) == (None, 28)


# a line that everybody writes, and that YAML alone can't read, keeps a plant from running
def test_a_variable_in_braces_needs_no_quotes(tmp_path, monkeypatch):
    monkeypatch.setenv("PUBLISH_URL", "sqlite:////x.db")
    line = (
        "publish: [{kind: database, url: ${PUBLISH_URL}, schema: marts}, {kind: database, url: ${UNSET:-sqlite:////y}}]"
    )
    (tmp_path / "plant.yml").write_text(PLANT + line)
    assert [target.url.get_secret_value() for target in load_plant(tmp_path).publish] == [
        "sqlite:////x.db",
        "sqlite:////y",
    ]


def test_a_database_shows_no_url(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET", "postgresql://me:hunter2@host/x")
    (tmp_path / "plant.yml").write_text(PLANT + "publish: [{kind: database, url: '${SECRET}', schema: m, reader: bi}]")
    plant = load_plant(tmp_path)
    (target,) = plant.publish
    assert target.url.get_secret_value() == "postgresql://me:hunter2@host/x"
    assert (target.schema_name, target.reader, target.tables) == ("m", "bi", None)
    assert "hunter2" not in repr(plant) + str(plant) + repr(plant.model_dump()) + plant.model_dump_json()


def test_a_database_source_shows_no_url(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET", "postgresql://me:hunter2@host/x")
    (tmp_path / "plant.yml").write_text(
        PLANT + "sources: [{name: a, kind: sql, url: ${SECRET}, table: t, query: q, high_water: h, overlap: 2 days}]"
    )
    plant = load_plant(tmp_path)
    (source,) = plant.sources
    assert source.url.get_secret_value() == "postgresql://me:hunter2@host/x" and source.overlap == timedelta(days=2)
    assert "hunter2" not in repr(plant) + str(plant) + repr(plant.model_dump()) + plant.model_dump_json()


def test_the_demo_plant_is_the_default(monkeypatch):
    monkeypatch.delenv("PLANT", raising=False)
    assert load_plant().name == "demo"


# A plant that wants yields alone would get, and pay for, everything.
@pytest.mark.parametrize(
    ("written", "built"), [("[]", []), ('""', []), ("[sensors, spc]", ["sensors", "spc"]), (None, SUBJECTS)]
)
def test_the_subjects_of_the_lake_are_those_of_the_plant(tmp_path, written, built):
    subject = "" if written is None else f", subjects: {written}"
    (tmp_path / "plant.yml").write_text(
        f"plant: {{name: p1, timezone: UTC{subject}}}\n"
        "sources: [{name: tests, kind: files, path: '*.csv', table: test_record}]\n"
    )
    paths = Paths(tmp_path / "data")
    load_all(load_plant(tmp_path), paths)
    assert subjects(paths) == built
