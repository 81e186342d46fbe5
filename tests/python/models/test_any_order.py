"""However the records are split into loads, ordered and repeated, the marts are those of one load of them all."""

import random
from datetime import datetime, timedelta

from comparison import differences
from hypothesis import given, settings
from hypothesis import strategies as st

MONDAY = datetime(2024, 1, 1, 7)
# around two week boundaries, a repeat within serial_reuse_days, one after it; few enough for ties and conflicts
MINUTES = [0, 0, 1, 2, 10, 7 * 1440 - 1, 7 * 1440, 7 * 1440 + 5, 15 * 1440, 36 * 1440]

starts = st.sampled_from(MINUTES).map(lambda minutes: (MONDAY + timedelta(minutes=minutes)).isoformat())
serials = st.sampled_from(["A1", "A2", "A3"])
test_records = st.fixed_dictionaries(
    {
        "serial_num": serials,
        "product_name": st.sampled_from(["P", "P", "P", "Q"]),
        "test_name": st.sampled_from(["T", "T", "U", "V"]),
        "machine_id": st.sampled_from(["M1", "M2"]),
        "test_timestamp": starts,
        "test_result": st.sampled_from(["pass", "fail", "fail", "error"]),
        "test_duration_s": st.sampled_from([0.1, 0.2, 300.7]),
        "run_purpose": st.sampled_from([None, None, None, "golden"]),
        "revision": st.sampled_from([None, None, 1, 2]),
        "error_code": st.sampled_from([None, "E1", "=E2"]),
    }
)
reworks = st.fixed_dictionaries(
    {
        "serial_num": serials,
        "rework_timestamp": starts,
        "component": st.sampled_from(["lens", "pcb"]),
        "action": st.just("replace"),
    }
)
dispositions = st.fixed_dictionaries(
    {"serial_num": serials, "decided_at": starts, "decision": st.sampled_from(["scrap", "hold", "release"])}
)
sensor_readings = st.builds(
    lambda sensor, start, second, content, delay: {
        "sensor_id": sensor,
        "reading_at": (datetime.fromisoformat(start) + timedelta(seconds=second)).isoformat(),
        "value": content[0],
        "status": content[1],
        "arrived_at": delay and (datetime.fromisoformat(start) + timedelta(seconds=second + delay)).isoformat(),
    },
    st.sampled_from(["S1", "S2"]),
    starts,
    st.sampled_from([0, 0.5, 1, 59.75]),
    st.sampled_from([(1.0, None), (25.5, "good"), (25.5, "uncertain"), (25.5, "bad"), (None, "bad")]),
    st.sampled_from([None, 0.25, 2, -300, 30 * 86400]),
)
stream_gaps = st.builds(
    lambda start, end, noted: {
        "source": "press",
        "stream": "t/0",
        "reason": "broker away",
        "gap_start_at": start,
        "gap_end_at": end,
        "noted_at": noted,
    },
    starts,
    st.none() | starts,
    starts,
)
records = st.one_of(
    sensor_readings.map(lambda row: ("sensor_reading", row)),
    sensor_readings.map(lambda row: ("sensor_reading", row)),
    stream_gaps.map(lambda row: ("stream_gap", row)),
    test_records.map(lambda row: ("test_record", row)),
    test_records.map(lambda row: ("test_record", row)),
    test_records.map(lambda row: ("test_record", row)),
    reworks.map(lambda row: ("rework", row)),
    dispositions.map(lambda row: ("disposition", row)),
)
# what happens after a load: a green build, none, or one that stops after the named model was built
BUILDS = [
    "green",
    "green",
    "none",
    "stg_load",
    "test_attempt",
    "int_module_progressed",
    "summary_machine",
    "int_product_week",
    "int_sensor_minute_aligned",
]
SENSORS = "sensor_id,machine_id,lower_limit,upper_limit,period_s,max_delay_s\nS1,M1,10,,1,\nS1,M2,,,,\nS3,M1,,,,\n"


@st.composite
def histories(draw, most_loads=3):
    """Loads, each a list of (table, record) with what was built after it; some records come again in a later load."""
    pool = draw(st.lists(records, min_size=1, max_size=32))
    loads = [[] for _ in range(draw(st.integers(1, most_loads)))]
    for record in pool:
        for _ in range(draw(st.sampled_from([1, 1, 1, 2]))):
            loads[draw(st.integers(0, len(loads) - 1))].append(record)
    return [(load, draw(st.sampled_from(BUILDS))) for load in loads], draw(st.randoms(use_true_random=False))


def by_table(pairs: list[tuple[str, dict]]) -> dict[str, list[dict]]:
    tables: dict[str, list[dict]] = {}
    for table, row in pairs:
        tables.setdefault(table, []).append(row)
    return tables


@settings(max_examples=settings.default.max_examples // 3)  # each takes several builds
@given(histories(), st.booleans())
def test_marts_do_not_depend_on_how_records_arrive(warehouse, history, whole_weeks):
    loads, shuffle = history
    everything = check_history(warehouse, loads, whole_weeks)
    assert_one_load_gives_the_same(warehouse, warehouse.marts(), everything, shuffle)


def check_history(warehouse, loads, whole_weeks=False) -> list[tuple[str, dict]]:
    warehouse.reset(whole_weeks)
    warehouse.refer(sensors=SENSORS)
    everything = []
    for load, built in loads:
        warehouse.load(**by_table(load))
        everything += load
        if built == "green":
            assert warehouse.build()
        elif built != "none":
            assert warehouse.build("--select", f"+{built}")
    assert warehouse.build()
    return everything


def assert_one_load_gives_the_same(warehouse, found, everything, shuffle=random) -> None:
    warehouse.reset()
    warehouse.refer(sensors=SENSORS)
    shuffle.shuffle(everything)
    warehouse.load(**by_table(everything))
    assert warehouse.build()
    assert not differences(found, warehouse.marts())
