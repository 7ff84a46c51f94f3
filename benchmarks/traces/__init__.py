"""How well traces of processing are read, on changes to genuine images whose places are known."""
