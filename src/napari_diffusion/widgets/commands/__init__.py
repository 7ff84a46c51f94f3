"""What is done to the selected layer at once, from the menus and the command palette."""
