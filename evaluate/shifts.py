"""Fair comparison of shifts, on plants whose true differences are known."""

from evaluate import EvaluationError, Request


def evaluate(request: Request) -> bool:
    raise EvaluationError("shift_comparison is not built yet")
