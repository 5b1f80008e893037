#!/usr/bin/env python3
"""Times training steps with DistributedDataParallel over gloo, for `unisum bench scaling --peer pytorch`.

    pytorch-ddp.py WORKLOAD PROCESSES GLOBAL_BATCH

Each process has one thread and its part of the global batch. The first process reads requests for a window, one JSON
object a line, {"seconds": 0.6}, and answers each with {"usPerStep": 210.4}.
"""
import json
import multiprocessing
import os
import sys
import tempfile
import time

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from workloads import Trainer

WARM_STEPS = 10


def prepare(rank, processes, meeting, workload, rows):
    torch.set_num_threads(1)
    torch.manual_seed(1)
    if processes > 1:
        dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=processes)
        return Trainer(workload, rows, DistributedDataParallel)
    return Trainer(workload, rows)


def agree(processes, steps):
    """Broadcasts the first process's number of steps of the next window."""
    word = torch.tensor([steps])
    if processes > 1:
        dist.broadcast(word, 0)
    return int(word)


def follow(rank, processes, meeting, workload, rows):
    """All processes but the first: runs the windows that the first one asks for."""
    trainer = prepare(rank, processes, meeting, workload, rows)
    while True:
        for _ in range(agree(processes, 0)):
            trainer.step()


def lead(processes, meeting, workload, rows):
    trainer = prepare(0, processes, meeting, workload, rows)

    def window(steps):
        agree(processes, steps)
        begun = time.perf_counter()
        for _ in range(steps):
            trainer.step()
        return (time.perf_counter() - begun) / steps

    window(WARM_STEPS)
    seconds_per_step = window(WARM_STEPS)
    for line in sys.stdin:
        seconds = json.loads(line)["seconds"]
        seconds_per_step = window(max(1, round(seconds / seconds_per_step)))
        print(json.dumps({"usPerStep": round(seconds_per_step * 1e6, 3)}), flush=True)


def main():
    workload, processes, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with tempfile.TemporaryDirectory() as folder:
        common = (processes, os.path.join(folder, "meeting"), workload, batch // processes)
        spawn = multiprocessing.get_context("spawn")
        for rank in range(1, processes):
            spawn.Process(target=follow, args=(rank, *common), daemon=True).start()
        lead(*common)


if __name__ == "__main__":
    main()
