"""Windows onto recipes and runs: forms, docks and layers; the engine imports none."""
