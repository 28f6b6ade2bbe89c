"""The ClientApp of the current architecture. Flower starts a process of it for every task."""

import json
from pathlib import Path

from flwr.app import ArrayRecord, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

from skein_peer import workload

app = ClientApp()


@app.train()
def train(message: Message, context) -> Message:
    spec = json.loads(Path(context.run_config["spec"]).read_text())
    arrays, examples = workload.make(spec).fit(
        message.content["arrays"].to_numpy_ndarrays(),
        int(context.node_config["partition-id"]),
        int(message.content["config"]["server-round"]),
    )
    content = RecordDict(
        {"arrays": ArrayRecord(arrays), "metrics": MetricRecord({"num-examples": examples})}
    )
    return Message(content=content, reply_to=message)
