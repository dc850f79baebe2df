"""arrow: immutable times."""

from case import Case, Library

LIBRARY = Library(
    package="arrow",
    imports="import arrow",
    cases=(
        Case(
            name="arrow.Arrow",
            make="x = arrow.get('2024-01-31T10:00:00+01:00')",
            use="x.humanize(arrow.get('2024-02-01')); x.format(); x.to('utc'); repr(x)",
            changes=("x = x.shift(months=1)", "x = x.to('US/Pacific')", "x = x.replace(hour=3)"),
            picture="x.isoformat(), str(x.tzinfo), x.timestamp()",
        ),
        Case(
            name="arrow.factory.ArrowFactory",
            make="x = arrow.ArrowFactory()",
            use="x.get('2024-01-01')",
            changes=("x.type = type('Mine', (arrow.Arrow,), {})", "x.note = 1", "x.note = 2"),
            picture="x.type.__name__, getattr(x, 'note', None), x.get('2024-01-01').isoformat()",
        ),
        Case(
            name="list (of a range of arrows)",
            make="x = list(arrow.Arrow.range('day', arrow.get('2024-01-01'), limit=3))",
            use="[a.weekday() for a in x]; min(x)",
            changes=("x[0] = x[0].shift(years=1)", "x.append(arrow.get(0))", "x.sort()"),
            picture="[a.isoformat() for a in x]",
        ),
    ),
)
