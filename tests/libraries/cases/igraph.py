"""igraph: a graph in C with attributes in Python."""

from case import Case, Library

LIBRARY = Library(
    package="igraph",
    imports="import igraph",
    cases=(
        Case(
            name="igraph.Graph",
            make="x = igraph.Graph.Ring(5)",
            use="x.diameter(); x.degree(); x.get_edgelist(); repr(x.summary()); x.pagerank()",
            changes=("x.add_edge(0, 2)", "x.vs[1]['name'] = 'v'", "x.delete_vertices([4])"),
            picture="x.vcount(), x.get_edgelist(), x.vs['name'] if 'name' in x.vs.attributes() else None, x.diameter()",
        ),
        Case(
            name="igraph.Graph (directed, with weights)",
            make="x = igraph.Graph([(0, 1), (1, 2)], directed=True); x.es['w'] = [1.0, 2.0]",
            use="x.distances(weights='w'); x.indegree()",
            changes=("x.es[0]['w'] = 9", "x['title'] = 't'", "x.reverse_edges([0])"),
            picture="x.get_edgelist(), x.es['w'], x.attributes(), x.is_directed()",
        ),
        Case(
            name="igraph.VertexClustering",
            make="x = igraph.Graph.Full(3).disjoint_union(igraph.Graph.Full(3)).connected_components()",
            use="x.membership; x.sizes(); x.modularity",
            changes=("x.graph.add_edge(0, 3)", "x._membership[0] = 1", "x.graph.vs['c'] = [1] * 6"),
            picture="x.membership, x.graph.get_edgelist(), x.graph.vs.attributes()",
        ),
        Case(
            name="igraph.Layout",
            make="x = igraph.Graph.Ring(3).layout('circle')",
            use="x.bounding_box(); x[0]",
            changes=("x.scale(2)", "x.translate(1, 1)", "x[0] = (9, 9)"),
            picture="[[round(v, 6) for v in p] for p in x.coords]",
        ),
    ),
)
