"""Fair comparison of shifts on simulated plants whose true differences are known: how often its conclusions hold.

All plants of all scenarios are one table, with the plant as a key, and one run of the marts' own SQL.
"""

from collections.abc import Callable, Iterable

import duckdb
import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track
from rich.table import Table

from evaluate import Request
from evaluate.mart_sql import compiled, warehouse
from evaluate.simulated_shifts import SIDES, STAFFING, Scenario, SimulatedPlant

MODELS = ["const_comparison_metric", "const_mix_order", "int_comparison_pair_cell", "int_comparison_within"]
MART = "shift_comparison"
MIX_ONLY = Scenario("mix only")
EFFECT = Scenario("effect 5 SE", effect=5)
SIMPSON = Scenario("Simpson", mix=0.85, products=(0.5, 4.0), effect=5, is_against_mix=True)
UNDERSTAFFED = Scenario("staffing", staffing=-0.6, short=(0.3, 0.6))
SCENARIOS = [MIX_ONLY, EFFECT, SIMPSON, UNDERSTAFFED]
COVERAGE = (0.93, 0.97)
POWER = (0.98, 1.0)
CELLS = """
    create table intermediate.int_comparison_cell as
    select
        scenario || ' ' || seed as plant_name, 'shift' as comparison_kind, '(all)' as line_id, '(all)' as shift_phase,
        metric, side, date '2024-01-01' as production_week_start, date '2024-01-01' + day::int as shift_date,
        shift_date || ' ' || side as occurrence, product::varchar as product_name, machine::varchar as machine_id,
        staffing, sum(numerator)::double as numerator, sum(denominator)::double as denominator,
        sum(numerator)::double as unit_count
    from (
        select *, 'passing_rate' as metric, pass_count as numerator, attempt_count as denominator from runs
        union all
        select *, 'availability', apt_s, pbt_s from runs
    )
    group by all
"""


def simulate(plants: Iterable[tuple[Scenario, int]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Runs of all plants, and their truth by scenario, seed and metric."""
    runs, truths = [], []
    for scenario, seed in plants:
        plant = SimulatedPlant(seed, scenario)
        results, truth_of = plant.results()
        keys = {"day": plant.day, "product": plant.product, "machine": plant.machine}
        sides = {"side": SIDES[plant.side], "staffing": STAFFING[plant.staffing]}
        runs.append(pd.DataFrame({"scenario": scenario.name, "seed": seed, **keys, **sides, **results}))
        truths += [
            {"scenario": scenario.name, "seed": seed, "metric": metric} | vars(truth_of[metric]) for metric in truth_of
        ]
    return pd.concat(runs), pd.DataFrame(truths)


def compare(
    runs: pd.DataFrame, models: dict[str, tuple[str, str]], then: Callable[[str, duckdb.DuckDBPyConnection], None]
) -> pd.DataFrame:
    """shift_comparison of all plants, as `models`, compiled, make it; `then(model, connection)` follows each model."""
    with warehouse() as connection:
        connection.register("runs", runs)
        connection.execute(CELLS)
        for name, (relation, sql) in models.items():
            connection.execute(f"create table {relation} as {sql}")
            then(name, connection)
        return connection.sql(f"from marts.{MART}").df()


def judged(comparison: pd.DataFrame, truths: pd.DataFrame) -> pd.DataFrame:
    """One row per plant and metric: what the mart says beside the truth (true_...)."""
    named = truths.assign(plant_name=truths.scenario + " " + truths.seed.astype(str))
    named = named.rename(columns={name: f"true_{name}" for name in ("within", "standard_error", "crude", "staffing")})
    rows = named.merge(comparison, on=["plant_name", "metric"], how="left", validate="one_to_one")
    rows["covers"] = (rows.lower_95 <= rows.true_within) & (rows.true_within <= rows.upper_95)
    return rows


def figures(rows: pd.DataFrame) -> list[tuple[str, str, str, float, tuple[float, float]]]:
    """What is counted: scenario, metric, figure, share of plants (or a ratio), and its bounds."""
    found = []
    for (scenario, metric), plants in rows.groupby(["scenario", "metric"], sort=False):
        add = lambda figure, value, bounds, key=(scenario, metric): found.append((*key, figure, value, bounds))  # noqa: E731
        add("covers the truth", plants.covers.mean(), COVERAGE)
        if scenario in (MIX_ONLY.name, UNDERSTAFFED.name):
            add("not significant", 1 - plants.is_significant.mean(), COVERAGE)
        else:
            add("excludes 0, right sign", _is_right(plants).mean(), POWER)
        if scenario == SIMPSON.name:
            opposite = plants[np.sign(plants.true_crude) == -np.sign(plants.true_within)]
            add("crude points the other way", len(opposite) / len(plants), (0.8, 1.0))
            add("adjusted right where crude is not", _is_right(opposite).mean() if len(opposite) else 0.0, POWER)
        if scenario == UNDERSTAFFED.name:
            add("staffing part / true one", plants.staffing_mix_part.mean() / plants.true_staffing.mean(), (0.95, 1.05))
    return found


def _is_right(plants: pd.DataFrame) -> pd.Series:
    return plants.is_significant & (np.sign(plants.within_part) == np.sign(plants.true_within))


def evaluate(request: Request) -> bool:
    console = Console()
    console.print("Compiling shift_comparison")
    models = compiled(*MODELS, MART)
    wanted = [(scenario, seed) for scenario in SCENARIOS for seed in request.seeds]
    runs, truths = simulate(track(wanted, description="Simulating plants", console=console))
    with console.status(f"Comparing the shifts of {len(wanted):,} plants"):
        comparison = compare(runs, models, lambda name, connection: None)
    rows = judged(comparison, truths)
    parts = ["product_mix_part", "machine_mix_part", "staffing_mix_part", "within_part", "not_comparable_part"]
    remainder = (rows.crude_difference - rows[parts].sum(axis=1)).abs().max()
    table = Table("scenario", "metric", "figure", "found", "expected", "", box=None, pad_edge=False)
    is_good = remainder < 1e-12
    plants = len(request.seeds)
    for scenario, metric, figure, value, (low, high) in figures(rows):
        holds = low <= value <= high
        is_good &= holds
        is_ratio = figure.startswith("staffing part")
        shown = f"{value:.3f}" if is_ratio else f"{value * plants:.0f}"
        expected = f"{low} - {high}" if is_ratio else f"{low * plants:.0f} - {high * plants:.0f}"
        table.add_row(scenario, metric, figure, shown, expected, "ok" if holds else "NO")
    console.print(table)
    compared = int((rows.status == "compared").sum())
    modules = int(runs.attempt_count.sum())
    console.print(
        f"of {plants} plants a scenario; {modules:,} modules; {compared} of {len(rows)} comparisons had enough data"
    )
    console.print(f"parts sum to the crude difference to {remainder:.1e}")
    return bool(is_good)
