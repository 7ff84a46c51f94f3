"""Where the shipped weights come from, and how well `LearnedDiffusion` alone denoises."""
