"""The docks *Add noise* and *Filter*."""
