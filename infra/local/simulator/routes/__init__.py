"""What answers at each path, one file per resource."""
