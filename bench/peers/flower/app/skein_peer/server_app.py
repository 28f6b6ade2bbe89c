"""The ServerApp of the current architecture: FedAvg."""

import json
import time
from pathlib import Path

from flwr.app import ArrayRecord, MetricRecord
from flwr.serverapp import ServerApp
from flwr.serverapp.strategy import FedAvg

from skein_peer import workload
from skein_peer.gate import Watch

app = ServerApp()


class WatchedFedAvg(FedAvg):
    def __init__(self, watch: Watch, clients: int):
        super().__init__(
            fraction_train=1.0, fraction_evaluate=0.0, min_train_nodes=clients,
            min_evaluate_nodes=0, min_available_nodes=clients,
        )
        self.watch = watch

    def aggregate_train(self, server_round, replies):
        replies = list(replies)
        failures = [m.error.reason for m in replies if m.has_error()]
        self.watch.replies(len(replies) - len(failures), failures)
        return super().aggregate_train(server_round, replies)


@app.main()
def main(grid, context) -> None:
    spec = json.loads(Path(context.run_config["spec"]).read_text())
    work = workload.make(spec)
    watch = Watch(spec, work)

    def evaluate(number: int, arrays: ArrayRecord) -> MetricRecord | None:
        metrics = watch.after_round(number, arrays.to_numpy_ndarrays)
        return MetricRecord(metrics) if metrics else None

    with watch.gate.reporting():
        while len(list(grid.get_node_ids())) < spec["clients"]:
            time.sleep(0.1)
        WatchedFedAvg(watch, spec["clients"]).start(
            grid, ArrayRecord(work.initial()), num_rounds=spec["rounds"],
            timeout=spec["timeout"], evaluate_fn=evaluate,
        )
