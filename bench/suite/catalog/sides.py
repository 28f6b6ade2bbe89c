"""Sides that several topics have."""

from suite.model import Side


def skein(topology: str, params: int, rounds: int, runs: int, name: str = "skein",
          links: str | None = None, **more) -> Side:
    what = {"topology": topology, "params": params, "rounds": rounds}
    if links is not None:
        what["links"] = links  # codecs, as strategy.links of a spec
    return Side(name, "skein-round", what, runs, **more)


def flower(architecture: str, clients: int, params: int, rounds: int, runs: int,
           timeout_s: float = 600, **more) -> Side:
    return Side(architecture, "flower-round",
                {"architecture": architecture, "clients": clients, "params": params,
                 "rounds": rounds},
                runs, timeout_s, **more)
