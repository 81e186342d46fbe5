"""Five years of test records as history really is, from the simulator's even stream.

On top of it: products are launched and retired; 0.3 % of the modules come back weeks later for one more test; one
record in a hundred arrives late, by up to 60 days; what arrives in one file is in no order. Files are by arrival: one a
month, and one a day for the last `nights` days.
"""

from contextlib import closing
from pathlib import Path

import duckdb

from bench.measure import Cost, measure

HISTORY = """
create table product as
select product_name, row_number() over (order by product_name) as place, count(*) over () as products,
    min(test_timestamp) over () as began, max(test_timestamp) over () as ended
from (
    select product_name, min(test_timestamp) as test_timestamp from '{simulated}' group by all
    union all select null, max(test_timestamp) from '{simulated}'
);

-- every third product is launched later, every fourth retires earlier, spread over the years
create table lifetime as
select product_name,
    began + (ended - began) * case when place % 3 = 0 then 0.8 * place / products else 0 end as launched_at,
    ended - (ended - began) * case when place % 4 = 0 then 0.8 * place / products else 0 end as retired_at
from product where product_name is not null;

create table module as
select serial_num, product_name, min(test_timestamp) as first_at, max(test_timestamp) as last_at
from '{simulated}' group by all;

create view kept as
select r.* from '{simulated}' r
join module m using (serial_num, product_name)
join lifetime l using (product_name)
where m.first_at >= l.launched_at and m.first_at < l.retired_at;

create view returned as
select k.* replace (
    k.test_timestamp + (14 + hash(k.serial_num) % 28) * interval 1 day as test_timestamp, 'pass' as test_result
)
from kept k join module m using (serial_num, product_name)
where k.test_timestamp = m.last_at and hash(k.serial_num, 'returned') % 1000 < 3;

create view arriving as
select *, test_timestamp + case
    when hash(serial_num, test_timestamp, 'late') % 100 = 0
        then to_seconds(1 + hash(serial_num, test_timestamp) % (60 * 86400)) else interval 0 day end as arrives_at
from (from kept union all by name from returned);
"""


def simulate(folder: Path, scale: float, weeks: int) -> Cost:
    """Writes the simulator's records as Parquet into `folder`."""
    arguments = ["--out", str(folder), "--format", "parquet", "--scale", str(scale), "--weeks", str(weeks)]
    return measure(["-m", "generator", *arguments], {})


def write_history(simulated: Path, folder: Path, work: Path, nights: int) -> int:
    """Writes month-*.parquet and night-*.parquet (the last `nights` days) into `folder`; the number of records."""
    folder.mkdir(parents=True)
    file = work / "history.duckdb"
    with closing(duckdb.connect(str(file), config={"memory_limit": "6GB", "temp_directory": str(work)})) as connection:
        connection.execute("set preserve_insertion_order = false")
        connection.execute(HISTORY.format(simulated=simulated))
        connection.execute("create table arrived as select *, arrives_at::date as day from arriving")
        last = connection.sql("select max(test_timestamp)::date from arrived").fetchone()[0]
        first_night = f"date '{last}' - {nights - 1}"
        periods = connection.sql(
            f"select distinct strftime(day, '%Y-%m') from arrived where day < {first_night} order by 1"
        ).fetchall()
        for (month,) in periods:
            where = f"strftime(day, '%Y-%m') = '{month}' and day < {first_night}"
            _write(connection, where, folder / f"month-{month}.parquet")
        for number in range(nights):
            _write(connection, f"day = {first_night} + {number}", folder / f"night-{number + 1:02}.parquet")
        records = connection.sql("select count(*) from arrived").fetchone()[0]
    file.unlink()
    return records


def _write(connection: duckdb.DuckDBPyConnection, where: str, file: Path) -> None:
    connection.execute(
        f"copy (select * exclude (arrives_at, day) from arrived where {where} order by hash(serial_num, arrives_at))"
        f" to '{file}' (format parquet)"
    )
