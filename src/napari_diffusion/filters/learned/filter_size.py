"""How large the learned filters are."""

#: Pixels of a filter along each axis, and how many more an image has than responses.
SIDE = 5
MORE = SIDE - 1
