"""`python -m bench.sources`: rows per second and peak memory of each format and kind of source, loaded by Firstpass and
the plain way (`bench.plain_readers`), each in a process of its own, in turns.

Firstpass also judges each record by its contract, converts zones, keeps rejects and remembers what it loaded.
"""

import logging
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import yaml

from bench.database_servers import PASSWORD, engine_of, missing_postgresql, postgresql_server
from bench.measure import Cost, measure
from bench.source_files import COLUMNS

TABULAR = ["csv", "tsv", "csv.gz", "parquet", "json", "ndjson", "xlsx"]
EQUIPMENT = ["stdf", "openhtf", "wats", "atml"]
BUCKET = "dumps"
KEYS = {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "B", "AWS_DEFAULT_REGION": "us-east-1"}
Figures = dict[str, list[tuple[int, float, float]]]
"""By kind of source, and `plain <kind>`: rows, seconds without start-up, peak MB, of each run."""


@click.command(help=__doc__)
@click.option("--scale", default=0.5, show_default=True, help="1 is 0.6 million records.")
@click.option("--runs", default=3, show_default=True, help="Runs of which the median is shown.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to work; default a temporary folder.")
@click.option("--kind", "kinds", multiple=True, help="Only this format or kind of source; may be repeated.")
def main(scale: float, runs: int, folder: Path | None, kinds: tuple[str, ...]) -> None:
    click.echo(shown(measured(scale, runs, folder, kinds)))


def measured(scale: float, runs: int, folder: Path | None = None, kinds: tuple[str, ...] = ()) -> Figures:
    """Writes the files, then lets each reader read each of them in its turn. `kinds`: only these; none: all."""
    figures: Figures = defaultdict(list)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        work = Path(name)
        measure(["-m", "generator", "--out", str(work / "made"), "--format", "parquet", "--scale", str(scale)], {})
        records = work / "made" / "test_record.parquet"
        measure(["-m", "bench.source_files", str(records), str(work / "files")], {})
        with _store(work / "files") as endpoint, _database(work / "files") as url:
            places = _places(work / "files", endpoint, url)
            for _ in range(runs):
                for kind, (source, place) in places.items():
                    if kinds and kind not in kinds:
                        continue
                    with tempfile.TemporaryDirectory(dir=work) as one:
                        _run(kind, source, place, Path(one), figures)
    return figures


def _places(files: Path, endpoint: str, url: str | None) -> dict[str, tuple[dict, str]]:
    """By kind: what plant.yml says of it, and the place for a plain reader."""
    found = {}
    for kind in TABULAR:
        place = str(files / f"records.{kind}")
        found[kind] = {"kind": "files", "path": place, "table": "test_record"}, place
    for kind in EQUIPMENT:
        place = str(files / f"attempts.{kind}")
        found[kind] = {"kind": "files", "path": place, "format": kind, "timezone": "UTC"}, place
    place = f"s3://{BUCKET}/records.csv"
    found["s3"] = {"kind": "s3", "path": place, "endpoint": endpoint, "table": "test_record"}, place
    databases = {"sqlite": f"sqlite:///{files / 'records.db'}"} | ({"postgresql": url} if url else {})
    for kind, address in databases.items():
        found[kind] = {"kind": "sql", "url": address, "from": "results", "table": "test_record"}, address
    return found


