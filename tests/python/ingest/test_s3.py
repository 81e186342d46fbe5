"""Objects of an S3 store, over HTTP: moto's server, and where it can't misbehave as needed, one of ours."""

import gzip
import io
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import botocore.session
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests
from click.testing import CliRunner
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer
from plant_site import GOOD, HEADER, Site, line, record
from stdf_file import Stdf

import ingest.__main__ as command
from ingest.source import Unreachable
from ingest.sources import s3
from pipeline.paths import PROJECT
from pipeline.plant import load_plant

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIATEST",
    "AWS_SECRET_ACCESS_KEY": "hunter2",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    "AWS_MAX_ATTEMPTS": "1",
}


@dataclass
class Front:
    """A server before the store: notes the requests, and answers or breaks off where a test says so."""

    url: str
    requests: list[tuple[str, str]]
    """Method and path with query."""
    answer: Callable[[BaseHTTPRequestHandler], bool]
    """Whether it has answered itself, or done something to the store before it does."""


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def front(moto) -> Iterator[Front]:
    front = Front("", [], lambda handler: False)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            front.requests.append((self.command, self.path))
            if front.answer(self):
                return
            found = requests.request(self.command, moto + self.path, headers=dict(self.headers), timeout=60)
            self.send_response(found.status_code)
            for name, value in found.headers.items():
                if name.lower() not in ("connection", "transfer-encoding", "content-length", "content-encoding"):
                    self.send_header(name, value)
            length = found.headers["Content-Length"] if self.command == "HEAD" else str(len(found.content))
            self.send_header("Content-Length", length)
            self.end_headers()
            self.wfile.write(found.content)

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
    front.url = f"http://127.0.0.1:{server.server_port}"
    yield front
    server.shutdown()
    server.server_close()


def refuse(handler: BaseHTTPRequestHandler, status: int, code: str, message: str = "no") -> bool:
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(b"" if handler.command == "HEAD" else body)
    return True


@dataclass
class Bucket:
    client: object
    name: str

    def put(self, key: str, content: str | bytes) -> None:
        self.client.put_object(
            Bucket=self.name, Key=key, Body=content if isinstance(content, bytes) else content.encode()
        )

    def put_rows(self, key: str, *rows: str) -> None:
        self.put(key, "\n".join([HEADER, *rows]) + "\n")

    def delete(self, key: str) -> None:
        self.client.delete_object(Bucket=self.name, Key=key)


@pytest.fixture(scope="module")
def client(moto):
    keys = {"aws_access_key_id": "A", "aws_secret_access_key": "B"}
    return botocore.session.Session().create_client("s3", endpoint_url=moto, region_name="us-east-1", **keys)


@pytest.fixture
def bucket(client, monkeypatch, request) -> Bucket:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    name = re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:50]
    client.create_bucket(Bucket=name)
    return Bucket(client, name)


@pytest.fixture
def store(site, bucket, front) -> Site:
    """The plant with one source named `dumps` over dumps/**/*.csv of the bucket."""
    return describe(site, bucket, front.url)


def source_of(bucket: Bucket, endpoint: str | None, glob: str = "dumps/**/*.csv", **keys) -> dict:
    source = {"name": "dumps", "kind": "s3", "path": f"s3://{bucket.name}/{glob}", "table": "test_record"}
    return source | ({"endpoint": endpoint} if endpoint else {}) | keys


def describe(site, bucket: Bucket, endpoint: str | None, glob: str = "dumps/**/*.csv", **keys) -> Site:
    return site.describe(source_of(bucket, endpoint, glob, **keys))


def objects(front: Front) -> list[str]:
    """Requests of single objects."""
    return [path for _, path in front.requests if "list-type" not in path]


