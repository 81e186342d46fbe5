"""The simulated plant: a made-up fiber-optic module plant whose parameters are a plant folder's reference CSVs.

`simulate` gives the records of any range of production days, `simulate_weeks` the same week by week in bounded memory.
What is simulated, and every parameter: docs/simulated_plant.md.
"""

from generator.history import schemas, simulate, simulate_weeks
from generator.reference import GeneratorError

__all__ = ["GeneratorError", "schemas", "simulate", "simulate_weeks"]
