"""What changed between two values, as frozen data."""
