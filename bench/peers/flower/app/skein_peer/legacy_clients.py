"""Clients of the legacy architecture, threads of one process:
python -m skein_peer.legacy_clients SPEC.json FIRST COUNT"""

import json
import os
import sys
import threading
import time
import traceback
from pathlib import Path

from flwr.client import NumPyClient, start_client

from skein_peer import workload
from skein_peer.pace import Pace

# Training is bound by Python: one client at a time, and as many processes as there are cores.
turn = threading.Lock()


class Client(NumPyClient):
    def __init__(self, work, pace: Pace, number: int):
        self.work, self.pace, self.number, self.round = work, pace, number, 0

    def fit(self, parameters, config):
        begun = time.time()
        self.round += 1
        with turn:
            arrays, examples = self.work.fit(parameters, self.number, self.round)
        self.pace.hold(self.number, self.round - 1, begun)  # all at the same time
        return arrays, examples, {}


def run(client: Client, address: str) -> None:
    try:
        start_client(server_address=address, client=client.to_client(), insecure=True)
    except BaseException:
        traceback.print_exc()
        os._exit(1)  # a lost client is a failed run


def main() -> None:
    spec = json.loads(Path(sys.argv[1]).read_text())
    work, pace = workload.make(spec), Pace(spec)
    first, count = int(sys.argv[2]), int(sys.argv[3])
    threads = [
        threading.Thread(target=run, args=(Client(work, pace, n), spec["address"]))
        for n in range(first, first + count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


main()
