"""Who signed what, whose variables may be loaded, and the one door through which they are."""
