"""CPU seconds of comparing outputs: a thousand of them, a picture of 2000 x 2000 pixels, a table of 5,000 rows.

    .venv/bin/python benchmarks/document_outputs.py

Each figure is the least of three runs in this process, libraries loaded before.
"""

from __future__ import annotations

import base64
import random
import struct
import time
import zlib
from collections.abc import Callable
from typing import Any

from nbcellar.diff.document.outputs.registry import compare_bundle


def thousand(apart: float) -> list[dict[str, Any]]:
    """Return a thousand bundles: lines of a training, small tables, plots as JSON."""
    rows = "".join(f"<tr><th>{n}</th><td>{n * 1.5 + apart}</td><td>x{n}</td></tr>" for n in range(10))
    text = "\n".join(f"epoch {n} loss {0.9132 + n + apart:.4f}" for n in range(20))
    plot = {"data": [{"x": list(range(50)), "y": [n * 0.1 + apart for n in range(50)]}]}
    kinds: list[dict[str, Any]] = [
        {"text/plain": text},
        {"text/plain": "frame", "text/html": f"<table><tr><th><th>a<th>b</tr>{rows}</table>"},
        {"application/vnd.plotly.v1+json": plot},
    ]
    return [kinds[n % 3] for n in range(1000)]


def table(apart: int) -> dict[str, str]:
    """Return a table of 5,000 rows and 8 columns, a cell of which is `apart`."""
    generator = random.Random(2)
    rows = []
    for n in range(5000):
        cells = "".join(f"\n      <td>{generator.random() + (apart if n == 77 else 0):.6f}</td>" for _ in range(8))
        rows.append(f"\n    <tr>\n      <th>{n}</th>{cells}\n    </tr>")
    head = "<th></th>" + "".join(f"<th>{n}</th>" for n in range(8))
    return {
        "text/html": f'<table class="dataframe"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    }


def picture(side: int, spot: int) -> dict[str, str]:
    """Return a square PNG with a gradient and a black spot."""
    lines = bytearray()
    for y in range(side):
        row = bytearray(value for x in range(side) for value in ((x + y) & 255, x & 255, y & 255))
        if y < spot:
            row[: 3 * spot] = bytes(3 * spot)
        lines += b"\0" + row
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(lines, 6)),
        (b"IEND", b""),
    )
    body = b"".join(struct.pack(">I", len(c)) + k + c + struct.pack(">I", zlib.crc32(k + c)) for k, c in chunks)
    return {"image/png": base64.b64encode(b"\x89PNG\r\n\x1a\n" + body).decode()}


def least(work: Callable[[], object]) -> float:
    """Return the least CPU seconds of three runs, after one that is not counted."""
    work()
    found = []
    for _ in range(3):
        begin = time.process_time()
        work()
        found.append(time.process_time() - begin)
    return min(found)


def compare_all(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> int:
    return sum(len(compare_bundle(old, new)) for old, new in zip(before, after, strict=True))


def main() -> None:
    cases = {
        "1,000 outputs, all changed": (thousand(0.0), thousand(0.25)),
        "1,000 outputs, all equal": (thousand(0.0), thousand(0.0)),
        "a picture of 2000 x 2000 pixels": ([picture(2000, 0)], [picture(2000, 50)]),
        "a picture of 640 x 640 pixels": ([picture(640, 0)], [picture(640, 50)]),
        "a table of 5,000 rows, a row changed": ([table(0)], [table(9)]),
    }
    for name, (before, after) in cases.items():
        print(f"{name:40} {least(lambda old=before, new=after: compare_all(old, new)):7.3f}")  # type: ignore[misc]


if __name__ == "__main__":
    main()
