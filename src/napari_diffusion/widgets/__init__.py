"""Windows onto recipes and runs: forms, docks and layers; nothing here is imported by the engine."""