def test_every_format_is_read_from_subfolders(site, bucket, front, monkeypatch):
    describe(site, bucket, "${STORE}", "dumps/*/*")
    monkeypatch.setenv("STORE", front.url)
    table = pa.Table.from_pylist([record()])
    pq.write_table(table, site.put("x.parquet", b""))
    parquet = (site.folder / "inbox/x.parquet").read_bytes()
    text = f"{HEADER}\n{GOOD}\n".encode()
    contents = {
        "a.csv": text,
        "b.csv.gz": gzip.compress(text),
        "c.parquet": parquet,
        "d.parquet.gz": gzip.compress(parquet),
        "e.json": b"[" + str(record()).replace("'", '"').encode() + b"]",
        "f.ndjson.gz": gzip.compress(str(record()).replace("'", '"').encode()),
        "g ü&?#%+.csv": text,
    }
    for name, content in contents.items():
        bucket.put(f"dumps/2024-01-01/{name}", content)
    for key in ("dumps/2024-01-01/x.csv.part", "dumps/2024-01-01/.x.csv", "dumps/y.csv", "dumps/2024-01-02/", "z.csv"):
        bucket.put(key, "left alone")
    loads = site.load()
    assert [(load.object, load.status, load.row_count) for load in loads] == [
        (f"s3://{bucket.name}/dumps/2024-01-01/{name}", "loaded", 1) for name in contents
    ]
    assert len({row["_hash"] for row in site.rows()}) == 1
    assert list(site.paths.temp.iterdir()) == []


# A night that fetches history again takes longer than the night.
def test_only_new_and_changed_objects_are_fetched(store, bucket, front):
    bucket.put_rows("dumps/1/a.csv", GOOD)
    bucket.put_rows("dumps/b.csv", GOOD)
    assert len(store.load()) == 2
    front.requests.clear()
    bucket.put_rows("dumps/b.csv", GOOD)  # the same again
    assert store.load() == [] and objects(front) == []
    bucket.put_rows("dumps/b.csv", line(serial_num="B1"))  # as long as before
    assert store.load_one().object.endswith("dumps/b.csv")
    assert {path.split("/")[-1] for path in objects(front)} == {"b.csv"}
    assert store.load() == []


def test_large_objects_are_fetched_in_pieces(store, bucket, front, monkeypatch):
    monkeypatch.setattr(s3, "PIECE", 1000)
    bucket.put_rows("dumps/a.csv", *[line(serial_num=f"S{i}") for i in range(100)])
    assert store.load_one().row_count == 100
    assert len(objects(front)) > 4


# What counts is a request per thousand objects, and none per object.
def test_a_listing_of_many_thousands(store, bucket, front):
    backend = s3_backends["123456789012"]["aws"]
    text = f"{HEADER}\n{GOOD}\n".encode()
    for number in range(2500):
        backend.put_object(bucket.name, f"dumps/{number // 50}/{number:05}.txt", text)
    bucket.put("dumps/0/last.csv", text)
    bucket.put("dumps/49/first.csv", text)
    assert [load.object.rsplit("/")[-1] for load in store.load()] == ["last.csv", "first.csv"]
    assert (len(front.requests) - len(objects(front)), len(objects(front))) == (3, 4)


# A bucket may hold millions of objects below the folder that is meant.
def test_folders_that_no_glob_enters_are_not_listed(site, bucket, front):
    describe(site, bucket, front.url, "*.csv")
    bucket.put_rows("a.csv", GOOD)
    bucket.put_rows("deep/b.csv", GOOD)
    assert site.load_one().object.endswith("/a.csv")
    assert "delimiter=%2F" in front.requests[0][1]


def test_an_empty_listing_is_nothing_new(store):
    assert store.load() == []


def test_an_unreadable_object_is_set_aside(store, bucket):
    bucket.put("dumps/a.csv", "nonsense")
    bucket.put_rows("dumps/b.csv", GOOD)
    failed, loaded = store.load()
    assert (failed.status, loaded.status) == ("failed", "loaded") and "the required columns" in failed.error
    kept = store.paths.failed / f"{failed.load_id}-a.csv"
    assert kept.read_text() == "nonsense" and kept.with_name(f"{kept.name}.reason.txt").exists()
    assert store.load() == []


def after_listing(front: Front, act: Callable[[], None]) -> None:
    """Does something to the store between the listing and the next request, once."""
    acts = [act]

    def answer(handler) -> bool:
        if "list-type" not in handler.path and acts:
            acts.pop()()
        return False

    front.answer = answer


def test_an_object_that_changed_or_vanished_is_left_to_the_next_run(store, bucket, front):
    for act, reason in (
        (lambda: bucket.put_rows("dumps/a.csv", GOOD, GOOD), "it changed after it was listed"),
        (lambda: bucket.delete("dumps/a.csv"), "it vanished"),
    ):
        bucket.put_rows("dumps/a.csv", GOOD)
        after_listing(front, act)
        load = store.load_one()
        assert load.status == "deferred" and reason in load.error
    assert store.load() == [] and store.rows() == []


