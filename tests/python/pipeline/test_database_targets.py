"""Runs of a plant that publishes into databases."""

import re
import shutil

import pytest
import sqlalchemy as sa
from nightly_plant import DEMO, NightlyPlant

from bench.database_servers import PASSWORD, engine_of

PUBLISH = """
publish:
  - {kind: database, url: "${PUBLISH_URL}", schema: marts, reader: bi}
  - {kind: database, url: "sqlite:///${FIRSTPASS_DATA}/marts.db", tables: [summary_prod, module_status]}
"""


@pytest.fixture
def plant(seasoned, tmp_path) -> NightlyPlant:
    folder = tmp_path / "plant"
    shutil.copytree(DEMO, folder)
    written = (folder / "plant.yml").read_text()
    assert "publish: []" in written
    (folder / "plant.yml").write_text(written.replace("publish: []", PUBLISH))
    return NightlyPlant(seasoned.data, folder)


def publish_and_report(plant, url):
    return plant.run("run", "--step", "publish", "--step", "report", PUBLISH_URL=url)


# a server that is down takes the reports of the whole plant with it, or nobody hears of it
def test_a_server_that_is_down_costs_nothing_else_and_the_next_run_repairs_it(plant, postgresql):
    url = postgresql.url.set(username="publisher", database="plant")
    down = url.set(port=1).render_as_string(hide_password=False)
    earlier = plant.version
    shutil.rmtree(plant.data / "published" / "reports")
    outcome = publish_and_report(plant, down)
    assert outcome.code == 1 and "s3cret" not in outcome.out + outcome.err
    assert [line[:8].strip() for line in outcome.out.splitlines()] == ["publish"] * 3 + ["report", "not publ"]
    _, failed, sqlite, _, reason = outcome.out.splitlines()
    assert failed.endswith("s  failed: see below")
    assert re.search(r"s  SQLite .*/marts.db: 2 tables, [\d,]+ rows$", sqlite)
    assert reason.startswith("not published: PostgreSQL at 127.0.0.1:1/plant, schema marts: connection ")
    assert outcome.err == (
        "\n1 of 2 targets in plant.yml still have the version before: see 'not published' above. All else is done; "
        "the next run tries again.\n"
    )
    assert plant.version > earlier
    assert (plant.data / "published" / "reports" / "latest" / "processed_summary_data.xlsx").is_file()

    outcome = publish_and_report(plant, url.render_as_string(hide_password=False))
    assert (outcome.code, outcome.err) == (0, "")
    engine = engine_of(url.set(username="bi", password=PASSWORD))
    with engine.connect() as connection:
        versions = connection.execute(sa.text("select distinct version, plant from marts.firstpass_version")).all()
        rows = connection.execute(sa.text("select count(*) from marts.test_attempt")).scalar_one()
    assert versions == [(plant.version, "demo")]
    assert plant.published("select count(*) from test_attempt") == [(rows,)]
    assert sa.inspect(engine).get_pk_constraint("module_status", "marts")["constrained_columns"] == [
        "serial_num",
        "product_name",
        "life_number",
    ]


# a plant whose server is not named publishes nowhere, and nobody notices
def test_a_url_that_is_not_set_stops_the_run_before_it_begins(plant):
    outcome = plant.run("run", "--step", "publish")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.endswith("publish.1.url: '${PUBLISH_URL}': PUBLISH_URL is not set in the environment\n")
