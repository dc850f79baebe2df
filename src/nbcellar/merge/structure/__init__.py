"""Merging what notebooks say as pipelines: components by cell, declared edges as a graph.

`versions` puts the three versions into the ids of the merged notebook, `settling` looks for what does not fit together
in the merged graph, `telling` says it, `deciding` carries out what a person decides.
"""
