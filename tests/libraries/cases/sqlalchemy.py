"""sqlalchemy: descriptions of tables can be stored, connections cannot."""

from case import Case, Library

LIBRARY = Library(
    package="sqlalchemy",
    imports="import sqlalchemy as sa\nfrom sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, Session\nfrom sqlalchemy.schema import CreateTable",
    cases=(
        Case(
            name="sqlalchemy.MetaData",
            make="x = sa.MetaData(); sa.Table('t', x, sa.Column('id', sa.Integer, primary_key=True))",
            use="x.tables['t'].c.id; x.sorted_tables; str(CreateTable(x.tables['t']))",
            changes=(
                "sa.Table('u', x, sa.Column('n', sa.String(5), index=True))",
                "x.tables['t'].append_column(sa.Column('k', sa.Float))",
                "x.info['a'] = 1",
            ),
            picture="[str(CreateTable(t)) for t in x.sorted_tables], x.info, x.tables['t'].metadata is x",
        ),
        Case(
            name="sqlalchemy.Table",
            make="a = sa.MetaData(); x = sa.Table('t', a, sa.Column('id', sa.Integer, primary_key=True), sa.Column('n', sa.String))",
            use="str(sa.select(x).where(x.c.n == 'a')); x.c.keys()",
            changes=(
                "x.append_column(sa.Column('k', sa.Float))",
                "x.append_constraint(sa.UniqueConstraint('n'))",
                "x.comment = 'c'",
            ),
            picture="str(CreateTable(x)), x.comment, a.tables['t'] is x, x.c.id.table is x",
        ),
        Case(
            name="sqlalchemy.Select",
            make="a = sa.table('t', sa.column('n')); x = sa.select(a.c.n)",
            use="str(x); x.compile()",
            changes=("x = x.where(a.c.n > 3)", "x = x.order_by(a.c.n)", "x = x.limit(5)"),
            picture="str(x.compile(compile_kwargs={'literal_binds': True}))",
        ),
        Case(
            name="sqlalchemy.Engine",
            make="x = sa.create_engine('sqlite://')",
            use="x.dialect.name",
            changes=("x.note = 1", "x.note = 2", "x.note = 3"),
            picture="getattr(x, 'note', 0)",
            storable=False,
        ),
        Case(
            name="sqlalchemy.orm.Session",
            make="a = sa.create_engine('sqlite://'); x = Session(a)",
            use="x.new",
            changes=("x.note = 1", "x.note = 2", "x.note = 3"),
            picture="getattr(x, 'note', 0)",
            storable=False,
        ),
        Case(
            name="sqlalchemy.orm (an object of a mapped class of the notebook)",
            make="class Base(DeclarativeBase):\n    pass\nclass User(Base):\n    __tablename__ = 'users'\n    id: Mapped[int] = mapped_column(primary_key=True)\n    name: Mapped[str]\nx = User(id=1, name='a')",
            use="x.name; sa.inspect(x).transient",
            changes=("x.name = 'b'", "x.id = 5", "x.note = 'n'"),
            picture="x.id, x.name, getattr(x, 'note', ''), type(x) is User, sa.inspect(x).transient",
        ),
        Case(
            name="sqlalchemy.Row (of a result)",
            make="with sa.create_engine('sqlite://').connect() as c:\n    x = c.execute(sa.text('select 1 as a, 2 as b')).all()\ndel c",
            use="x[0][0]; [tuple(r) for r in x]",
            changes=("x.append(x[0])", "x[0] = tuple(x[0])", "x.pop()"),
            picture="[(tuple(r), type(r).__name__, getattr(r, 'a', None)) for r in x]",
        ),
    ),
)
