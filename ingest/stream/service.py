"""All live sources of a plant at once, a thread each, until the process is told to stop."""

import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from ingest.sources.checks import check_stream
from ingest.stream.consumer import consume
from pipeline.paths import Paths
from pipeline.plant import Plant, PlantError
from pipeline.streams import StreamSource


def serve(plant: Plant, paths: Paths, names: Sequence[str], say: Callable[[str], None]) -> None:
    """Lands what the sources of these names bring, all live ones if none is named. Ends on SIGTERM and SIGINT, when
    all that was received is on the disk and acknowledged.

    Raises PlantError for what plant.yml gets wrong, and whatever ends one of them unexpectedly.
    """
    sources = _chosen(plant, names)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    with ThreadPoolExecutor(len(sources)) as threads:
        running = [threads.submit(consume, plant, it, paths, stopping=stopping, say=say) for it in sources]
        say(f"receiving {', '.join(source.name for source in sources)}")
        done, _ = wait(running, return_when=FIRST_EXCEPTION)
        stopping.set()
    for one in done:
        one.result()
    say("stopped")


def _chosen(plant: Plant, names: Sequence[str]) -> list[StreamSource]:
    live = [source for source in plant.sources if isinstance(source, StreamSource)]
    if not live:
        raise PlantError("plant.yml: sources: none is live; expected a kind such as kafka (docs/streams.md)")
    if unknown := sorted(set(names) - {source.name for source in live}):
        known = ", ".join(source.name for source in live)
        raise PlantError(f"plant.yml: sources: {unknown[0]!r} is not a live source; expected one of {known}")
    chosen = [source for source in live if not names or source.name in names]
    for source in chosen:
        check_stream(source)
    return chosen
