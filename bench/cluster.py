"""`python -m bench.cluster`: the build on a real Spark cluster, one worker of which is killed in the middle.

Starts a standalone master and two workers, each a process of its own on this machine (loopback, free ports), builds the
plant of $PLANT there, kills a worker's process group once the build is half done, and compares what comes out with
DuckDB's tables of the same records. Everything it started is ended with it.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import click
import pyspark

from pipeline.build import build
from pipeline.environment import SPARK_HERE
from pipeline.parity import compare
from pipeline.paths import Paths
from pipeline.plant import load_plant
from pipeline.run import run
from pipeline.screen import Screen

HOST = "127.0.0.1"
SPARK_CLASS = Path(pyspark.__file__).parent / "bin" / "spark-class"


@click.command(help=__doc__)
@click.option("--kill-at", default=0.5, show_default=True, help="Share of the build after which a worker is killed.")
def main(kill_at: float) -> None:
    screen = Screen()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as cluster:
        paths = Paths(Path(folder) / "data")
        run(load_plant(), paths, screen, ["ingest", "build"])
        log = Path(folder) / "cluster.log"
        master = cluster.enter_context(started(log, "master.Master", "--port", "0", "--webui-port", "0"))
        url = wait_for(log, r"spark://[\d.]+:\d+")
        options = ["--cores", "1", "--memory", "2g", "--webui-port", "0", "--work-dir", str(Path(folder) / "work"), url]
        workers = [cluster.enter_context(started(log, "worker.Worker", *options)) for _ in range(2)]
        for _ in workers:
            wait_for(log, r"Registering worker", times=len(workers))
        click.echo(f"cluster    {url}, process {master.pid}; workers {', '.join(str(it.pid) for it in workers)}")
        os.environ["SPARK_CONF_DIR"] = str(configure(Path(folder) / "conf", url))
        on_cluster = replace(paths, engine="spark")
        killed = []

        def progress(done: int, total: int) -> None:
            if done >= kill_at * total and not killed:
                os.killpg(workers[0].pid, signal.SIGKILL)  # with its executor
                killed.append(f"{done} of {total}")

        began = time.monotonic()
        built = build(on_cluster, progress=progress)
        click.echo(f"spark      {time.monotonic() - began:.1f} s  {built.models} models, {built.tests} tests passed")
        click.echo(f"killed     worker {workers[0].pid} when {killed[0]} were done")
        lost = len(re.findall(r"Removing worker|Lost executor|Removing executor", log.read_text()))
        click.echo(f"master     {lost} lines about a lost worker or executor")
        rows = compare(paths, on_cluster)
        click.echo(f"compare    {len(rows)} tables, {sum(rows.values()):,} rows: equal")


@contextmanager
def started(log: Path, role: str, *arguments: str):
    """A daemon of the cluster in a process group of its own, ended on leaving."""
    with log.open("a") as output:
        process = subprocess.Popen(
            [SPARK_CLASS, f"org.apache.spark.deploy.{role}", "--host", HOST, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {"SPARK_LOCAL_IP": HOST},
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def wait_for(log: Path, pattern: str, times: int = 1, seconds: float = 60) -> str:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if len(found := re.findall(pattern, log.read_text())) >= times:
            return found[0]
        time.sleep(0.2)
    sys.exit(f"the cluster did not start: {log.read_text()[-2000:]}")


def configure(folder: Path, url: str) -> Path:
    """Spark's configuration for this cluster: that of this machine, on another master."""
    folder.mkdir()
    text = (SPARK_HERE / "spark-defaults.conf").read_text()
    text = re.sub(r"(?m)^spark\.master\s.*$", f"spark.master {url}", text)
    (folder / "spark-defaults.conf").write_text(text + "spark.executor.memory 1g\n")
    (folder / "log4j2.properties").write_text((SPARK_HERE / "log4j2.properties").read_text())
    return folder


if __name__ == "__main__":
    main()
