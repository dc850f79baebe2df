"""Three-way merging of notebooks."""
