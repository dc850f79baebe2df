"""networkx: graphs are plain objects, dicts of dicts."""

from case import Case, Library

LIBRARY = Library(
    package="networkx",
    imports="import networkx as nx",
    cases=(
        Case(
            name="networkx.Graph",
            make="x = nx.path_graph(5)",
            use="nx.shortest_path(x, 0, 4); list(x.nodes); list(x.edges)",
            changes=("x.add_edge(0, 4)", "x.nodes[2]['color'] = 'red'", "x.remove_node(3)"),
            picture="sorted(x.nodes(data=True), key=str), sorted(x.edges(data=True), key=str), nx.number_connected_components(x)",
        ),
        Case(
            name="networkx.DiGraph",
            make="x = nx.DiGraph([(1, 2), (2, 3)])",
            use="list(nx.topological_sort(x)); x.in_degree(2)",
            changes=("x.add_edge(3, 4, weight=2.0)", "x[1][2]['weight'] = 7", "x.remove_edge(2, 3)"),
            picture="sorted(x.edges(data=True), key=str), dict(x.out_degree())",
        ),
        Case(
            name="networkx.MultiGraph",
            make="x = nx.MultiGraph([(1, 2), (1, 2)])",
            use="x.number_of_edges(1, 2)",
            changes=("x.add_edge(1, 2, 'named', w=1)", "x.graph['title'] = 'g'", "x.remove_edge(1, 2, 0)"),
            picture="sorted(x.edges(keys=True, data=True), key=str), x.graph",
        ),
    ),
)
