"""The server of the legacy architecture: python -m skein_peer.legacy_server SPEC.json"""

import json
import sys
from pathlib import Path

from flwr.common import ndarrays_to_parameters, parameters_to_ndarrays
from flwr.server import ServerConfig, SimpleClientManager, start_server
from flwr.server.strategy import FedAvg

from skein_peer import workload
from skein_peer.gate import Watch


class WatchedFedAvg(FedAvg):
    def __init__(self, watch: Watch, initial, clients: int, manager: SimpleClientManager):
        super().__init__(
            fraction_fit=1.0, fraction_evaluate=0.0, min_fit_clients=clients,
            min_evaluate_clients=0, min_available_clients=clients,
            initial_parameters=ndarrays_to_parameters(initial),
        )
        self.watch, self.clients, self.manager = watch, clients, manager

    def aggregate_fit(self, server_round, results, failures):
        self.watch.replies(len(results), [str(f).strip() for f in failures])
        return super().aggregate_fit(server_round, results, failures)

    def evaluate(self, server_round, parameters):
        if server_round == 0:
            self.manager.wait_for(self.clients)
        metrics = self.watch.after_round(server_round, lambda: parameters_to_ndarrays(parameters))
        return (metrics["loss"], metrics) if metrics else None


def main() -> None:
    spec = json.loads(Path(sys.argv[1]).read_text())
    work = workload.make(spec)
    watch = Watch(spec, work)
    manager = SimpleClientManager()
    strategy = WatchedFedAvg(watch, work.initial(), spec["clients"], manager)
    with watch.gate.reporting():
        start_server(
            server_address=spec["address"], config=ServerConfig(num_rounds=spec["rounds"]),
            strategy=strategy, client_manager=manager,
        )


main()
