"""plant.yml: what a plant says of itself and where its records come from.

`load_plant(folder)` gives a `Plant`, or raises `PlantError` with one line that names the key, the value and what was
expected.
"""

import os
import re
from datetime import date, time
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pipeline.paths import PROJECT

VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")
NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"


class PlantError(ValueError):
    """A plant folder that can't be used; the message is one line for the person who wrote it."""


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("expected an IANA time zone such as Asia/Singapore") from None
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Settings(Section):
    """The `plant:` section."""

    name: str = Field(pattern=NAME)
    timezone: Zone
    production_day_start: time = time(0, 0)
    serial_reuse_days: int | None = Field(default=None, gt=0)
    """A serial without a record for longer than this is a new module. None: never."""
    wip_stale_days: int = Field(default=28, gt=0)
    """Work in progress that nobody touched for longer than this no longer keeps its week from being mature."""

    @field_validator("production_day_start", mode="before")
    @classmethod
    def _clock_time(cls, value: object) -> object:
        if not isinstance(value, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
            raise ValueError('expected a time of day in quotes such as "07:00"')
        return value


class SimulatorSource(Section):
    """The simulated plant: its first load is `weeks` of history, every later one the next day."""

    name: str = Field(pattern=NAME)
    kind: Literal["simulator"]
    seed: int = 1
    scale: float = Field(default=1.0, ge=0.001, le=1000)
    """Volume, as a multiple of the reference CSVs' weekly starts."""
    weeks: int = Field(default=13, ge=1, le=1000)
    start: date = date(2024, 1, 1)


class FilesSource(Section):
    """Files of one table, found by a glob."""

    name: str = Field(pattern=NAME)
    kind: Literal["files"]
    path: str
    """Relative to the plant's folder; `**` allowed."""
    table: str
    columns: dict[str, str] = {}
    """contract column: the file's column; only where names differ by more than case and _."""
    timezone: Zone | None = None
    """Zone of timestamps that carry none; default the plant's."""
    format: Literal["csv", "tsv", "parquet", "json", "ndjson", "xlsx"] | None = None
    """Default: by the file's ending."""
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    encoding: str = "utf-8"
    timestamp_format: str | None = None
    """strptime format of text timestamps; default ISO 8601."""
    repeated_hour: Literal["first", "second"] = "first"
    """Which of the two a local time in the repeated hour of a clock change means."""
    sheet: str | None = None
    """Sheet of a workbook; default the first."""


Source = Annotated[SimulatorSource | FilesSource, Field(discriminator="kind")]


class Plant(Section):
    """A plant folder: `folder` is absolute; reference CSVs lie in it beside plant.yml."""

    folder: Path = Field(exclude=True)
    plant: Settings
    sources: list[Source] = []
    publish: list[dict] = Field(default=[], max_length=0)
    """Further targets; none can be named yet."""

    @model_validator(mode="after")
    def _names_differ(self) -> "Plant":
        names = [source.name for source in self.sources]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two sources are named {twice[0]!r}; each needs a name of its own")
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
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PlantError(f"{file}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise PlantError(f"{file}: expected a mapping with the keys plant and sources")
    content = _with_environment(content, file)
    try:
        return Plant(**{**content, "folder": folder})
    except ValidationError as error:
        raise PlantError(f"{file}: {_one_line(error)}") from None


def _with_environment(value: object, file: Path) -> object:
    """Replaces ${NAME} and ${NAME:-default} in every string of the document by the environment's value."""
    if isinstance(value, dict):
        return {key: _with_environment(item, file) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_environment(item, file) for item in value]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match) -> str:
        found = os.environ.get(match["name"]) or match["default"]
        if found is None:
            raise PlantError(f"{file}: ${{{match['name']}}} is not set in the environment")
        return found

    return VARIABLE.sub(replace, value)


def _one_line(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    kinds = {"simulator", "files"}
    key = ".".join(str(part) for part in first["loc"] if part not in kinds) or "plant.yml"
    said = first["msg"].removeprefix("Value error, ").replace("Extra inputs are not permitted", "unknown key")
    value = first["input"]
    shown = "" if isinstance(value, dict | list) or first["type"] == "missing" else f" {value!r}:"
    return f"{key}:{shown} {said}"
