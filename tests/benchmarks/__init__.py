"""Measurements, printed by `make bench`; not tests."""
