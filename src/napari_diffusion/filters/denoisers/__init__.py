"""Parts of the denoisers: weights fitted on the image, patches and transforms."""
