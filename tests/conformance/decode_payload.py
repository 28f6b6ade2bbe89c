#!/usr/bin/python3
"""Decodes payloads of codecs by docs/strategies/codecs.md alone, and compares.

decode_payload.py DIRECTORY...: each with payload, decoded.safetensors (what Skein makes of it) and, for
a difference, base.safetensors. Tensors whose names begin with "buffer" are buffers.
"""

import json
import math
import struct
import sys
from pathlib import Path

import numpy as np
import xxhash

TYPES = {"F32": "<f4", "F16": "<f2", "F64": "<f8", "I16": "<i2", "I64": "<i8", "BOOL": "u1", "U8": "u1"}
MASK = (1 << 64) - 1


class Reader:
    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def bytes(self, count: int) -> bytes:
        assert self.at + count <= len(self.data), "cut short"
        self.at += count
        return self.data[self.at - count:self.at]

    def byte(self) -> int:
        return self.bytes(1)[0]

    def word(self) -> int:
        return struct.unpack("<Q", self.bytes(8))[0]

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value


def split_mix(state: int) -> tuple[int, int]:
    state = (state + 0x9E3779B97F4A7C15) & MASK
    z = ((state ^ state >> 30) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK
    return z ^ z >> 31, state


def derive_seed(seed: int, part: int) -> int:
    mixed, _ = split_mix(seed)
    product = (part * 0xD6E8FEB86659FD93) & MASK
    rotated = (product << 32 | product >> 32) & MASK
    return split_mix(mixed ^ rotated)[0]


def random_at(key: int, position: int) -> int:
    return split_mix((key + position * 0x9E3779B97F4A7C15) & MASK)[0]


def read_file(path: Path):
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    tensors = [(name, info["dtype"], math.prod(info["shape"]), info["data_offsets"])
               for name, info in header.items()]
    return data[:8 + length], tensors, data[8 + length:]


def values_of(codec: str, argument: int, reader: Reader, count: int) -> np.ndarray:
    if codec == "fp16":
        return np.frombuffer(reader.bytes(2 * count), "<f2").astype(np.float32)
    if codec == "bf16":
        narrow = np.frombuffer(reader.bytes(2 * count), "<u2").astype(np.uint32)
        return (narrow << 16).view(np.float32)
    if codec not in ("int8", "int4"):
        return np.frombuffer(reader.bytes(4 * count), "<f4")
    parts = []
    for begin in range(0, count, argument):
        size = min(argument, count - begin)
        step = np.frombuffer(reader.bytes(4), "<f4")[0]
        if codec == "int8":
            levels = np.frombuffer(reader.bytes(size), "i1")
        else:
            packed = np.frombuffer(reader.bytes((size + 1) // 2), "u1")
            nibbles = np.stack([packed & 15, packed >> 4], axis=1).reshape(-1)[:size]
            levels = (nibbles.astype(np.int8) ^ 8) - 8
        parts.append(step * levels.astype(np.float32))
    return np.concatenate(parts)


def kept(ratio: float, n: int) -> int:
    return min(n, max(1, math.ceil(ratio * n - 1e-12 * max(1.0, ratio * n))))


def positions_of(reader: Reader, n: int) -> list[int]:
    count, form = reader.varint(), reader.byte()
    if form == 1:
        bits = np.unpackbits(np.frombuffer(reader.bytes((n + 7) // 8), "u1"), bitorder="little")
        positions = np.flatnonzero(bits).tolist()
        assert len(positions) == count
        return positions
    positions, following = [], 0
    for _ in range(count):
        positions.append(following + reader.varint())
        following = positions[-1] + 1
    return positions


def drawn(seed: int, tensor: int, ratio: float, n: int) -> list[int]:
    key, due, positions = derive_seed(seed, tensor), kept(ratio, n), []
    for i in range(n):
        if random_at(key, i) * (n - i) >> 64 < due:
            positions.append(i)
            due -= 1
    return positions


def decode(folder: Path) -> bytes:
    header, tensors, _ = read_file(folder / "decoded.safetensors")
    reader = Reader((folder / "payload").read_bytes())
    assert reader.bytes(4) == b"SKC1"
    form = reader.bytes(reader.byte()).decode()
    stages = [(part.rstrip(")") + "(").split("(")[:2] for part in form.split("|") if part]
    names = dict(stages)
    assert reader.word() == xxhash.xxh3_64_intdigest(header)
    base = None
    if "delta" in names and reader.byte() == 1:
        for _ in range(3):
            reader.varint()
        _, _, base = read_file(folder / "base.safetensors")
        assert reader.word() == xxhash.xxh3_64_intdigest(base)
    seed = reader.word() if "randomk" in names else 0
    quantizer = next((s for s in stages if s[0] in ("fp32", "fp16", "bf16", "int8", "int4")), None)
    lossy = quantizer is not None or "topk" in names or "randomk" in names
    out = b""
    for index, (name, dtype, n, (begin, end)) in enumerate(tensors):
        kind = np.dtype(TYPES[dtype])
        record = Reader(reader.bytes(reader.varint()))
        old = np.frombuffer(base[begin:end] if base else bytes(end - begin), kind)
        if not record.data:
            out += old.tobytes()
            continue
        if "zstd" in names:
            assert record.byte() == 0, "compressed records are not decoded here"
        if not (lossy and kind.kind == "f" and not name.startswith("buffer")
                and (base or "delta" not in names)):
            body = record.bytes(end - begin)
            if base:  # bytes of one significance together, the differences of bits
                number = np.dtype(f"<u{kind.itemsize}")
                planes = np.frombuffer(body, "u1").reshape(kind.itemsize, n)
                body = (planes.T.copy().view(number).reshape(-1) + old.view(number)).tobytes()
            out += body
        else:
            difference = np.zeros(n, np.float32)
            positions = list(range(n))
            if "topk" in names:
                positions = positions_of(record, n)
            elif "randomk" in names:
                positions = drawn(seed, index, float(names["randomk"]), n)
            codec, argument = quantizer or ("", "")
            difference[positions] = values_of(codec, int(argument or 0), record, len(positions))
            wide = difference if kind.itemsize == 4 else difference.astype(np.float64)
            if base:
                changed = (old.astype(wide.dtype) + wide)
                if kind.itemsize == 2:  # by way of float32
                    changed = changed.astype(np.float32)
                touched = np.zeros(n, bool)
                touched[positions] = True
                wide = np.where(touched, changed, old.astype(changed.dtype))
            out += wide.astype(kind).tobytes()
        assert record.at == len(record.data), f"{name}: bytes are left"
    assert reader.at == len(reader.data), "bytes are left"
    return out


def main() -> int:
    status = 0
    for folder in map(Path, sys.argv[1:]):
        expected = read_file(folder / "decoded.safetensors")[2]
        try:
            same = decode(folder) == expected
        except AssertionError as why:
            same = False
            print(f"{folder.name}: {why}")
        if not same:
            print(f"{folder.name}: decoded otherwise")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
