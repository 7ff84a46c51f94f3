"""The dock *Steps*."""
