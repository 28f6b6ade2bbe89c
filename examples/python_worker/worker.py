#!/usr/bin/env python3
"""A worker of a Skein federation in Python, with stock gRPC and protobuf: what a client in any
other language has to do, from top to bottom. It stands beside workers in C++ and does as the
built-in learner `echo`; put your own training into `train`.

    worker.py --control HOST:PORT --id w3

Needs protoc and the Python packages grpcio, protobuf, numpy and xxhash.
"""

import argparse
import importlib
import os
import pathlib
import queue
import subprocess
import sys
import tempfile
import threading

import grpc
import numpy
import xxhash
from google.protobuf import json_format

PROTOCOL = 1
CHUNK_BYTES = 1 << 20  # what is sent at a time; up to 4 MiB are taken
PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"


def load_messages(directory: str):
    """The message classes, made of the schema."""
    files = sorted((PROTO / "skein/v1").glob("*.proto"))
    subprocess.run(["protoc", f"-I{PROTO}", f"--python_out={directory}", *map(str, files)],
                   check=True)
    sys.path.insert(0, directory)
    return (importlib.import_module(f"skein.v1.{name}_pb2")
            for name in ("control", "data_plane", "tensor"))


def train(model: dict[str, numpy.ndarray], params: dict, cancelled) -> dict[str, numpy.ndarray]:
    """Your training goes here: the model under the same names, after training. `params` are the
    spec's `learner: params`; look at `cancelled()` now and then and return when it is true."""
    return {name: x + numpy.asarray(params.get("constant", 1.0), x.dtype)
            for name, x in model.items()}


class Tensors:
    """Packed tensors: one after another without gaps, little-endian, row-major."""

    def __init__(self, manifest, tensor_pb2, data: bytearray | None = None):
        self.manifest = manifest
        self.types = {tensor_pb2.DTYPE_BOOL: "?", tensor_pb2.DTYPE_U8: "u1",
                      tensor_pb2.DTYPE_I8: "i1", tensor_pb2.DTYPE_I16: "<i2",
                      tensor_pb2.DTYPE_I32: "<i4", tensor_pb2.DTYPE_I64: "<i8",
                      tensor_pb2.DTYPE_F16: "<f2", tensor_pb2.DTYPE_F32: "<f4",
                      tensor_pb2.DTYPE_F64: "<f8"}  # numpy has no bfloat16
        self.sizes = [self.dtype(info).itemsize * int(numpy.prod(info.shape, dtype=numpy.int64))
                      for info in manifest.tensors]
        self.data = bytearray(sum(self.sizes)) if data is None else data

    def dtype(self, info):
        if info.dtype not in self.types:
            raise ValueError(f"tensor {info.name!r} has an element type that numpy does not have")
        return numpy.dtype(self.types[info.dtype])

    def arrays(self) -> dict[str, numpy.ndarray]:
        result, offset = {}, 0
        for info, size in zip(self.manifest.tensors, self.sizes):
            flat = numpy.frombuffer(self.data, self.dtype(info), size // self.dtype(info).itemsize,
                                    offset)
            result[info.name] = flat.reshape(tuple(info.shape))
            offset += size
        return result


def update_of(local: dict[str, numpy.ndarray], base: Tensors, tensor_pb2) -> Tensors:
    """What is sent of a trained model: float parameters as the difference to the base, float
    buffers as they are, both as float32; whole numbers as they are."""
    manifest = tensor_pb2.Manifest()
    manifest.CopyFrom(base.manifest)
    floats = (tensor_pb2.DTYPE_F16, tensor_pb2.DTYPE_F32, tensor_pb2.DTYPE_F64)
    before, packed = base.arrays(), []
    for info in manifest.tensors:
        value = local[info.name]
        if info.dtype in floats:
            if info.role == tensor_pb2.TENSOR_ROLE_PARAMETER:
                wide = numpy.float64  # so that the difference is rounded once
                value = value.astype(wide) - before[info.name].astype(wide)
            info.dtype, value = tensor_pb2.DTYPE_F32, value.astype("<f4")
        packed.append(numpy.ascontiguousarray(value).tobytes())
    return Tensors(manifest, tensor_pb2, bytearray(b"".join(packed)))


