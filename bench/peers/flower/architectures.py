"""The two ways in which Flower runs a federation."""

import json
import re
import subprocess

from federation import APP, CORES, Failure, Federation
from procs import listens, telling_line


class Legacy(Federation):
    """The gRPC server, and clients as threads of a few processes."""

    def connect(self) -> None:
        (port,) = self.ports(1)
        self.spec["address"] = f"127.0.0.1:{port}"
        self.write_spec()
        python, path = str(self.venv / "bin/python"), {"PYTHONPATH": str(APP)}
        self.server = self.processes.start(
            "server", [python, "-m", "skein_peer.legacy_server", str(self.spec_file)],
            self.environment() | path,
        )
        self.wait(lambda: listens(port), "the server to listen")
        each = self.args.clients_per_process or -(-self.args.clients // CORES)
        for first in range(0, self.args.clients, each):
            count = min(each, self.args.clients - first)
            self.processes.start(
                f"clients-{first}",
                [python, "-m", "skein_peer.legacy_clients", str(self.spec_file), str(first),
                 str(count)],
                self.client_environment() | path,
            )
        self.wait(lambda: self.event("ready"), "all clients to connect")


class Current(Federation):
    """SuperLink, a SuperNode for each client, and `flwr run`."""

    app_seen = False

    def connect(self) -> None:
        self.write_spec()
        port, *node_ports = self.ports(1 + self.args.clients)
        home = self.logs / "home"
        home.mkdir()
        (home / "config.toml").write_text(
            '[superlink]\ndefault = "bench"\n\n[superlink.bench]\n'
            f'address = "127.0.0.1:{port}"\ninsecure = true\n'
        )
        self.server = self.processes.start(
            "server",
            [f"{self.venv}/bin/flower-superlink", "--insecure", "--port", str(port),
             "--disable-runtime-dependency-installation"],
            self.environment(),
        )
        self.wait(lambda: listens(port), "SuperLink to listen")
        waiting: set[str] = set()
        for number, node_port in enumerate(node_ports):
            self._wait_for_nodes(waiting, self.args.start_at_once - 1)
            name = f"supernode-{number}"
            self.processes.start(
                name,
                [f"{self.venv}/bin/flower-supernode", "--insecure",
                 "--superlink", f"127.0.0.1:{port}", "--port", str(node_port),
                 "--node-config", f"partition-id={number}"],
                self.client_environment(),
            )
            waiting.add(name)
        self._wait_for_nodes(waiting, 0)

    def begin(self) -> None:
        run = self.processes.start(
            "flwr-run",
            [f"{self.venv}/bin/flwr", "run", str(APP), "bench",
             "--run-config", f'spec="{self.spec_file}"'],
            self.environment(),
        )
        self.wait(lambda: run.poll() is not None, "flwr run")
        if run.returncode != 0:
            log = self.processes.log("flwr-run")
            raise Failure(f"flwr run ended with {run.returncode}; {telling_line(log)}")
        self.wait(lambda: self.event("ready"), "the ServerApp to be ready")

    def _wait_for_nodes(self, waiting: set[str], at_most: int) -> None:
        """Until at most so many SuperNodes are not connected yet."""
        def enough() -> bool:
            for name in list(waiting):
                if "SuperNode ID:" in self.processes.log(name).read_text(errors="replace"):
                    waiting.discard(name)
            return len(waiting) <= at_most
        self.wait(enough, "SuperNodes to connect")

    def look_at_server(self, what: str) -> None:
        if "flwr-run" not in self.processes.started:
            return
        app = any(name == "flwr-serverapp" for _, name, _ in self.server_processes("VmRSS"))
        if self.app_seen and not app:
            status = self._ask_superlink()
            raise Failure(f"{status} while waiting for {what}; {self.telling_line()}")
        self.app_seen = app

    def conclude(self) -> None:
        self._ask_superlink()

    def _ask_superlink(self) -> str:
        """How it says the run went; keeps the traffic it saw, and in app.log what the ServerApp
        printed."""
        run = re.search(r"started run (\d+)", self.processes.log("flwr-run").read_text())
        number = run[1] if run else "0"
        for name, words in (("app", ["log", number, "bench", "--show"]),
                            ("list", ["list", "bench", "--run-id", number, "--format", "json"])):
            with open(self.processes.log(name), "wb") as log:
                try:
                    subprocess.run([f"{self.venv}/bin/flwr", *words], env=self.environment(),
                                   timeout=60, check=False, stdout=log, stderr=log)
                except subprocess.TimeoutExpired:
                    pass
        try:
            (about,) = json.loads(self.processes.log("list").read_text())["runs"]
        except (ValueError, KeyError):
            return "no answer from SuperLink"
        traffic = about["network-traffic"]
        self.result["superlink_in_mb"] = round(traffic["inbound-bytes"] / 1e6, 3)
        self.result["superlink_out_mb"] = round(traffic["outbound-bytes"] / 1e6, 3)
        return f"{about['status']} ({about['status-details']})"


ARCHITECTURES = {"legacy": Legacy, "current": Current}
