"""plant.yml: what a plant says of itself and where its records come from.

`load_plant(folder)` gives a `Plant`, or raises `PlantError` with one line that names the key, the value and what was
expected.
"""

import os
import re
from collections.abc import Sequence
from datetime import date, time, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from pipeline.document import read_document, with_environment
from pipeline.origin import Columns, Origin
from pipeline.paths import PROJECT
from pipeline.section import NAME, Section, Texts, Zone
from pipeline.streams import KafkaSource, MqttSource, OpcuaSource, Payload, Security, Tls
from pipeline.subjects import MADE_OF, SUBJECTS
from pipeline.targets import DatabaseTarget

MOST_DAYS = 36_525
LONGEST_SHOWN = 80
"""Characters of a value that a message shows."""


class PlantError(ValueError):
    """A plant folder that can't be used; the message is one line for the person who wrote it."""


def _weeks(text: object) -> int:
    found = re.fullmatch(r"(\d{1,4}) weeks?", text) if isinstance(text, str) else None
    if not found or not int(found[1]):
        raise ValueError("expected a number of weeks such as 26 weeks")
    return int(found[1])


Weeks = Annotated[int, BeforeValidator(_weeks)]


def _window(written: object) -> int | timedelta:
    found = re.fullmatch(r"(\d{1,4}) (minute|hour|day|week)s?", written) if isinstance(written, str) else None
    if found:
        return timedelta(**{f"{found[2]}s": int(found[1])})
    if not isinstance(written, int) or isinstance(written, bool) or written < 0:
        raise ValueError("expected a time such as 2 hours or 3 days, or a whole number such as 1000")
    return written


Window = Annotated[int | timedelta, BeforeValidator(_window)]