class Stream:
    """A call with messages in both directions: send from any thread, iterate over what comes."""

    def __init__(self, address: str, method: str, sent, received):
        # gRPC's default, 4 MiB, is just the largest chunk, without the frame around it.
        self.channel = grpc.insecure_channel(
            address, [("grpc.max_receive_message_length", 8 << 20),
                      ("grpc.max_send_message_length", 8 << 20)])
        self.outgoing = queue.Queue()
        call = self.channel.stream_stream(method, request_serializer=sent.SerializeToString,
                                          response_deserializer=received.FromString)
        self.incoming = call(iter(self.outgoing.get, None))

    def send(self, message):
        self.outgoing.put(message)

    def close(self):
        self.outgoing.put(None)  # half-closes; the other side ends the call

    def __iter__(self):
        return iter(self.incoming)


class Worker:
    """Registers at the control plane, keeps one link to the parent that it is told of, and works
    on that link's thread."""

    def __init__(self, options, control_pb2, data_pb2, tensor_pb2):
        self.options, self.pb, self.data_pb2, self.tensor_pb2 = (options, control_pb2, data_pb2,
                                                                 tensor_pb2)
        self.incarnation = int.from_bytes(os.urandom(8), "little") | 1  # this life of the worker
        self.control = Stream(options.control, "/skein.v1.ControlPlane/Connect",
                              control_pb2.NodeMessage, control_pb2.ControlMessage)
        self.ended = threading.Event()
        self.link = self.epoch = None
        self.model = self.version = None  # the last model that is here as a whole
        self.incoming = None              # (transfer, header, tensors, bytes so far)
        self.task = None                  # what to do once its model is here
        self.cancelled = set()            # rounds
        self.updates = {}                 # transfer -> (header, tensors), until it is answered
        self.transfers = 0

    # ---- control plane ----

    def run(self) -> int:
        self.control.send(self.pb.NodeMessage(register=self.pb.Register(
            node=self.options.id, incarnation=self.incarnation, pid=os.getpid(),
            protocol=PROTOCOL, role="NODE_ROLE_WORKER")))
        try:
            for message in self.control:
                kind = message.WhichOneof("kind")
                if kind == "assign":
                    self.config, self.view = message.assign.config, message.assign.view
                    if self.config.strategy.terms:
                        sys.exit("the strategy has terms, and this worker applies none")
                    threading.Thread(target=self.beat, daemon=True).start()
                elif kind == "attach":
                    self.attach(message.attach)
                elif kind == "stop":
                    return self.end(message.stop)
        except grpc.RpcError as error:
            print(f"{self.options.id}: {error.details()}", file=sys.stderr)
        return 1

    def beat(self):
        interval = self.config.limits.heartbeat_interval_ns / 1e9
        while not self.ended.wait(interval):
            self.control.send(self.pb.NodeMessage(heartbeat=self.pb.Heartbeat()))

    def end(self, stop) -> int:
        self.ended.set()
        if self.link is not None:
            self.link.close()
        self.control.send(self.pb.NodeMessage(goodbye=self.pb.Goodbye(code=stop.code)))
        self.control.close()
        for _ in self.control:  # until the other side has ended the call
            pass
        if stop.code != 0:
            print(f"{self.options.id}: {stop.reason}", file=sys.stderr)
        return 0 if stop.code == 0 else 1

    # ---- the link to the parent ----

    def attach(self, attach):
        if self.link is not None:
            self.link.close()  # that attachment is void
        self.epoch = attach.epoch
        self.link = Stream(attach.address, "/skein.v1.DataPlane/Connect", self.data_pb2.Frame,
                           self.data_pb2.Frame)
        self.send(hello=self.data_pb2.Hello(protocol=PROTOCOL, run=self.config.run_id,
                                            node=self.options.id, incarnation=self.incarnation,
                                            epoch=attach.epoch))
        threading.Thread(target=self.listen, args=(self.link,), daemon=True).start()

    def send(self, **frame):
        self.link.send(self.data_pb2.Frame(**frame))

    def listen(self, link):
        try:
            for frame in link:
                if link is not self.link:
                    return
                kind = frame.WhichOneof("kind")
                if kind in ("close", "bye"):
                    link.close()
                elif hasattr(self, "on_" + kind):
                    getattr(self, "on_" + kind)(getattr(frame, kind))
        except (grpc.RpcError, ValueError) as error:
            if self.ended.is_set() or link is not self.link:
                return
            what = error.details() if isinstance(error, grpc.RpcError) else error
            print(f"{self.options.id}: the link broke: {what}", file=sys.stderr)
            self.control.incoming.cancel()  # this worker does not dial again

    def on_welcome(self, welcome):
        if welcome.protocol != PROTOCOL:
            raise ValueError(f"the parent speaks protocol {welcome.protocol}, this worker {PROTOCOL}")
        self.control.send(self.pb.NodeMessage(attached=self.pb.Attached(epoch=self.epoch)))

    # ---- models, down ----

    def on_offer(self, offer):
        tensors = Tensors(offer.manifest, self.tensor_pb2)
        known = offer.model.version == self.version
        self.incoming = [offer.transfer, offer.model, tensors, len(tensors.data) if known else 0]
        self.send(grant=self.data_pb2.Grant(transfer=offer.transfer, offset=self.incoming[3]))

    def on_chunk(self, chunk):
        transfer, _, tensors, received = self.incoming
        if chunk.transfer != transfer:
            return
        intact = xxhash.xxh3_64_intdigest(chunk.data) == chunk.checksum
        if not intact or chunk.offset != received or received + len(chunk.data) > len(tensors.data):
            raise ValueError("a chunk is damaged or out of order")
        tensors.data[received:received + len(chunk.data)] = chunk.data
        self.incoming[3] += len(chunk.data)

    def on_trailer(self, trailer):
        transfer, header, tensors, received = self.incoming
        if trailer.transfer != transfer:
            return
        if header.version != self.version:
            if received != len(tensors.data) or model_digest(tensors.data) != trailer.digest:
                raise ValueError("a model is not what its digest says")
            self.model, self.version = tensors, header.version
        self.send(ack=self.data_pb2.Ack(transfer=transfer))
        self.work()

    # ---- tasks ----

    def on_task(self, task):
        self.task = task
        self.work()

    def on_cancel(self, cancel):
        self.cancelled.add(cancel.round)

    def work(self):
        task = self.task
        if task is None or task.base != self.version:
            return  # the model is on its way
        self.task = None
        if task.kind == self.data_pb2.TASK_KIND_EVALUATE:
            # Nothing is measured here, and that is said: no samples, no metrics.
            self.send(eval_report=self.data_pb2.EvalReport(
                round=task.round, version=task.base, roster=self.own_roster()))
            return
        params = json_format.MessageToDict(self.config.learner.params)
        try:
            local = train(self.model.arrays(), params, lambda: task.round in self.cancelled)
        except Exception as error:  # whatever training may throw: the round goes on without it
            self.send(task_failed=self.data_pb2.TaskFailed(
                kind=task.kind, round=task.round, local_round=task.local_round, reason=str(error)))
            return
        if task.round in self.cancelled:
            return
        header = self.data_pb2.UpdateHeader(
            leaf=self.view.leaf_begin, seq=task.seq_first, round=task.round,
            local_round=task.local_round, base=task.base, num_samples=1)
        self.transfers += 1
        update = update_of(local, self.model, self.tensor_pb2)
        self.updates[self.transfers] = update
        self.send(offer=self.data_pb2.Offer(transfer=self.transfers, manifest=update.manifest,
                                            update=header))

    def own_roster(self):
        first = self.view.leaf_begin  # one interval: this gap, then a length of 1
        varint = bytearray()
        while first >= 128:
            varint.append(first & 127 | 128)
            first >>= 7
        return self.tensor_pb2.Roster(intervals=bytes(varint) + bytes([first, 1]))

    # ---- updates, up ----

    def on_grant(self, grant):
        update = self.updates.get(grant.transfer)
        if update is None:
            return
        for offset in range(grant.offset, len(update.data), CHUNK_BYTES):
            data = bytes(update.data[offset:offset + CHUNK_BYTES])
            self.send(chunk=self.data_pb2.Chunk(transfer=grant.transfer, offset=offset, data=data,
                                                checksum=xxhash.xxh3_64_intdigest(data)))
        self.send(trailer=self.data_pb2.Trailer(transfer=grant.transfer))

    def on_ack(self, ack):
        self.updates.pop(ack.transfer, None)
        if ack.code != 0:
            print(f"{self.options.id}: its update was refused: {ack.message}", file=sys.stderr)


def model_digest(data) -> str:
    return xxhash.xxh3_128_hexdigest(data)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--control", required=True, metavar="HOST:PORT")
    parser.add_argument("--id", required=True, help="which worker of the topology to be")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        return Worker(options, *load_messages(directory)).run()


if __name__ == "__main__":
    sys.exit(main())
