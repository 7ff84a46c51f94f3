"""Values in files of which parts are read."""
