"""The sections of the page: what each says before its tables, and which figures it shows."""

from dataclasses import dataclass

from page.tables import Column


@dataclass(frozen=True)
class Topic:
    id: str
    title: str
    text: str
    columns: tuple[Column, ...]


MIB_TO_GIB = 1 / 1024
ROUND: Column = ("round_s", "seconds a round", 1)
STARTUP: Column = ("startup_s", "start-up, s", 1)
TOTAL: Column = ("total_peak_gib", "all processes, GiB", 1)

TOPICS = (
    Topic("kernels", "Kernels and one stream", """\
How fast updates are added to the exact sums, beside `memcpy` of as many bytes in the same run. And a whole round of one
worker, which takes a model, makes an update and sends it, beside a plain TCP socket: bytes of both over the time of
all that.""",
          (ROUND, ("gb_per_s", "moved, GB/s", 1), ("of_tcp", "of a TCP socket", 1))),
    Topic("rounds", "Rounds without training", """\
FedAvg over all workers, two tiers, loopback. Skein's workers share two processes, each with its own connection; Flower's
run as [its documents say](../bench/peers/flower/README.md). `legacy` is the gRPC server of Flower 1.8, `current` the
SuperLink of the newest Flower that could be installed here. Memory and CPU of a server
are those of all its processes: coordinator and control plane here, SuperLink, SuperExec and ServerApp there. Memory
is the peak above what the server held, model included, before the first round.""",
          (ROUND, ("of_tcp", "down and up a second, of a TCP socket", 1),
           ("server_extra_mib", "server memory above idle, MiB", 1),
           ("server_cpu_s", "server CPU, s a round", 1), STARTUP, TOTAL)),
    Topic("large", "Large models", """\
No message holds a model, so none is too large for one. Memory of a coordinator is its whole resident memory, idle part
included.""",
          (ROUND, ("gb_per_s", "moved in all, GB/s", 1),
           ("coordinator_models", "coordinator's peak, models", 1), TOTAL)),
    Topic("memory", "Memory of an aggregator", """\
An aggregator holds sums and a bounded staging area, however many children it has: peak of the coordinator above what it
held before the first round, in models.""",
          (("coordinator_extra_models", "coordinator above idle, models", 1), ROUND, TOTAL)),
    Topic("scale", "Many workers", """\
Workers are real: each has its own connection, control session and update. They share two processes.""",
          (ROUND, ("s_per_worker", "ms a worker", 1000), STARTUP, TOTAL)),
    Topic("traffic", "Traffic", """\
Bytes that 256 workers' round puts on the links of balanced trees, counted where frames are received, in models of
float32. A link carries a model down, and up an update (1) or a partial (2, since sums travel as int64). Against it
stands a flat federation routed over the same tree: each worker's model and update cross every link between it and
the root. Flight counts a baseline whose model is multicast, so that it crosses each link once; its partials
are float32, as those of the rows with float32 means (codec `fp32`).""",
          ()),
    Topic("fashion", "Training: Fashion-MNIST", """\
[examples/fashion_mnist](../examples/fashion_mnist): 32 workers, a CNN of 28,794 parameters, one local epoch. The bare loop
trains the same learners on the same data with as many threads, without the runtime. Flower trains the same network on
the same split with the same libtorch, from PyTorch. Run time is from the first round's start to the last one's end, evaluations
included. Each run of a side has another seed, the same for all sides.""",
          (("run_s", "run time, s", 1), ("accuracy_percent", "accuracy, %", 1))),
    Topic("grid", "Flight's grid", """\
One round by size of model and number of workers, start-up of all processes counted, each cell run once. What does not fit
this machine is not run, and says so. Flight's seconds are published ones from up to 17 machines of a cluster, with start-up
not counted: beside ours for orientation, not a comparison.""",
          ()),
)
