"""Small pictures of known categories, as files."""

import csv

import numpy as np
from PIL import Image

SIZE = 16
KINDS = ("across", "down")


def bars(folder, part, n, seed):
    """Write bright bars at any place, across or down, with maps of where they are."""
    rng = np.random.default_rng(seed)
    (folder / part).mkdir(parents=True)
    rows = []
    for k in range(n):
        kind, at = k % 2, rng.integers(2, SIZE - 2)
        where = np.zeros((SIZE, SIZE), bool)
        where[(slice(at - 1, at + 1), slice(3, -3))[:: 1 - 2 * kind]] = True
        noise = rng.normal(0, 0.2, where.shape)
        codes = np.clip(127.5 * (1 + noise + 0.6 * where), 0, 255).astype(np.uint8)
        names = f"{part}/{k}.png", f"{part}/{k}-map.png"
        Image.fromarray(codes).save(folder / names[0])
        Image.fromarray(where.astype(np.uint8) * 255).save(folder / names[1])
        rows.append((names[0], KINDS[kind], names[1]))
    table = folder / f"{part}.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "category", "importance"])
        writer.writerows(rows)
    return table


def recipe(folder, steps=30, network=None, **regime):
    """Give a recipe on the bars of a folder, of a network with few pixels."""
    given = {"name": "plain-cnn", **(network or {})}
    if "front" not in given.get("options", {}):
        given["options"] = {"size_px": 2 * SIZE, **given.get("options", {})}
    found = {
        "network": given,
        "pictures": {
            "fit": str(folder / "fit.csv"),
            "held_out": str(folder / "test.csv"),
            "size_px": SIZE,
        },
        "training": {"steps": steps, "batch": 32, "rate": 1e-2},
    }
    return {**found, "regime": regime} if regime else found
