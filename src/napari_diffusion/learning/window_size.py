"""How large windows are."""

#: Pixels at the borders of a window whose errors do not count: fewer filters act on them.
MARGIN = 8

#: What the pilot sees around it all.
AROUND = 16

#: Sides of the part whose errors count: the first that finds room among the parts held out.
SIDES = (96, 64, 48, 32, 16)
