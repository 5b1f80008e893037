"""Reads tables with Python's csv module, and makes features of them with NumPy. One case a line, one answer a line."""

import base64
import csv
import io
import json
import sys

import numpy as np


def rows_of(case):
    """The rows with values, each with the number of its first line. Blanks around cells do not count."""
    text = base64.b64decode(case["bytes"]).decode(case["codec"])
    file = io.StringIO(text, newline="")
    reader = csv.reader(file, delimiter=case["delimiter"], skipinitialspace=True)
    rows, line = [], 1
    for row in reader:
        cells = [cell.strip(" \t") for cell in row]
        if any(cells):
            rows.append((line, cells))
        line = reader.line_num + 1
    return rows


def cells_of(case):
    """Header, rows of its width, and the lines of all others. A delimiter at the end of a line is no cell."""
    (_, header), *rows = rows_of(case)
    while header[-1] == "":
        header.pop()
    width = len(header)
    whole = [row[:width] for _, row in rows if len(row) >= width and not any(row[width:])]
    ragged = [line for line, row in rows if len(row) < width or any(row[width:])]
    return header, whole, ragged


def number_of(cell, case):
    for sign in [" ", "\u00a0", "\u202f", "%", "€", case["thousands"]]:
        cell = cell.replace(sign, "") if sign else cell
    number = float(cell.replace(case["decimal"], ".").replace("\u2212", "-"))
    return number / 100 if case["percent"] else number


def features_of(case, header, rows):
    """Numbers with the median in place of missing ones; for categories, a column of zeros and ones for each."""
    missing = set(case["missing"])
    numbers, columns = {}, []
    for at, heading in enumerate(header):
        cells = [row[at] for row in rows]
        if heading[0] in "ny":
            read = [np.nan if c in missing else number_of(c, case) for c in cells]
            values = np.array(read, np.float64)
            numbers[heading] = values
            columns.append(np.where(np.isnan(values), np.nanmedian(values), values))
        else:
            present = np.array([cell for cell in cells if cell not in missing])
            names, counts = np.unique(present, return_counts=True)
            usual = names[np.argmax(counts)]
            filled = np.array([usual if cell in missing else cell for cell in cells])
            columns.extend((filled == name).astype(np.float64) for name in names)
    return numbers, np.stack(columns, axis=1).astype(np.float32)


def encoded(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


for line in sys.stdin:
    case = json.loads(line)
    header, rows, ragged = cells_of(case)
    answer = {"cells": [header, *rows], "ragged": ragged}
    if case["has_features"]:
        numbers, features = features_of(case, header, rows)
        answer["numbers"] = {heading: encoded(values) for heading, values in numbers.items()}
        answer["features"] = encoded(features)
    print(json.dumps(answer))
