"""The dock *Train*: weights of `LearnedDiffusion` from an image of one's own."""
