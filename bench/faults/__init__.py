"""Fault tests: each kills, fills, stops or floods a real service and counts what was lost; run by `make faults`."""
