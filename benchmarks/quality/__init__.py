"""How close the denoiser comes to the ground truth, beside others; writes benchmarks/quality.md.

The parts grey, colour, poisson, volume, video, diffusions, noise and time each measure one thing:
``measured(seeds)`` returns plain values, and ``lines(found)`` what the page says of them.
"""
