"""Random numbers by address, quantiles and the kernels that noise models draw them with."""
