"""Reading and writing TIFF: plain, of ImageJ, and OME."""
