"""From measurements to charts, night by night, in a plant with all kinds of charts."""

import random
from contextlib import closing
from datetime import datetime, timedelta

import duckdb
import pytest
from comparison import differences
from warehouse import PLANT, Warehouse

from report.spc.study import ChartStudy

CHARTS = """chart,chart_type,parameter,machine_id,metric,subgroup_by,subgroup_size,rules,reference_subgroups,is_critical
voltage,xbar-r,volt,,,consecutive,4,nelson,10,true
hourly,xbar-s,,each,,,,,,
singles,imr,volt,,,,,1 9,,
smooth,ewma,volt,M1,,,,,,
sum,cusum,volt,,,,,,,
first fails,p,,,,,,,,
retests,u,,,fail,week,,,,
nothing,xbar-r,unknown,,,,,,,
nothing,np,,,,,,,,
"""
REBASES = "chart,valid_from,reason\nvoltage,2024-01-10 12:00,new tool\n"
EXCLUSIONS = "chart,excluded_from,excluded_to,cause\nvoltage,2024-01-02 07:00,2024-01-02 12:00,fixture loose\n"
TABLES = [
    "control_chart_limit", "control_chart_point", "control_chart_signal", "process_capability", "measurement_drift",
    "gage_rr", "int_finding_spc",
]  # fmt: skip


def records() -> tuple[list[dict], list[dict]]:
    """Attempts and measurements of 3 weeks: every tenth module fails and is tested again; a study; copies, orphans."""
    noise = random.Random(11)
    attempts, values = [], []

    def add(serial: str, time: datetime, value: float, **fields) -> None:
        key = {"serial_num": serial, "test_name": "T", "test_timestamp": time.isoformat()}
        circumstances = {"product_name": "P", "machine_id": "M1", "test_result": "pass", "test_duration_s": 1.0}
        attempts.append(key | circumstances | fields)
        values.append(key | {"parameter": "volt", "value": value, "lower_limit": 4.5, "upper_limit": 5.5, "unit": "V"})

    for at in range(150):
        time = datetime(2024, 1, 1, 8) + timedelta(days=at // 8, minutes=17 * (at % 8))
        result = "fail" if at % 10 == 0 else "pass"
        add(f"S{at}", time, noise.gauss(5, 0.1), machine_id=f"M{at % 2}", test_result=result)
        if result == "fail":
            add(f"S{at}", time + timedelta(hours=30), 9.9)
    for at in range(24):
        time = datetime(2024, 1, 9, 3) + timedelta(minutes=at)
        study = {"run_purpose": "study", "study_id": "G1", "trial": at % 2 + 1, "operator_id": "AB"[at // 2 % 2]}
        add(f"G{at // 4}", time, 4.7 + 0.1 * (at // 4) + noise.gauss(0, 0.02), **study)
    values.append(values[0] | {"value": values[0]["value"] + 1})
    values.append(values[1])
    values.append(values[2] | {"serial_num": "nobody"})
    return attempts, values


@pytest.fixture
def plant(tmp_path) -> Warehouse:
    plant = Warehouse(tmp_path, plant=PLANT.replace("[sensors]", "[spc]"))
    plant.reset()
    plant.refer(control_charts=CHARTS, chart_rebases=REBASES, chart_exclusions=EXCLUSIONS)
    return plant


def tables(plant) -> dict:
    with closing(duckdb.connect(str(plant.paths.warehouse), read_only=True)) as connection:
        schemas = {name: "marts" if not name.startswith("int_") else "intermediate" for name in TABLES}
        return {name: connection.sql(f"from {schemas[name]}.{name} order by all").df() for name in TABLES}


# Measurements come from other files than the attempts that they belong to, some of them days later: a chart that
# depends on which came first shows another process on Monday than on Tuesday.
def test_charts_do_not_depend_on_how_measurements_arrive(plant):
    attempts, values = records()
    for load in (
        {"test_record": attempts[::2], "test_measurement": values[5::3]},
        {"test_measurement": values[:5] + values[6::3]},
        {"test_record": attempts[1::2], "test_measurement": values[7::3]},
    ):
        plant.load(**load)
        assert plant.build()
    found = tables(plant)
    assert plant.dbt("test", "--select", "path:models/marts/spc", "measured_values_are_charted_once").success
    plant.reset()
    plant.refer(control_charts=CHARTS, chart_rebases=REBASES, chart_exclusions=EXCLUSIONS)
    plant.load(test_record=attempts, test_measurement=values)
    assert plant.build()
    assert not differences(tables(plant), found)

    check_findings(found)
    check_voltage_is_what_the_command_makes_of_it(found, values)


def check_findings(found: dict) -> None:
    rows = found["int_finding_spc"]
    counted = {name: int(rows[rows.finding == name].finding_count.sum()) for name in set(rows.finding)}
    assert counted == {
        "duplicate_record": 2,
        "conflicting_record": 1,
        "measurement_without_attempt": 1,
        "ambiguous_chart": 2,
        "unknown_chart_rule": 1,
        "chart_without_data": 1,
    }


def check_voltage_is_what_the_command_makes_of_it(found: dict, values: list[dict]) -> None:
    """First production runs only, four in a row within a day; limits by ten subgroups, then from the rebase on."""
    first = [value["value"] for value in values if value["value"] < 9]
    points = found["control_chart_point"].query("chart == 'voltage' and panel == 'location'")
    assert len(points) == 38 and points.exclusion_cause.notna().sum() == 2
    limits = found["control_chart_limit"].query("chart == 'voltage' and panel == 'location'")
    second = ChartStudy("xbar-r", [first[at : at + 4] for at in range(80, 120, 4)]).tables
    ours = second.execute("select lower_limit, center_line, upper_limit from control_chart_limit limit 1").fetchall()[0]
    assert limits.version.tolist() == [1, 2] and limits.status.tolist() == ["trial", "trial"]
    assert limits.iloc[1][["lower_limit", "center_line", "upper_limit"]].tolist() == pytest.approx(ours, rel=1e-12)
    assert found["control_chart_signal"].query("chart == 'voltage'").version.isin([1, 2]).all()
    capability = found["process_capability"].iloc[0]
    assert (capability.value_count, capability.chart_id) == (150, "singles | P | T | volt")
    assert set(found["gage_rr"].method) == {"anova", "average and range", "kappa"}
    assert found["measurement_drift"].machine_id.value_counts().to_dict() == {"M0": 3, "M1": 3}
