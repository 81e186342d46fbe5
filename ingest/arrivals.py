"""What is new to a plant, source by source."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from ingest import retention
from ingest.compaction import compact
from ingest.lake import Load
from ingest.loader import Loader, Progress
from ingest.source import Object, Unreachable
from ingest.sources import checks, files, forms, simulator
from ingest.stream import landed
from pipeline.paths import Paths
from pipeline.plant import Plant, Source
from pipeline.streams import StreamSource


def load_all(plant: Plant, paths: Paths, progress: Progress = lambda thing, rows: None) -> list[Load]:
    """Loads everything that is new to a plant, and returns what came of each new object: loaded, failed or deferred.

    Reference data first, then the sources in the order of plant.yml; one that can't be reached fails alone. Last the
    calendar of the years that there are. The caller holds the run lock. Raises PlantError for what plant.yml gets
    wrong, before anything is loaded.
    """
    with _opened(plant, paths, progress) as loader:
        return loader.load_reference() + _load_sources(loader, plant.sources) + loader.load_calendar()


def load_landed(plant: Plant, paths: Paths, progress: Progress = lambda thing, rows: None) -> list[Load]:
    """The same for what live sources have landed, alone."""
    with _opened(plant, paths, progress) as loader:
        return _load_sources(loader, [source for source in plant.sources if isinstance(source, StreamSource)])


def check(plant: Plant) -> None:
    """Raises PlantError for what plant.yml gets wrong."""
    retention.check(plant)
    checks.check(plant)


@contextmanager
def _opened(plant: Plant, paths: Paths, progress: Progress) -> Iterator[Loader]:
    check(plant)
    with closing(Loader(plant, paths, progress)) as loader:
        yield loader
        compact(loader.lake)


def _load_sources(loader: Loader, sources: list[Source]) -> list[Load]:
    loads = []
    for source in sources:
        found = []
        try:
            for load in loader.load_each(_objects(loader, source)):
                found.append(load)
        except Unreachable as error:
            found.append(loader.fail(source, error))
        loader.note_attempt(source.name, found)
        loads += found
    return loads + landed.orphans(loader.plant, loader.lake)


def _objects(loader: Loader, source: Source) -> Iterator[Object]:
    """Libraries that take a moment to import are left to the plants that need them."""
    plant, paths, lake = loader.plant, loader.lake.paths, loader.lake
    if source.kind == "files":
        return forms.find(plant, source, paths, lake) if source.format == "form" else files.find(plant, source, paths)
    if source.kind == "s3":
        from ingest.sources import s3

        return s3.find(plant, source, paths, list(lake.loads))
    if source.kind == "sql":
        from ingest.sources import database

        return database.find(plant, source, list(lake.loads))
    if isinstance(source, StreamSource):
        return landed.find(source, paths, lake)
    return simulator.find(plant, source, list(lake.loads))
