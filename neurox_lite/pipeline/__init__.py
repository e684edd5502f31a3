"""End to end: a job file in, a folder of results out."""
