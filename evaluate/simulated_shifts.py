"""Small plants of two shifts whose true difference is known: modules with lots, machines and days.

A module passes with probability expit(product + machine + day + lot + staffing + shift). Machines, days and lots are
normal on the logit scale, with standard deviations of .1 to .3, so units of one day or one lot are not independent; a
lot may go on over the end of a shift. How much of a day's effect both shifts share is drawn, too. Beside the modules,
each run of a product on a machine has seconds of production within planned busy time, by the same effects.
"""

from dataclasses import dataclass

import numpy as np

SIDES = np.array(["day", "night"])
STAFFING = np.array(["5", "4"])
RUN_NOISE = 0.3
"""Standard deviation of what is a run's own in its share of production time, logit."""
NODES, NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(21)


@dataclass(frozen=True)
class Scenario:
    """What a plant is made with.

    `mix`: how differently the shifts choose products, 0 to 1. `products`: logits that they lie between (both ends are
    there where `is_against_mix`). `effect`: true difference within cells, day less night, in standard errors; its sign
    is turned against that of the mix part where `is_against_mix`. `staffing`: what one hand less does, logit; `short`:
    how often day and night lack one.
    """

    name: str
    mix: float = 0.65
    products: tuple[float, float] = (1.0, 3.5)
    effect: float = 0.0
    is_against_mix: bool = False
    staffing: float = -0.3
    short: tuple[float, float] = (0.2, 0.5)


@dataclass(frozen=True)
class Truth:
    """Of one metric of one plant: expected parts of the difference given what was run, and the true standard error of
    the part within cells."""

    within: float
    standard_error: float
    crude: float
    staffing: float


def expit(x):
    return 1 / (1 + np.exp(-x))


def mean_share(eta: np.ndarray, sd: float) -> np.ndarray:
    """E expit(eta + N(0, sd^2)) by Gauss-Hermite quadrature."""
    return expit(eta[..., None] + sd * NODES) @ NODE_WEIGHTS / NODE_WEIGHTS.sum()


