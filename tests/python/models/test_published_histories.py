"""Whatever happens between publications, the next holds what the warehouse holds, though it writes only some weeks."""

import random
import shutil
from datetime import datetime, timedelta

import pytest
from comparison import assert_published

from publish import publish
from publish.versions import link

MONDAY = datetime(2024, 1, 1, 12)
BREAKS = ["test_attempt", "int_touched_module_week", "int_module_progressed", "summary_machine"]


def attempt(draw: random.Random, week: int) -> dict:
    """An attempt of one of a few modules of a week; now and then at a test that makes the inferred route longer."""
    return {
        "serial_num": f"W{draw.choice([week, week, max(week - 3, 0)])}-{draw.randrange(3)}",
        "product_name": draw.choice("PPPQ"),
        "test_name": draw.choice(["T", "T", "T", "T", "U", f"V{week}"]),
        "machine_id": "M",
        "test_timestamp": (MONDAY + timedelta(weeks=week, minutes=draw.randrange(60))).isoformat(),
        "test_result": draw.choice(["pass", "fail"]),
        "test_duration_s": 1.5,
    }


# If this fails, readers see weeks as they were before a night that failed, a rebuild or a change of route.
@pytest.mark.parametrize("seed", [1, 2])
def test_a_version_that_goes_on_from_another_holds_what_the_warehouse_holds(warehouse, seed):
    draw = random.Random(seed)
    warehouse.reset()
    warehouse.load(test_record=[attempt(draw, week) for week in range(12) for _ in range(4)])
    assert warehouse.build()
    publish(warehouse.paths)
    said = []
    for _ in range(6):
        table, rows = draw.choice(
            [
                ("test_record", [attempt(draw, draw.randrange(13)) for _ in range(2)]),
                ("test_record", [attempt(draw, draw.randrange(13)) for _ in range(2)]),
                ("disposition", [{"serial_num": "W5-1", "decided_at": "2024-03-01T00:00:00", "decision": "scrap"}]),
            ]
        )
        warehouse.load(**{table: rows})
        event = draw.choice(["", "", "failed build", "failed publication", "rebuild", "went back", "folder removed"])
        if event == "failed build":
            assert warehouse.build("--select", f"+{draw.choice(BREAKS)}")
            continue
        assert warehouse.build(*(["--full-refresh"] if event == "rebuild" else []))
        if event == "failed publication":
            continue
        if event == "went back":
            oldest = min((warehouse.paths.published / "versions").iterdir())
            link(warehouse.paths.published / "current", f"versions/{oldest.name}")
        if event == "folder removed":
            shutil.rmtree(warehouse.paths.published)
        lines = []
        publish(warehouse.paths, progress=lines.append)
        said += lines
        assert_published(warehouse.paths)
    assert any("weeks" in line and "every" not in line for line in said)
    assert not any("failed" in line for line in said)


# If this fails, a change of an inferred route rewrites more of what is published than it must, or less.
def test_a_longer_route_changes_modules_but_not_attempts(warehouse):
    warehouse.reset()
    draw = random.Random(3)
    rows = [attempt(draw, week) | {"product_name": "P", "test_name": "T"} for week in range(12) for _ in range(3)]
    warehouse.load(test_record=rows)
    assert warehouse.build()
    before = publish(warehouse.paths)
    warehouse.load(test_record=[rows[-1] | {"test_name": "U"}])
    assert warehouse.build()
    after = publish(warehouse.paths)
    assert_published(warehouse.paths)

    def inodes(version, table):
        return {file.stat().st_ino for file in (version.folder / "parquet" / table).glob("*/data.parquet")}

    assert len(inodes(before, "test_attempt") - inodes(after, "test_attempt")) <= 3
    assert not inodes(before, "module_status") & inodes(after, "module_status")
