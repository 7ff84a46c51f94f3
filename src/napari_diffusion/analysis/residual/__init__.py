"""Parts of the test of a residual: runs on fresh noise, statistics, score, degrees of freedom."""
