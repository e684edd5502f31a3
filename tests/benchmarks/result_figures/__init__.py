"""Figures of docs/results/, drawn from the tables of these pages."""
