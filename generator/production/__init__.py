"""Lines, machines, orders and crews of the simulated plant: what its machines and the people at them put on record.

`schemas` says which tables a plant has of it, `Production` makes any range of its days, and `truth` what is really so.
Plants without simulated_machines.csv have none of it.
"""

from generator.production.history import Production, schemas
from generator.production.reading import read_production
from generator.production.truth import truth

__all__ = ["Production", "read_production", "schemas", "truth"]