# Half of one version and half of another is neither.
def test_an_object_that_changes_between_pieces_is_left_to_the_next_run(store, bucket, front, monkeypatch):
    monkeypatch.setattr(s3, "PIECE", 100)
    bucket.put_rows("dumps/a.csv", *[line(serial_num=f"A{i}") for i in range(20)])
    gets = []

    def answer(handler) -> bool:
        if handler.headers.get("Range"):
            gets.append(handler.path)
            if len(gets) == 3:
                bucket.put_rows("dumps/a.csv", *[line(serial_num=f"B{i}") for i in range(20)])
        return False

    front.answer = answer
    load = store.load_one()
    assert (load.status, load.error) == ("deferred", "it changed while it was fetched, and is left to the next run")
    assert store.load_one().row_count == 20
    assert {row["serial_num"][0] for row in store.rows()} == {"B"}


# Without the object, and without its permission mended some day, its records would be lost.
def test_an_object_to_which_access_is_denied_fails_alone_until_it_is_granted(store, bucket, front):
    bucket.put_rows("dumps/a.csv", GOOD)
    bucket.put_rows("dumps/b.csv", GOOD)
    front.answer = lambda handler: "a.csv" in handler.path and refuse(handler, 403, "AccessDenied")
    failed, loaded = store.load()
    assert failed.status == "failed" and "s3:GetObject" in failed.error and loaded.row_count == 1
    assert [file.name for file in store.paths.failed.iterdir()] == [f"{failed.load_id}-a.csv.reason.txt"]
    assert store.load() == [failed]
    assert len([row for row in store.rows("load") if row["status"] == "failed"]) == 1
    front.answer = lambda handler: False
    assert store.load_one().row_count == 1


def test_a_store_that_denies_every_object_is_not_asked_for_each(store, bucket, front, monkeypatch):
    monkeypatch.setattr(s3, "MOST_DENIED", 2)
    for number in range(5):
        bucket.put_rows(f"dumps/{number}.csv", GOOD)
    front.answer = lambda handler: "list-type" not in handler.path and refuse(handler, 403, "AccessDenied")
    *_, last = store.load()
    assert last.object == f"s3://{bucket.name}/dumps/**/*.csv" and "access denied" in last.error
    assert len({path.split("?")[0] for path in objects(front)}) == 2


def closed_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


UNREACHABLE = {
    "access denied": (
        lambda front: setattr(front, "answer", lambda handler: refuse(handler, 403, "AccessDenied", "Not yours")),
        {},
        "access denied: Not yours; whoever AWS_ACCESS_KEY_ID .* needs s3:ListBucket and s3:GetObject",
    ),
    "no bucket": (lambda front: None, {"path": "s3://nowhere/*.csv"}, "there is no bucket nowhere; check path and"),
    "no credentials": (
        lambda front: [os.environ.pop(name) for name in ENVIRONMENT if "KEY" in name],
        {},
        "no credentials: Unable to locate credentials; set AWS_ACCESS_KEY_ID and",
    ),
    "half of the credentials": (
        lambda front: os.environ.pop("AWS_SECRET_ACCESS_KEY"),
        {},
        "no credentials: Partial credentials .*; set AWS_ACCESS_KEY_ID and",
    ),
    "unknown profile": (
        lambda front: os.environ.update(AWS_PROFILE="nobody"),
        {},
        "The config profile .nobody. could not be found",
    ),
    "nothing there": (lambda front: None, {"endpoint": closed_port()}, "Could not connect .*; check endpoint in"),
    "host that is none": (lambda front: None, {"endpoint": "http://a_b-:1"}, "Invalid endpoint.*; check endpoint in"),
    "another kind of server": (
        lambda front: setattr(front, "answer", lambda handler: refuse(handler, 500, "Oops", "broken")),
        {},
        "broken; check endpoint in",
    ),
    "folder": (lambda front: None, {"glob": "dumps"}, r"it is a folder; say which objects in it, such as .*dumps/\*"),
}


