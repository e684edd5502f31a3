"""Does the installation work? What `neurox-lite doctor` looks at."""
