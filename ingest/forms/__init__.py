"""Operators' workbooks: forms that Excel helps to fill in, read back, and returned with their wrong cells marked."""
