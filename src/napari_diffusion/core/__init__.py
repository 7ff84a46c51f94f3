"""Images, grids, parameters and components: no arithmetic, no scheduling."""
