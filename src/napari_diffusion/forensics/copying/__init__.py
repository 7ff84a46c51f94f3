"""Parts that stand twice: key points, maps that they agree on, and windows equal to the bit."""