@pytest.mark.parametrize("case", UNREACHABLE)
def test_what_keeps_a_store_from_being_read_is_said(site, bucket, front, monkeypatch, case):
    act, keys, reason = UNREACHABLE[case]
    bucket.put_rows("dumps/a.csv", GOOD)
    plant = load_plant(describe(site, bucket, **{"endpoint": front.url} | keys).folder)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    act(front)
    with pytest.raises(Unreachable, match=reason) as caught:
        list(s3.find(plant, plant.sources[0], site.paths, []))
    assert "hunter2" not in str(caught.value)


# A store that is down for a night must not keep the others' records out, nor lose its own.
def test_an_unreachable_store_fails_its_source_alone(site, bucket, front):
    bucket.put_rows("dumps/a.csv", GOOD)
    files = {"name": "tests", "kind": "files", "path": "inbox/*.csv", "table": "test_record"}
    site.describe(source_of(bucket, closed_port()), files)
    site.put_rows("b.csv", GOOD)
    failed, loaded = site.load()
    assert (failed.source, failed.status, loaded.object) == ("dumps", "failed", "inbox/b.csv")
    assert [row["error"] for row in site.rows("load") if row["status"] == "failed"] == [failed.error]
    site.describe(source_of(bucket, front.url), files)
    assert site.load_one().row_count == 1


def test_a_store_that_goes_away_in_the_middle_fails_its_source(store, bucket, front, monkeypatch):
    bucket.put_rows("dumps/a.csv", GOOD)
    bucket.put_rows("dumps/b.csv", *[line(serial_num=f"S{i}") for i in range(100)])
    monkeypatch.setattr(s3.s3fs.S3FileSystem, "retries", 1)

    def answer(handler) -> bool:
        if handler.command == "GET" and handler.path.endswith("b.csv"):
            handler.send_response(206)
            handler.send_header("Content-Length", "100000")
            handler.end_headers()
            handler.wfile.write(b"serial_num")
            handler.close_connection = True
            return True
        return False

    front.answer = answer
    loaded, failed = store.load()
    assert (loaded.row_count, failed.object) == (1, f"s3://{bucket.name}/dumps/**/*.csv")
    assert "check endpoint in plant.yml, and that the store runs" in failed.error
    assert not store.paths.fetched.exists()
    front.answer = lambda handler: False
    assert store.load_one().row_count == 100


def test_the_command_says_which_source_failed(site, bucket, monkeypatch):
    describe(site, bucket, closed_port())
    monkeypatch.setenv("FIRSTPASS_DATA", str(site.paths.data))
    last = CliRunner().invoke(command.main, ["--plant", str(site.folder)]).output.splitlines()[-1]
    assert last.startswith(f"failed: s3://{bucket.name}/dumps/**/*.csv: can't be read at http://127.0.0.1:")
    assert last.endswith("; check endpoint in plant.yml, and that the store runs")


KILLED = """
import os, signal, sys
from pathlib import Path
from ingest import lake, load_all
from ingest.source import Unreachable
from ingest.sources import s3
from pipeline.paths import Paths
from pipeline.plant import load_plant

s3.PIECE = 1000
if sys.argv[3] == "load":
    rename = os.replace
    kill = lambda: os.kill(os.getpid(), signal.SIGKILL)
    lake.os.replace = lambda part, target: kill() if "test_record" in str(target) else rename(part, target)
load_all(load_plant(sys.argv[1]), Paths(Path(sys.argv[2])))
"""


# A power cut while an object comes, and while it is loaded.
@pytest.mark.parametrize("moment", ["fetch", "load"])
def test_a_killed_run_is_made_whole_by_the_next(store, bucket, front, moment):
    bucket.put_rows("dumps/a.csv", GOOD)
    store.load()
    bucket.put_rows("dumps/b.csv", *[line(serial_num=f"S{i}") for i in range(100)], "ragged")
    arguments = [sys.executable, "-c", KILLED, str(store.folder), str(store.paths.data), moment]
    process = subprocess.Popen(arguments, cwd=PROJECT)

    def answer(handler) -> bool:
        if handler.headers.get("Range", "").startswith("bytes=2000-") and moment == "fetch":
            process.send_signal(signal.SIGKILL)
            process.wait()
        return False

    front.answer = answer
    assert process.wait() == -signal.SIGKILL
    assert [file.name for file in store.paths.fetched.iterdir()] == ["b.csv"] and store.count() == 1
    load = store.load_one()
    assert (load.object.rsplit("/", 1)[-1], load.row_count, load.reject_count) == ("b.csv", 100, 1)
    assert store.count() == 101 and not store.paths.fetched.exists()
    assert list(store.paths.raw.rglob("*.part")) == []


