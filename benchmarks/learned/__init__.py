"""Where the shipped weights of *digits* come from; `tools` has the script of *photographs*."""
