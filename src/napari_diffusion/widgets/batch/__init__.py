"""The dock *Batch*: one recipe for many files."""