def test_the_usual_files_hold_credentials(site, bucket, front, monkeypatch, tmp_path):
    describe(site, bucket, front.url)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    (tmp_path / "credentials").write_text("[plant]\naws_access_key_id = A\naws_secret_access_key = B\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_PROFILE", "plant")
    bucket.put_rows("dumps/a.csv", GOOD)
    assert site.load_one().row_count == 1


# A listing has milliseconds, an object's head has not.
def test_the_time_of_change_stands_in_for_an_etag():
    times = [datetime(2024, 1, 1, 8, 0, 0, microsecond) for microsecond in (0, 7000)]
    heads = [{"ETag": etag, "LastModified": time, "size": 3} for etag in ("", None) for time in times]
    assert {s3._version(head, "size") for head in heads} == {"2024-01-01 08:00:00, 3 bytes"}


# A tester's file is of several tables, and may be large.
def test_an_object_of_several_tables_is_fetched_once(site, bucket, front):
    keys = {"glob": "dumps/*.stdf", "table": None}
    part = Stdf().mir().pir().ptr(1, 2.0).prr("A").mrr()
    bucket.put("dumps/a.stdf", part)
    describe(site, bucket, closed_port(), **keys)
    assert site.load_one().status == "failed"
    describe(site, bucket, front.url, **keys)
    assert {load.table_name: load.row_count for load in site.load()} == {"test_record": 1, "test_measurement": 1}
    assert len([path for method, path in front.requests if method == "GET" and "list-type" not in path]) == 1
    assert site.load() == []


def test_plant_names_bucket_and_glob(site, bucket):
    (source,) = load_plant(describe(site, bucket, None).folder).sources
    assert (source.bucket, source.glob, source.endpoint) == (bucket.name, "dumps/**/*.csv", None)


# An archive of a year's files must not be fetched each night to see that nothing in it is new.
def test_members_of_archives_are_objects_and_fetched_once(site, bucket, front):
    keys = {"tables": [{"table": "test_record"}, {"table": "rework", "where": "false", "columns": REWORK}]}
    source = source_of(bucket, front.url, "dumps/*.zip/**/*.csv") | keys
    del source["table"]
    site.describe(source)
    text = f"{HEADER}\n{GOOD}\n"
    bucket.put("dumps/x.zip", zipped({"a.csv": text, "b/c.csv": text, "readme.txt": "hello"}))
    bucket.put("dumps/y.zip", b"PK no more")
    bucket.put("dumps/z.zip", zipped({"readme.txt": "hello"}))
    names = [f"s3://{bucket.name}/dumps/x.zip/{name}" for name in ("a.csv", "b/c.csv")]
    *loads, _, broken = site.load()
    assert [(it.object, it.table_name, it.row_count) for it in loads] == [
        (name, table, count) for name in names for table, count in (("test_record", 1), ("rework", 0))
    ]
    assert "not a whole ZIP archive" in broken.error
    front.requests.clear()
    assert site.load() == []
    assert not [path for path in objects(front) if "z.zip" not in path]  # in z.zip nothing is meant
    bucket.put("dumps/x.zip", zipped({"a.csv": text, "d.csv": text}))
    assert {load.object.rsplit("/")[-1] for load in site.load()} == {"d.csv"}


def test_archive_that_may_not_be_read_fails(site, bucket, front):
    describe(site, bucket, front.url, "dumps/*.zip")
    bucket.put("dumps/x.zip", zipped({"a.csv": f"{HEADER}\n{GOOD}\n"}))
    front.answer = lambda it: "list-type" not in it.path and refuse(it, 403, "AccessDenied")
    assert "s3:GetObject" in site.load_one().error
    front.answer = lambda it: False
    assert site.load_one().row_count == 1


REWORK = {"rework_timestamp": "test_timestamp", "component": "test_name", "action": "test_result"}


def zipped(members: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name, text in members.items():
            file.writestr(name, text)
    return content.getvalue()
