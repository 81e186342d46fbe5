"""Shift patterns, breaks and holidays to the shifts of each line: pure functions of reference data."""
