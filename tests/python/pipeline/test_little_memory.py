"""A build that needs more memory than it may take spills to the disk."""

from ingest import load_all
from pipeline.build import build
from pipeline.paths import PROJECT, Paths
from pipeline.plant import load_plant


# A large plant's first build dies of the settings that dbt repeats for each of its connections.
def test_a_build_that_spills_goes_on(tmp_path, monkeypatch):
    monkeypatch.delenv("SCALE", raising=False)
    monkeypatch.delenv("WEEKS", raising=False)
    paths = Paths(tmp_path / "data")
    load_all(load_plant(PROJECT / "plants" / "demo"), paths)
    monkeypatch.setenv("FIRSTPASS_MEMORY", "200MB")
    assert build(paths, ["run", "--select", "+test_attempt"]).models
