"""How each kind of run is started, what it writes, and what its figures are called."""

from suite.kinds.bare_loop import BareLoop
from suite.kinds.fashion import FlowerFashion, SkeinFashion
from suite.kinds.flower_round import FlowerRound
from suite.kinds.kind import Kind
from suite.kinds.micro import Micro
from suite.kinds.skein_round import SkeinRound

KINDS: dict[str, Kind] = {
    "skein-round": SkeinRound(),
    "flower-round": FlowerRound(),
    "micro": Micro(),
    "skein-fashion": SkeinFashion(),
    "flower-fashion": FlowerFashion(),
    "bare-loop": BareLoop(),
}
