"""Measure how long the layout of a graph takes, and how large the picture is.

    python benchmarks/layout.py [--sizes 100 200 1000 2000 5000] [--repeat 3]

The graphs are generated: one asset in ten is a root, and each other asset reads one to three assets
from the tenth of the graph before it. The best time of several counts.
"""

from __future__ import annotations

import argparse
import random
import time

from assetgraph.pictures.layout import layout

CARD = (216.0, 83.0)


def graph(size: int) -> tuple[dict[str, tuple[float, float]], list[tuple[str, str]]]:
    chance = random.Random(size)
    names = [f"asset_{n:05}" for n in range(size)]
    edges = set()
    for n in range(1, size):
        if chance.random() < 0.9:
            for _ in range(chance.choice((1, 1, 1, 2, 2, 3))):
                edges.add((names[chance.randrange(max(0, n - max(6, size // 10)), n)], names[n]))
    return dict.fromkeys(names, CARD), sorted(edges)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 200, 1000, 2000, 5000])
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    print(f"{'cards':>6} {'edges':>6} {'ms':>7}   picture")
    for size in options.sizes:
        sizes, edges = graph(size)
        times = []
        for _ in range(options.repeat):
            start = time.perf_counter()
            placed = layout(sizes, edges)
            times.append(time.perf_counter() - start)
        shape = f"{placed.width:.0f} x {placed.height:.0f}"
        print(f"{size:>6} {len(edges):>6} {min(times) * 1000:>7.0f}   {shape}")


if __name__ == "__main__":
    main()