class SimulatedPlant:
    """What one plant ran: arrays with an entry per run (machine, occurrence of a shift, lot)."""

    def __init__(self, seed: int, scenario: Scenario):
        self.random = random = np.random.default_rng([seed, sum(map(ord, scenario.name))])
        self.scenario = scenario
        self.days, machines, products = random.integers(18, 41), random.integers(2, 5), random.integers(2, 4)
        self.sd_day, sd_machine, self.sd_lot = random.uniform(0.1, 0.3, 3)
        self.shared = random.uniform()
        runs = random.integers(1, 3, (machines, self.days, 2))
        self.machine, self.day, self.side = (np.repeat(i.ravel(), runs.ravel()) for i in np.indices(runs.shape))
        self.machine_effect = random.normal(0, sd_machine, machines)
        is_new = random.uniform(size=len(self.machine)) > 0.3
        is_new[np.flatnonzero(np.diff(self.machine, prepend=-1))] = True
        self.lot = np.cumsum(is_new) - 1
        shares = random.dirichlet(np.full(products, 3.0), 2)
        order = np.arange(products) / (products - 1)
        strong = np.stack([expit(8 * (0.5 - order)), expit(8 * (order - 0.5))])
        shares = (1 - scenario.mix) * shares + scenario.mix * strong / strong.sum(1, keepdims=True)
        drawn = random.uniform(size=is_new.sum())[:, None] > np.cumsum(shares[self.side[is_new]], 1)[:, :-1]
        self.product = drawn.sum(1)[self.lot]
        is_short = random.uniform(size=(self.days, 2)) < scenario.short
        self.staffing = is_short[self.day, self.side].astype(int)
        self.product_effect = np.sort(random.uniform(*scenario.products, products))
        if scenario.is_against_mix:
            self.product_effect[[0, -1]] = scenario.products
        self.modules = 1 + random.poisson(random.uniform(20, 60), len(self.lot))
        self.seconds = np.round(random.uniform(2, 6, len(self.lot)) * 3600)
        keys = np.stack([self.product, self.machine, self.staffing], 1)
        self.cells, self.cell = np.unique(keys, axis=0, return_inverse=True)
        self.cell = self.cell.ravel()

    def level(self, shift_effect: float) -> np.ndarray:
        """Logit of each cell on each side, without day and lot: cells x 2."""
        product, machine, staffing = self.cells.T
        level = self.product_effect[product] + self.machine_effect[machine] + self.scenario.staffing * staffing
        return level[:, None] + np.array([shift_effect, 0.0])

    def outcome(self, size: np.ndarray, noise: float, is_binomial: bool) -> tuple[np.ndarray, Truth]:
        """Share of each run, and the truth. `size`: the runs' denominators; `noise`: logit sd of a run's own."""
        held = np.zeros((len(self.cells), 2))
        np.add.at(held, (self.cell, self.side), size)
        common = (held > 0).all(1)
        weight = np.where(common[:, None], held, 0)
        weight = (weight / weight.sum(0)).mean(1)
        sd = np.sqrt(self.sd_day**2 + self.sd_lot**2 + noise**2)
        sign = np.array([1.0, -1.0])
        influence = (sign * np.where(common, weight, 0)[:, None] / np.where(held > 0, held, 1))[
            self.cell, self.side
        ] * size

        def expected(shift_effect: float) -> tuple[np.ndarray, float, float]:
            means = mean_share(self.level(shift_effect), sd)
            of_run = means[self.cell, self.side]
            return means, weight @ (means @ sign), self._standard_error(influence, of_run, size, is_binomial, noise)

        mix = (held / held.sum(0) * expected(0)[0]).sum(0) @ sign
        direction = -np.sign(mix) if self.scenario.is_against_mix else 1.0
        low, high = 0.0, 8.0 * bool(self.scenario.effect)
        while high - low > 1e-4:
            middle = (low + high) / 2
            _, within, error = expected(direction * middle)
            low, high = (low, middle) if direction * within > self.scenario.effect * error else (middle, high)
        shift_effect = direction * low
        means, within, error = expected(shift_effect)
        truth = Truth(
            within=within,
            standard_error=error,
            crude=(held / held.sum(0) * means).sum(0) @ sign,
            staffing=self._staffing_part(np.where(common[:, None], held, 0), means),
        )
        day = self.random.normal(0, self.sd_day, (self.days, 1)) * np.sqrt(self.shared)
        day = day + self.random.normal(0, self.sd_day, (self.days, 2)) * np.sqrt(1 - self.shared)
        eta = self.level(shift_effect)[self.cell, self.side] + day[self.day, self.side]
        eta += self.random.normal(0, self.sd_lot, self.lot[-1] + 1)[self.lot]
        return expit(eta + self.random.normal(0, noise, len(eta)) if noise else eta), truth

    def _standard_error(self, influence, share, size, is_binomial: bool, noise: float) -> float:
        """Of a sum of influence x share, by the delta method, from the variances that the plant is made with."""
        slope = influence * share * (1 - share)
        by_day, by_shift, by_lot = np.zeros(self.days), np.zeros((self.days, 2)), np.zeros(self.lot[-1] + 1)
        np.add.at(by_day, self.day, slope)
        np.add.at(by_shift, (self.day, self.side), slope)
        np.add.at(by_lot, self.lot, slope)
        days = self.shared * (by_day**2).sum() + (1 - self.shared) * (by_shift**2).sum()
        own = (slope**2).sum() * noise**2 + is_binomial * (influence**2 * share * (1 - share) / size).sum()
        return np.sqrt(self.sd_day**2 * days + self.sd_lot**2 * (by_lot**2).sum() + own)

    def _staffing_part(self, held: np.ndarray, means: np.ndarray) -> float:
        """Shapley value of staffing in the mix part of the expected shares, over the orders of the three factors."""
        part = 0.0
        for without, share in (((), 1 / 3), ((0,), 1 / 6), ((1,), 1 / 6), ((0, 1), 1 / 3)):
            part += share * (self._mix_part((*without, 2), held, means) - self._mix_part(without, held, means))
        return part

    def _mix_part(self, factors: tuple[int, ...], held: np.ndarray, means: np.ndarray) -> float:
        if not factors:
            return 0.0
        group = np.unique(self.cells[:, list(factors)], axis=0, return_inverse=True)[1].ravel()
        sums = np.zeros((2, len(self.cells), 2))
        np.add.at(sums, (0, group), held)
        np.add.at(sums, (1, group), held * means)
        rate = (sums[1] / np.where(sums[0] > 0, sums[0], 1)).mean(1)
        share = sums[0] / sums[0].sum(0)
        return (share[:, 0] - share[:, 1]) @ rate

    def results(self) -> tuple[dict[str, np.ndarray], dict[str, Truth]]:
        """Passed modules (each drawn) and production seconds of every run, and the truth by metric."""
        share, passing = self.outcome(self.modules, 0.0, is_binomial=True)
        of_run = np.repeat(np.arange(len(share)), self.modules)
        passed = np.bincount(of_run[self.random.uniform(size=len(of_run)) < share[of_run]], minlength=len(share))
        busy, availability = self.outcome(self.seconds, RUN_NOISE, is_binomial=False)
        runs = {
            "attempt_count": self.modules,
            "pass_count": passed,
            "pbt_s": self.seconds,
            "apt_s": busy * self.seconds,
        }
        return runs, {"passing_rate": passing, "availability": availability}
