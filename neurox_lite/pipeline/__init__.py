"""The whole road: a job file in, a folder of results out."""
