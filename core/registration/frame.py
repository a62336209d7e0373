"""Register the bodies of one instant from a start pose."""
