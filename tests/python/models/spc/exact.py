"""Statistics to compare the models' SQL with, computed from their definitions: slowly, and in as many digits as needed.

Names follow the field: `n` values of a subgroup, `nu` degrees of freedom, `p` a probability below.
"""

import math
from decimal import Decimal, localcontext
from functools import cache

DIGITS = 34
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")


@cache
def _normal(x: Decimal) -> Decimal:
    """Normal distribution function, by its series of positive terms."""
    if x < 0:
        return 1 - _normal(-x)
    term = total = x
    divisor = 1
    while term > total * Decimal("1e-36"):
        divisor += 2
        term *= x * x / divisor
        total += term
    return Decimal("0.5") + total * (-x * x / 2).exp() / (2 * PI).sqrt()


def relative_ranges(sizes: list[int]) -> dict[int, tuple[float, float]]:
    """d2 and d3 by n: mean and standard deviation of the range of n standard normal values, by integrals.

    P(R > r) = 1 - n ∫ φ(x) (Φ(x + r) - Φ(x))^(n-1) dx; d2 = ∫ P(R > r) dr; d2² + d3² = ∫ 2 r P(R > r) dr.
    Inside by the trapezoid rule, outside with r = exp(π/2 sinh t): both converge exponentially.
    """
    with localcontext() as context:
        context.prec = DIGITS + 6
        step, outer = Decimal(1) / 5, Decimal(1) / 30
        grid = [i * step for i in range(-48, 49)]
        density = [(-x * x / 2).exp() / (2 * PI).sqrt() * step for x in grid]
        below = [_normal(x) for x in grid]
        first, second = dict.fromkeys(sizes, Decimal(0)), dict.fromkeys(sizes, Decimal(0))
        for i in range(-126, 42):
            t = i * outer
            r = (PI / 2 * (t.exp() - (-t).exp()) / 2).exp()
            weight = r * PI / 2 * (t.exp() + (-t).exp()) / 2 * outer
            if r > 20:
                continue
            width = [_normal(x + r) - low for x, low in zip(grid, below, strict=True)]
            for n in sizes:
                inside = sum(d * w ** (n - 1) for d, w in zip(density, width, strict=True))
                more = 1 - n * inside
                first[n] += more * weight
                second[n] += 2 * r * more * weight
        return {n: (float(first[n]), float((second[n] - first[n] ** 2).sqrt())) for n in sizes}


def c4(n: int) -> float:
    """Mean of the standard deviation of n standard normal values: √(2/(n-1)) Γ(n/2) / Γ((n-1)/2), exact in Γ."""
    with localcontext() as context:
        context.prec = DIGITS

        def gamma(halves: int) -> Decimal:
            value, k = (Decimal(1), 2) if halves % 2 == 0 else (PI.sqrt(), 1)
            while k < halves:
                value *= Decimal(k) / 2
                k += 2
            return value

        return float((Decimal(2) / (n - 1)).sqrt() * gamma(n) / gamma(n - 1))


def normal_cdf(z: float) -> float:
    return math.erfc(-z / math.sqrt(2)) / 2


def chi_square_cdf(x: float, nu: float) -> float:
    """Regularised lower incomplete gamma function, by its series of positive terms."""
    if x <= 0:
        return 0.0
    a, half = nu / 2, x / 2
    term = total = 1 / a
    k = a
    while term > total * 1e-17:
        k += 1
        term *= half / k
        total += term
    return total * math.exp(a * math.log(half) - half - math.lgamma(a))


def beta_cdf(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta function, by its series of positive terms where that is short."""
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_cdf(1 - x, b, a)
    term = total = 1.0
    n = 0
    while term > total * 1e-17:
        term *= (a + b + n) / (a + 1 + n) * x
        total += term
        n += 1
    front = a * math.log(x) + b * math.log1p(-x) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    return total * math.exp(front) / a


def f_tail(f: float, nu1: float, nu2: float) -> float:
    """P(F > f)."""
    return beta_cdf(nu2 / (nu2 + nu1 * f), nu2 / 2, nu1 / 2)


def student_cdf(t: float, nu: float) -> float:
    tail = beta_cdf(nu / (nu + t * t), nu / 2, 0.5) / 2
    return 1 - tail if t > 0 else tail


def quantile(cdf, p: float, low: float, high: float) -> float:
    """The x at which a distribution function is p, by bisection."""
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if cdf(middle) < p else (low, middle)
    return (low + high) / 2


def chi_square_quantile(p: float, nu: float) -> float:
    return quantile(lambda x: chi_square_cdf(x, nu), p, 0.0, 3 * nu + 40)


def student_quantile(p: float, nu: float) -> float:
    return quantile(lambda t: student_cdf(t, nu), p, 0.0, 1000.0)
