"""Whether the spread of a recipe's results over random seeds is the error of their mean."""
