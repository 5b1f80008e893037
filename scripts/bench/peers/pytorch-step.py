#!/usr/bin/env python3
"""Times training steps and products in PyTorch on one thread, for `unisum bench --peer pytorch`.

Reads requests for a window, one JSON object a line, and answers each with one:
    {"workload": "mlp10", "batch": 32, "seconds": 0.2}   ->  {"usPerStep": 150.2}
    {"product": [rows, inner, cols], "transposed": "none", "seconds": 0.2}     ->  {"usPerCall": 170.4}
    {"version": true}                                    ->  {"version": "1.13.0"}
"""
import json
import sys
import time

import torch

from workloads import Trainer


def timed(act, seconds):
    """Microseconds per call over a window of at least `seconds`."""
    calls, begun = 0, time.perf_counter()
    while True:
        act()
        calls += 1
        spent = time.perf_counter() - begun
        if spent >= seconds:
            return round(spent / calls * 1e6, 3)


def warmed(act):
    for _ in range(5):
        act()
    return act


def product(rows, inner, cols, transposed):
    a = torch.rand(inner, rows).t() if transposed == "a" else torch.rand(rows, inner)
    b = torch.rand(cols, inner).t() if transposed == "b" else torch.rand(inner, cols)
    out = torch.empty(rows, cols)
    return lambda: torch.mm(a, b, out=out)


def main():
    torch.set_num_threads(1)
    torch.manual_seed(1)
    known = {}
    for line in sys.stdin:
        request = json.loads(line)
        if "version" in request:
            answer = {"version": torch.__version__}
        elif "product" in request:
            key = (*request["product"], request["transposed"])
            if key not in known:
                known[key] = warmed(product(*key))
            answer = {"usPerCall": timed(known[key], request["seconds"])}
        else:
            key = (request["workload"], request["batch"])
            if key not in known:
                known[key] = warmed(Trainer(*key).step)
            answer = {"usPerStep": timed(known[key], request["seconds"])}
        print(json.dumps(answer), flush=True)


main()
