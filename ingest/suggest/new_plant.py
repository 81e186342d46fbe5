"""A plant folder made from a suggestion: the way from an unknown file to a first report."""

import re
from pathlib import Path

from ingest.suggest.entry import Entry
from pipeline.plant import PlantError, load_plant

TEMPLATE = """\
plant:
  name: {name}
  timezone: {zone}{spaces}# of dates, weeks and shifts
  production_day_start: "00:00"
sources:
{entry}"""


def write_plant(folder: Path, entry: Entry, zone: str) -> Path:
    """Writes `<folder>/plant.yml`. Raises PlantError where there is one, or where it can't be written."""
    file = folder / "plant.yml"
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", folder.absolute().name).strip("-_") or "plant"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as target:
            target.write(TEMPLATE.format(name=name, zone=zone, spaces=" " * max(22 - len(zone), 2), entry=entry.text))
    except FileExistsError:
        raise PlantError(f"{file}: is there already; paste the entry into it") from None
    except OSError as error:
        raise PlantError(f"{file}: can't be written: {error.strerror}") from None
    load_plant(folder)
    return file
