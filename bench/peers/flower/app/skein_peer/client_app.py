"""The ClientApp of the current architecture. Flower starts a process of it for every task."""

import json
from pathlib import Path

from flwr.app import ArrayRecord, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

from skein_peer import workload
from skein_peer.pace import Pace

app = ClientApp()


@app.train()
def train(message: Message, context) -> Message:
    spec = json.loads(Path(context.run_config["spec"]).read_text())
    client = int(context.node_config["partition-id"])
    number = int(message.content["config"]["server-round"])
    arrays, examples = workload.make(spec).fit(
        message.content["arrays"].to_numpy_ndarrays(), client, number
    )
    # From when the ServerApp asked: that this process had to start first, and on two cores together
    # with all the others, is no delay for a worker that is slower.
    Pace(spec).hold(client, number - 1, message.metadata.created_at)
    content = RecordDict(
        {"arrays": ArrayRecord(arrays), "metrics": MetricRecord({"num-examples": examples})}
    )
    return Message(content=content, reply_to=message)
