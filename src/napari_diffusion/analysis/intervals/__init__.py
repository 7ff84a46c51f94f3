"""Parts of the prediction interval."""