class Settings(Section):
    """The `plant:` section."""

    name: str = Field(pattern=NAME)
    timezone: Zone
    production_day_start: time = time(0, 0)
    serial_reuse_days: int | None = Field(default=None, gt=0, le=MOST_DAYS)
    """A serial without a record for longer than this is a new module. None: never."""
    wip_stale_days: int = Field(default=28, gt=0, le=MOST_DAYS)
    """Work in progress that nobody touched for longer than this no longer keeps its week from being mature."""
    subjects: list[Literal[*SUBJECTS]] = SUBJECTS
    """What is built and published besides yields; in one text, separated by blanks, or a list."""

    @field_validator("production_day_start", mode="before")
    @classmethod
    def _clock_time(cls, value: object) -> object:
        if not isinstance(value, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
            raise ValueError('expected a time of day in quotes such as "07:00"')
        return value

    @field_validator("subjects", mode="before")
    @classmethod
    def _listed(cls, written: object) -> object:
        return written.split() if isinstance(written, str) else written

    @field_validator("subjects")
    @classmethod
    def _have_what_they_read(cls, names: list[str]) -> list[str]:
        for name in names:
            if missing := [it for it in MADE_OF[name] if it not in names]:
                raise ValueError(f"expected {' and '.join(missing)}, too, of which {name} is made")
        return names


class SimulatorSource(Section):
    """The simulated plant: its first load is `weeks` of history, every later one the next day."""

    name: str = Field(pattern=NAME)
    kind: Literal["simulator"]
    seed: int = 1
    scale: float = Field(default=1.0, ge=0.001, le=1000)
    """Volume, as a multiple of the reference CSVs' weekly starts."""
    weeks: int = Field(default=13, ge=1, le=1000)
    start: date = date(2024, 1, 1)
    faults: Literal["none", "sensors", "all"] = "none"
    """Which faults of faults.csv happen (docs/simulated_plant.md)."""


class RecordSource(Section):
    """Records of one table."""

    name: str = Field(pattern=NAME)
    table: str
    columns: Columns = {}
    """Only where names differ by more than case and _."""
    timezone: Zone | None = None
    """Zone of timestamps that carry none; default the plant's."""
    timestamp_format: Texts | None = None
    """strptime formats of text timestamps, the first that fits; default ISO 8601."""
    repeated_hour: Literal["first", "second"] = "first"
    """Which of the two a local time in the repeated hour of a clock change means."""


class TablePart(Section):
    """What of a file goes to one of several tables."""

    table: str
    columns: Columns = {}
    where: str | None = Field(default=None, min_length=1)


OF_FILES = {"table", "tables", "columns", "where", "header", "skip_rows", "sheet", "fill_merged"}
"""Keys of a source that say what a form itself says."""


class FilesSource(RecordSource):
    """Files, found by a glob: of one table or several, or in a format that knows its tables (test equipment, forms)."""

    kind: Literal["files"]
    path: str
    """Relative to the plant's folder; `**` allowed; it may go on within ZIP files: inbox/*.zip/*.csv."""
    table: str | None = None
    """May be left out for stdf, openhtf, wats and atml: all tables of the format are loaded; never given for form."""
    tables: list[TablePart] = Field(default=[], min_length=1)
    """Instead of table, columns and where: each record may be one of several tables."""
    where: str | None = Field(default=None, min_length=1)
    """SQL condition over received columns, all of them text; what does not fulfil it is left out, and counted."""
    format: (
        Literal["csv", "tsv", "parquet", "json", "ndjson", "xlsx", "form", "stdf", "openhtf", "wats", "atml"] | None
    ) = None
    """Default: by the file's ending. `form`: operators' workbooks, each of which says what it is for."""
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    decimal: Literal[","] | None = None
    """Decimal sign of the numbers of a text file, if it is no point; a dot then separates thousands."""
    encoding: str = "utf-8"
    header: list[str] | None = Field(default=None, min_length=1)
    """Names of the columns by position, where no line has them."""
    skip_rows: int = Field(default=0, ge=0, le=1_000_000)
    """Lines of a file, or rows of a sheet, above the header or the first record."""
    sheet: str | None = Field(default=None, min_length=1)
    """Sheet of a workbook, or a glob over the titles of several; default the first."""
    fill_merged: bool = False
    """Whether the value of merged cells stands in all of them."""

    @model_validator(mode="after")
    def _says_tables_once(self) -> "FilesSource":
        for key in ("table", "columns", "where"):
            if self.tables and getattr(self, key):
                raise PydanticCustomError("in_tables", "", {"key": key})
        for index, part in enumerate(self.tables):
            if part.table in [other.table for other in self.tables[:index]]:
                raise PydanticCustomError("same_table", "", {"table": part.table})
        if self.header and (twice := [name for name in self.header if self.header.count(name) > 1]):
            raise PydanticCustomError("same_column", "", {"name": twice[0]})
        return self

    @model_validator(mode="after")
    def _forms_speak_for_themselves(self) -> "FilesSource":
        if self.format == "form" and (self.kind != "files" or self.model_fields_set & OF_FILES):
            expected = "expected kind: files, and no table, columns or layout"
            raise ValueError(f"format: form: {expected}: a form itself says what it is")
        return self


class S3Source(FilesSource):
    """Objects of an S3-compatible store, found by a glob. Credentials are where AWS's tools look for them."""

    kind: Literal["s3"]
    path: str
    """s3://bucket/glob; `**` allowed."""
    endpoint: str | None = None
    """URL of a store that is not AWS's."""

    @field_validator("path")
    @classmethod
    def _names_objects(cls, path: str) -> str:
        found = re.fullmatch(r"s3://[A-Za-z0-9._-]+/(.*[^/])", path, re.DOTALL)
        if not found or any("**" in part and part != "**" for part in found[1].split("/")):
            raise ValueError("expected objects of a bucket, such as s3://bucket/folder/**/*.parquet")
        return path

    @field_validator("endpoint")
    @classmethod
    def _is_url(cls, endpoint: str) -> str:
        if not re.fullmatch(r"https?://[^\s/@?#]+(/[^\s@?#]*)?", endpoint):
            raise ValueError("expected a URL without user and password, such as https://minio.example:9000")
        return endpoint

    @property
    def bucket(self) -> str:
        return self.path.split("/")[2]

    @property
    def glob(self) -> str:
        """Of keys within the bucket."""
        return self.path.split("/", 3)[3]


class SqlSource(RecordSource):
    """A table, a view or a query of a database that SQLAlchemy knows."""

    kind: Literal["sql"]
    url: SecretStr
    """As SQLAlchemy writes it. It holds a password: no message, log or repr may show it."""
    relation: str | None = Field(default=None, alias="from", min_length=1)
    """Table or view, with its schema before a dot."""
    query: str | None = Field(default=None, min_length=1)
    high_water: str | None = Field(default=None, min_length=1)
    """Column that a new or changed row has a higher value in. None: everything is read each time."""
    overlap: Window | None = None
    """How far below the highest value that was loaded reading begins; default an hour, or 1000 for whole numbers."""

    @field_validator("url")
    @classmethod
    def _usable(cls, url: SecretStr) -> SecretStr:
        from publish.databases.address import Address  # SQLAlchemy takes a moment; most plants need none

        Address(url.get_secret_value())
        return url

    @model_validator(mode="after")
    def _is_consistent(self) -> "SqlSource":
        if (self.relation is None) == (self.query is None):
            raise ValueError("expected either from, a table, or query")
        if self.overlap is not None and self.high_water is None:
            raise ValueError("overlap needs high_water, the column that it is reckoned in")
        return self


Source = Annotated[
    SimulatorSource | FilesSource | S3Source | SqlSource | KafkaSource | MqttSource | OpcuaSource,
    Field(discriminator="kind"),
]


class Retention(Section):
    """The `retention:` section: how long what is named stays, in whole weeks before the current one; the rest for ever.

    Weeks older than `detail` are closed: their marts stay as they are, the rows of single attempts and modules go.
    """

    detail: Weeks | None = None
    raw: dict[str, Weeks] = {}
    """By table of the lake. Which tables there are is known to `ingest.retention.check`."""


class Plant(Section):
    """A plant folder: `folder` is absolute; reference CSVs lie in it beside plant.yml."""

    folder: Path = Field(exclude=True)
    plant: Settings
    sources: list[Source] = []
    retention: Retention = Retention()
    publish: list[DatabaseTarget] = []
    """Further targets."""

    @model_validator(mode="after")
    def _names_differ(self) -> "Plant":
        names = set()
        for index, source in enumerate(self.sources):
            if source.name in names:
                raise PydanticCustomError("same_name", "", {"at": ("sources", index, source.kind, "name")})
            names.add(source.name)
        return self

    @property
    def name(self) -> str:
        return self.plant.name


def load_plant(folder: Path | str | None = None) -> Plant:
    """Reads and checks `<folder>/plant.yml` (default: `$PLANT`, then plants/demo)."""
    folder = Path(folder or os.environ.get("PLANT") or PROJECT / "plants" / "demo").expanduser().absolute()
    file = folder / "plant.yml"
    if not file.is_file():
        raise PlantError(f"{file}: not found; a plant is a folder with a plant.yml in it (docs/data_contract.md)")
    try:
        reason = "expected a mapping with the keys plant and sources"
        written = read_document(file)
        if isinstance(written, dict):
            return _plant(folder, {key: value for key, value in written.items() if value is not None})
    except (ValueError, OSError) as error:
        reason = error
    raise PlantError(" ".join(f"{file}: {reason}".split()))


def _plant(folder: Path, written: dict) -> Plant:
    """Raises ValueError with key, value and what was expected."""

    def unset(at: list, value: str, name: str) -> ValueError:
        return ValueError(f"{_key(at, written)}: {value!r}: {name} is not set in the environment")

    if "folder" in written:
        raise ValueError(f"folder: {_expected_keys(Plant)}")
    try:
        return Plant(**with_environment(written, unset), folder=folder)
    except ValidationError as error:
        raise ValueError(_explain(error.errors(include_url=False)[0], written)) from None


EXPECTED = {
    "missing": "missing",
    "string_type": "expected text (in quotes, if it looks like something else)",
    "string_pattern_mismatch": "expected letters, digits, - and _ only",
    "string_too_short": "expected some text",
    "string_too_long": "expected one character",
    "int_": "expected a whole number",
    "float_": "expected a number",
    "date_": "expected a date such as 2024-01-31",
    "greater_than_equal": "expected at least {ge}",
    "greater_than": "expected more than {gt}",
    "less_than_equal": "expected at most {le}",
    "finite_number": "expected a number",
    "literal_error": "expected {expected}",
    "union_tag": "expected simulator, files, s3, sql, kafka, mqtt or opcua",
    "list_type": "expected a list",
    "dict_type": "expected keys with values",
    "model": "expected keys with values",
    "too_short": "expected at least one",
    "same_name": "another source has this name; each needs one of its own",
    "bool_": "expected true or false",
    "in_tables": "tables says it already: write {key} with each table",
    "same_table": "tables has {table} twice; give the second a source of its own with the same path",
    "same_column": "header has the column {name!r} twice",
    "value_error": "{error}",
}
"""What to say, by the beginning of pydantic's name for an error."""
MODELS = {
    "plant": Settings,
    "retention": Retention,
    "simulator": SimulatorSource,
    "files": FilesSource,
    "s3": S3Source,
    "sql": SqlSource,
    "kafka": KafkaSource,
    "mqtt": MqttSource,
    "opcua": OpcuaSource,
    "payload": Payload,
    "tls": Tls,
    "security": Security,
    "publish": DatabaseTarget,
}
PARTS = {"columns": Origin, "tables": TablePart}
"""What the keys of a source hold."""
SECRETS = ("url", "endpoint", "broker", "settings", "password")
"""Keys whose values are not even shown as written."""


def _explain(error: ErrorDetails, written: dict) -> str:
    """Key, value and what was expected. The value is shown as written: what a ${VARIABLE} brings may be a secret."""
    kind, context = error["type"], error.get("ctx", {})
    at = list(context.get("at", error["loc"]))
    section = MODELS.get(at.pop(2) if at[0] == "sources" and len(at) > 2 else at[0], Plant)
    if len(at) > 3:
        section = MODELS.get(at[2], section)
    section = next((PARTS[part] for part in reversed(at[2:-1]) if part in PARTS), section)
    if kind.startswith("union_tag"):
        at.append("kind")
    value = written
    for part in at:
        value = value.get(part) if isinstance(value, dict) else value[part] if isinstance(value, list) else None
    shown = repr(value)
    if value is None or isinstance(value, dict | list) or kind == "extra_forbidden" or not set(SECRETS).isdisjoint(at):
        shown = ""
    elif len(shown) > LONGEST_SHOWN:
        shown = shown[:LONGEST_SHOWN] + "..."
    said = next((text for start, text in EXPECTED.items() if kind.startswith(start)), "not a value of this key")
    said = _expected_keys(section) if kind == "extra_forbidden" else said.format(**context)
    return ": ".join(filter(None, [_key(at, written), shown, said]))


def _expected_keys(section: type[Section]) -> str:
    keys = [it.alias or name for name, it in section.model_fields.items() if not it.exclude]
    return f"unknown key; expected {', '.join(keys)}"


def _key(at: Sequence, written: dict) -> str:
    """Such as `plant.timezone` or `sources.simulator.scale`; what has no usable name is named by its place, from 1."""
    if len(at) > 1 and isinstance(at[1], int):
        source = written[at[0]][at[1]]
        name = source.get("name") if isinstance(source, dict) else None
        at = [at[0], name if isinstance(name, str) and re.match(NAME, name) else at[1] + 1, *at[2:]]
    return ".".join(map(str, at))
