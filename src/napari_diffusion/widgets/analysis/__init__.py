"""Parameter sweep, ensemble and estimated local error."""
