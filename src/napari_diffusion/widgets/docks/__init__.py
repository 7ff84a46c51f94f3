"""What docks that run something share."""
