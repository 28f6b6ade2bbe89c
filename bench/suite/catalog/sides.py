"""Sides that several topics have."""

from suite.model import Side


def skein(topology: str, params: int, rounds: int, runs: int, name: str = "skein", **more) -> Side:
    return Side(name, "skein-round", {"topology": topology, "params": params, "rounds": rounds},
                runs, **more)


def flower(architecture: str, clients: int, params: int, rounds: int, runs: int,
           timeout_s: float = 600, **more) -> Side:
    return Side(architecture, "flower-round",
                {"architecture": architecture, "clients": clients, "params": params,
                 "rounds": rounds},
                runs, timeout_s, **more)
