"""Speed beside other libraries, both sides in turn in one run: ``python -m benchmarks``."""
