"""Processes of the house that tests start and kill.

They are forked from a process that has imported the house; Windows cannot fork.
"""

import multiprocessing

_CAN_FORK = "forkserver" in multiprocessing.get_all_start_methods()
PROCESSES = multiprocessing.get_context("forkserver" if _CAN_FORK else "spawn")
if _CAN_FORK:
    PROCESSES.set_forkserver_preload(["tests.preloaded"])
