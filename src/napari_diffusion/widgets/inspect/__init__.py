"""The dock *Inspect image*: what traces of processing there are, without a verdict."""
