"""Probes: fit them to a proven optimum, and ask what they would do without information."""
