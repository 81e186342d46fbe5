"""Other peers: the three summary tables of one Parquet file of test records, as an engineer would write them.

Both leave out what the models also do: duplicates, lives, purposes, routes, increments, findings.
`python -m bench.dataframes polars|pandas FILE` prints the seconds that it took.
"""

import sys
import time

from bench.peers import limit_memory

DAY_START_H = 7
KEYS = ["serial_num", "product_name", "test_name"]


def with_polars(file: str) -> tuple[int, int, int]:
    import polars as pl

    in_order = ["test_timestamp", "machine_id", "test_result"]
    records = (
        pl.scan_parquet(file)
        .filter(pl.col("test_result").is_in(["pass", "fail"]))
        .sort(in_order)
        .with_columns(
            passed=pl.col("test_result") == "pass",
            week=(
                pl.col("test_timestamp_local").min().over("serial_num", "product_name") - pl.duration(hours=DAY_START_H)
            ).dt.truncate("1w"),
            run=pl.int_range(pl.len()).over(KEYS),
            runs=pl.len().over(KEYS),
        )
        .collect()
    )
    durations = [
        pl.col("test_duration_s").filter(pl.col("passed")).mean().alias("pass_s"),
        pl.col("test_duration_s").filter(~pl.col("passed")).mean().alias("fail_s"),
    ]
    machine = records.group_by("week", "product_name", "test_name", "machine_id").agg(
        pl.len(), pl.col("passed").mean().alias("passing_rate"), *durations
    )
    first, last = pl.col("run") == 0, pl.col("run") == pl.col("runs") - 1
    test = records.group_by("week", "product_name", "test_name").agg(
        first.sum().alias("load_qty"),
        ((first & pl.col("passed")).sum() / first.sum()).alias("first_pass_yield"),
        ((last & pl.col("passed")).sum() / first.sum()).alias("cumm_yield"),
        pl.len().alias("test_qty"),
        pl.col("passed").sum().alias("test_qty_pass"),
        *durations,
    )
    product = test.group_by("week", "product_name").agg(
        pl.col("load_qty").min(), pl.col("first_pass_yield").product(), pl.col("cumm_yield").product()
    )
    return machine.height, test.height, product.height


def with_pandas(file: str) -> tuple[int, int, int]:
    import pandas as pd

    columns = [*KEYS, "machine_id", "test_timestamp", "test_timestamp_local", "test_result", "test_duration_s"]
    records = pd.read_parquet(file, columns=columns)
    records = records[records.test_result.isin(["pass", "fail"])]
    records = records.sort_values(["test_timestamp", "machine_id", "test_result"])
    records["passed"] = records.test_result == "pass"
    first_at = records.groupby(["serial_num", "product_name"]).test_timestamp_local.transform("min")
    records["week"] = (first_at - pd.Timedelta(hours=DAY_START_H)).dt.to_period("W").dt.start_time
    runs = records.groupby(KEYS)
    records["first"] = runs.cumcount() == 0
    records["last"] = runs.cumcount(ascending=False) == 0
    records["first_pass"] = records["first"] & records.passed
    records["last_pass"] = records["last"] & records.passed
    records["pass_s"] = records.test_duration_s.where(records.passed)
    records["fail_s"] = records.test_duration_s.where(~records.passed)
    machine = records.groupby(["week", "product_name", "test_name", "machine_id"]).agg(
        test_count=("passed", "size"),
        passing_rate=("passed", "mean"),
        pass_s=("pass_s", "mean"),
        fail_s=("fail_s", "mean"),
    )
    test = records.groupby(["week", "product_name", "test_name"]).agg(
        load_qty=("first", "sum"),
        first_pass=("first_pass", "sum"),
        last_pass=("last_pass", "sum"),
        test_qty=("passed", "size"),
        test_qty_pass=("passed", "sum"),
        pass_s=("pass_s", "mean"),
        fail_s=("fail_s", "mean"),
    )
    test["first_pass_yield"] = test.first_pass / test.load_qty
    test["cumm_yield"] = test.last_pass / test.load_qty
    product = test.groupby(["week", "product_name"]).agg(
        load_qty=("load_qty", "min"), first_pass_yield=("first_pass_yield", "prod"), cumm_yield=("cumm_yield", "prod")
    )
    return len(machine), len(test), len(product)


if __name__ == "__main__":
    limit_memory()
    began = time.perf_counter()
    {"polars": with_polars, "pandas": with_pandas}[sys.argv[1]](sys.argv[2])
    print(time.perf_counter() - began)
