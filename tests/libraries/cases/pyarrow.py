"""pyarrow: arrays and tables cannot be changed; builders, readers and schemas around them."""

from case import Case, Library

LIBRARY = Library(
    package="pyarrow",
    imports="import pyarrow as pa\nimport pyarrow.compute as pc\nimport pyarrow.dataset as ds",
    cases=(
        Case(
            name="pyarrow.Array",
            make="x = pa.array([1, None, 3])",
            use="pc.count(x); x[0].as_py(); x.null_count; x.to_pylist(); len(x); repr(x); x.to_pandas(); x.equals(x)",
            changes=("x = pa.array(['a', 'b', 'ccc'])", "x = x[1:]", "x = x.dictionary_encode()"),
            picture="x.to_pylist(), str(x.type), x.null_count, x.offset",
        ),
        Case(
            name="pyarrow.Array (nested)",
            make="x = pa.array([[{'k': 1}], None, [{'k': 2}, {'k': None}]])",
            use="x.flatten(); x[0].as_py(); x.to_pylist(); len(x); repr(x); x.validate(full=True)",
            changes=("x = x.slice(1)", "x = x.take(pa.array([1, 0]))", "x = pa.array([[{'k': 9}]])"),
            picture="x.to_pylist(), str(x.type), x.null_count",
        ),
        Case(
            name="pyarrow.ChunkedArray",
            make="x = pa.chunked_array([[1, 2], [3]])",
            use="x.num_chunks; pc.mean(x); x.to_pylist(); x.combine_chunks(); repr(x); x.chunk(0)",
            changes=("x = pa.chunked_array([*x.chunks, pa.array([4])])", "x = x.cast('float64')", "x = x[1:3]"),
            picture="x.to_pylist(), str(x.type), [c.to_pylist() for c in x.chunks]",
        ),
        Case(
            name="pyarrow.Table",
            make="x = pa.table({'a': [1, 2, 3], 's': ['x', None, 'z']})",
            use="x.to_pandas(); x['a']; x.schema; x.num_rows; x.filter(pc.field('a') > 1); x.group_by('s'); repr(x); x.nbytes",
            changes=(
                "x = x.append_column('b', pa.array([1.0, 2.0, 3.0]))",
                "x = x.replace_schema_metadata({'k': 'v'})",
                "x = x.drop_columns(['s']).slice(1)",
                "x = x.append_column('s', pa.array(['p', 'q']))",
            ),
            picture="x.to_pydict(), str(x.schema), x.schema.metadata",
        ),
        Case(
            name="pyarrow.RecordBatch",
            make="x = pa.RecordBatch.from_pydict({'a': [1, 2], 'b': [True, None]})",
            use="x.num_rows; x.column(0); x.to_pandas(); repr(x); x.schema; x.equals(x)",
            changes=("x = x.slice(1)", "x = x.rename_columns(['c', 'd'])", "x = x.select(['c'])"),
            picture="x.to_pydict(), str(x.schema)",
        ),
        Case(
            name="pyarrow.Schema",
            make="x = pa.schema([('a', pa.int32()), ('s', pa.string())])",
            use="x.names; x.field('a'); x.empty_table(); repr(x); x.equals(x); hash(x)",
            changes=(
                "x = x.append(pa.field('t', pa.timestamp('us', tz='UTC'), nullable=False))",
                "x = x.with_metadata({b'k': b'v'})",
                "x = x.set(1, pa.field('d', pa.decimal128(8, 2)))",
            ),
            picture="str(x), x.names, x.metadata, [f.nullable for f in x]",
        ),
        Case(
            name="pyarrow.Scalar",
            make="x = pa.scalar(5)",
            use="x.as_py(); x.type; x.is_valid; repr(x); x.equals(x); hash(x)",
            changes=("x = x.cast('float32')", "x = pa.scalar({'a': [1, 2]})", "x = pa.scalar(None, pa.string())"),
            picture="x.as_py(), str(x.type), x.is_valid",
        ),
        Case(
            name="pyarrow.Buffer",
            make="x = pa.py_buffer(b'hello')",
            use="x.size; x.to_pybytes(); x[0]; x.equals(x)",
            changes=("x = x.slice(1)", "x = pa.py_buffer(b'other')", "x = pa.py_buffer(bytearray(b'mutable'))"),
            picture="x.to_pybytes(), x.size",
        ),
        Case(
            name="pyarrow.compute.Expression",
            make="x = pc.field('a') > 1",
            use="repr(x); ds.dataset(pa.table({'a': [1, 2]})).to_table(filter=x)",
            changes=("x = x & (pc.field('a') < 9)", "x = ~x", "x = pc.field('a') == 2"),
            picture="str(x), pa.table({'a': [1, 2, 10]}).filter(x).to_pydict()",
        ),
        Case(
            name="pyarrow.parquet.ParquetFile",
            make="import pyarrow.parquet as pq; pq.write_table(pa.table({'a': [1]}), 'a.parquet');"
            " x = pq.ParquetFile('a.parquet')",
            use="x.read(); x.metadata",
            changes=(),
            picture="x.read().to_pydict()",
            storable=False,
        ),
        Case(
            name="pyarrow.RecordBatchReader",
            make="x = pa.table({'a': [1, 2]}).to_reader()",
            use="x.schema",
            changes=(),
            picture="str(x.schema)",
            storable=False,
        ),
    ),
)
