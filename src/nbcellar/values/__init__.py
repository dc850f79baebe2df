"""What a captured value is on disk, and reading it without loading it."""