def _run(kind: str, source: dict, place: str, work: Path, figures: Figures) -> None:
    plant = work / "plant"
    plant.mkdir()
    settings = {"name": "bench", "timezone": "Asia/Singapore"}
    (plant / "plant.yml").write_text(yaml.safe_dump({"plant": settings, "sources": [{"name": "records"} | source]}))
    environment = KEYS | {"FIRSTPASS_DATA": str(work / "data")}
    if source["kind"] == "s3":
        environment["AWS_ENDPOINT_URL"] = source["endpoint"]
    figures[kind].append(_figure(measure(["-m", "bench.sources", "load", str(plant)], environment)))
    plain = ["-m", "bench.plain_readers", kind, place, str(work / "plain.duckdb")]
    figures[f"plain {kind}"].append(_figure(measure(plain, environment)))
    said = ", ".join(f"{rows / seconds:,.0f} rows/s" for rows, seconds, _ in (figures[it][-1] for it in _both(kind)))
    click.echo(f"{kind}: {said}", err=True)
    if figures[kind][-1][0] != figures[f"plain {kind}"][-1][0]:
        raise RuntimeError(f"{kind}: not the same number of rows: {figures[kind][-1]}, {figures[f'plain {kind}'][-1]}")


def _both(kind: str) -> tuple[str, str]:
    return kind, f"plain {kind}"


def _figure(cost: Cost) -> tuple[int, float, float]:
    seconds, rows = cost.output.split()[-2:]
    return int(rows), float(seconds), cost.megabytes


def load(plant: str) -> None:
    """In a process of its own: prints seconds and rows of a plant's first load."""
    from ingest import load_all
    from pipeline.paths import Paths
    from pipeline.plant import load_plant

    began = time.perf_counter()
    loads = load_all(load_plant(plant), Paths.from_environment())
    seconds = time.perf_counter() - began
    found = [it for it in loads if it.source == "records"]
    wrong = [it for it in found if it.status != "loaded" or it.reject_count]
    if wrong:
        raise RuntimeError(f"{wrong[0].object}: {wrong[0].error or f'{wrong[0].reject_count} rejects'}")
    print(seconds, sum(it.row_count for it in found))


@contextmanager
def _store(files: Path) -> Iterator[str]:
    """An S3 server with the CSV in it."""
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    os.environ |= KEYS
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        client = boto3.client("s3", endpoint_url=f"http://{host}:{port}")
        client.create_bucket(Bucket=BUCKET)
        client.upload_file(str(files / "records.csv"), BUCKET, "records.csv")
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@contextmanager
def _database(files: Path) -> Iterator[str | None]:
    """PostgreSQL with the records in a table, where it is installed."""
    if missing_postgresql():
        yield None
        return
    with postgresql_server() as server:
        url = server.url.set(username="publisher", password=PASSWORD, database="plant")
        with engine_of(url).begin() as connection:
            types = {"test_timestamp": "timestamptz", "test_duration_s": "double precision"}
            columns = ", ".join(f"{name} {types.get(name, 'text')}" for name in COLUMNS)
            connection.exec_driver_sql(f"create table results ({columns})")
            with connection.connection.cursor().copy("copy results from stdin (format csv, header)") as copy:
                copy.write((files / "records.csv").read_bytes())
        yield url.render_as_string(hide_password=False)


def shown(figures: Figures) -> str:
    """As Markdown: medians, and ratios to the plain way (more is faster)."""
    lines = [
        "\n## Loading, by format and kind of source\n",
        "In brackets the plain way: pandas, or for test equipment a short loop, and an insert into DuckDB. Seconds are "
        "without start-up; a row is a record or a measured value. Peaks below that of the measuring process, about 260 "
        "MB, are not seen.\n",
        "| source | rows | rows/s | ratio | peak MB |",
        "|---|---:|---:|---:|---:|",
    ]
    for kind in [kind for kind in figures if not kind.startswith("plain ")]:
        rows = figures[kind][0][0]
        ours, plain = (statistics.median(run[1] for run in figures[it]) for it in _both(kind))
        memory, plain_memory = (statistics.median(run[2] for run in figures[it]) for it in _both(kind))
        speeds = f"{rows / ours:,.0f} ({rows / plain:,.0f})"
        lines.append(f"| {kind} | {rows:,} | {speeds} | {plain / ours:.2f} | {memory:,.0f} ({plain_memory:,.0f}) |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    load(sys.argv[2]) if sys.argv[1:2] == ["load"] else main()
