"""Arrow tables of the simulated records, with the texts that the arrays only number."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from faker import Faker

from generator.process import GOLDEN, NONE, PURPOSES, RESULTS
from generator.production_days import ProductionDays
from generator.reference import Reference

TIMESTAMP = pa.timestamp("us", tz="UTC")
SCHEMAS = {
    "test_record": pa.schema(
        [
            ("serial_num", pa.string()),
            ("product_name", pa.string()),
            ("test_name", pa.string()),
            ("machine_id", pa.string()),
            ("test_timestamp", TIMESTAMP),
            ("test_result", pa.string()),
            ("test_duration_s", pa.float64()),
            ("operator_id", pa.string()),
            ("error_code", pa.string()),
            ("fixture_id", pa.string()),
            ("lot_number", pa.string()),
            ("software_version", pa.string()),
            ("run_purpose", pa.string()),
        ]
    ),
    "rework": pa.schema(
        [
            ("serial_num", pa.string()),
            ("rework_timestamp", TIMESTAMP),
            ("component", pa.string()),
            ("action", pa.string()),
            ("cause_error_code", pa.string()),
            ("technician_id", pa.string()),
            ("duration_s", pa.float64()),
        ]
    ),
}
LOT_DIGITS = 7
RELEASE = "4."
MICROSECONDS_PER_HOUR = 3_600_000_000


class Records:
    """Writes out attempts and reworks of one plant history. Its people depend on the seed alone."""

    def __init__(self, reference: Reference, days: ProductionDays, seed: int, serial_digits: int) -> None:
        self._reference, self._days, self._serial_digits = reference, days, serial_digits
        rates = reference.rates
        people = _people(seed, rates.operator_count + rates.technician_count)
        self._operators, self._technicians = people[: rates.operator_count], people[rates.operator_count :]

    def test_records(self, attempts: np.ndarray) -> pa.Table:
        """Table test_record of attempts (process.ATTEMPT), in their order."""
        reference = self._reference
        is_golden = attempts["purpose"] == GOLDEN
        fixture_count = reference.rates.fixtures_per_machine
        fixtures = [f"{machine}-F{k + 1}" for machine in reference.machines for k in range(fixture_count)]
        day, hour = self._day_and_hour(attempts["start"])
        release = day // (7 * reference.rates.software_release_weeks)
        columns = [
            self._serials(attempts, is_golden),
            _texts(reference.products, attempts["product"]),
            _texts(reference.tests, attempts["test"]),
            _texts(reference.machines, attempts["machine"]),
            pa.array(attempts["start"]).cast(TIMESTAMP),
            _texts(RESULTS, attempts["result"]),
            pa.array(attempts["duration_s"]),
            _texts(self._operators, self._operator(day, hour, attempts["machine"])),
            _texts(reference.error_codes, attempts["error_code"]),
            _texts(fixtures, attempts["machine"].astype(np.int64) * fixture_count + attempts["fixture"]),
            _numbered("LOT-", attempts["lot"], LOT_DIGITS),
            _texts([f"{RELEASE}{k}" for k in range(release.max(initial=-1) + 1)], release),
            _texts(PURPOSES, attempts["purpose"]),
        ]
        return pa.Table.from_arrays(columns, schema=SCHEMAS["test_record"])

    def reworks(self, reworks: np.ndarray) -> pa.Table:
        """Table rework of reworks (process.REWORK), in their order."""
        columns = [
            self._serials(reworks, np.zeros(len(reworks), dtype=bool)),
            pa.array(reworks["start"]).cast(TIMESTAMP),
            _texts(self._reference.components, reworks["component"]),
            pa.repeat(pa.scalar("replace"), len(reworks)),
            _texts(self._reference.error_codes, reworks["error_code"]),
            _texts(self._technicians, reworks["technician"]),
            pa.array(reworks["duration_s"]),
        ]
        return pa.Table.from_arrays(columns, schema=SCHEMAS["rework"])

    def _serials(self, records: np.ndarray, is_golden: np.ndarray) -> pa.Array:
        """Prefix and rolling digits; golden units have serials of their own, two digits or more after GOLDEN-."""
        prefix = _texts(self._reference.prefixes, records["product"])
        digits = pc.utf8_lpad(pa.array(records["number"]).cast(pa.string()), self._serial_digits, "0")
        rolling = pc.binary_join_element_wise(prefix, digits, "")
        return pc.if_else(pa.array(is_golden), _numbered("GOLDEN-", records["number"], 2), rolling)

    def _day_and_hour(self, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Production day of each instant, from 0, and its hours since that day began."""
        if not len(start):
            return np.zeros(0, dtype=np.int64), np.zeros(0)
        origin = self._days.begin(0)
        first = max(0, (start.min() - origin) // (24 * MICROSECONDS_PER_HOUR) - 1)
        last = (start.max() - origin) // (24 * MICROSECONDS_PER_HOUR) + 2
        begins = self._days.begins(int(first), int(last))
        position = np.searchsorted(begins, start, side="right") - 1
        return first + position, (start - begins[position]) / MICROSECONDS_PER_HOUR

    def _operator(self, day: np.ndarray, hour: np.ndarray, machine: np.ndarray) -> np.ndarray:
        """Crews take shifts in turn; within a crew each operator has the same machines all shift."""
        rates = self._reference.rates
        shifts = int(np.ceil(24 / rates.shift_hours))
        shift = day * shifts + np.minimum(hour // rates.shift_hours, shifts - 1).astype(np.int64)
        crews = min(rates.shifts_in_rotation, rates.operator_count)
        crew_size = rates.operator_count // crews
        return shift % crews * crew_size + machine % crew_size


def _people(seed: int, count: int) -> list[str]:
    """Different names; a third name part where two would be the same."""
    names = Faker("en_US")
    names.seed_instance(seed)
    people: dict[str, None] = {}
    while len(people) < count:
        name = f"{names.first_name()} {names.last_name()}"
        people[name if name not in people else f"{name}-{names.last_name()}"] = None
    return list(people)


def _texts(names: list[str], numbers: np.ndarray) -> pa.Array:
    """The names that `numbers` say; NULL for NONE."""
    numbers = numbers.astype(np.int32)
    return pa.array(names, pa.string()).take(pa.array(numbers, mask=numbers == NONE))


def _numbered(prefix: str, numbers: np.ndarray, digits: int) -> pa.Array:
    """`prefix` and the number, padded with zeros; NULL for NONE."""
    texts = pa.array(numbers, mask=numbers == NONE).cast(pa.string())
    return pc.binary_join_element_wise(pa.scalar(prefix), pc.utf8_lpad(texts, digits, "0"), "")
