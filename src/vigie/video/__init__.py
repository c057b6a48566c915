"""Video supervision: cameras."""
