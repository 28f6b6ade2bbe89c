#include "runtime/outbox.h"

#include <algorithm>

#include "skein/tensor/digest.h"

namespace skein {
namespace {

Manifest PayloadManifest(uint64_t bytes) {
  TensorInfo info{"payload", DType::kUint8, {static_cast<int64_t>(bytes)}, TensorRole::kBuffer};
  auto manifest = Manifest::Create({std::move(info)});
  // Only more bytes than any manifest may have are refused, and a frame cannot say so many.
  return manifest.ok() ? *std::move(manifest) : Manifest();
}

}  // namespace

OutboundTensors::OutboundTensors(PackedTensors tensors, std::string digest)
    : OutboundTensors(std::move(tensors), std::function<uint64_t()>()) {
  Finish(std::move(digest));
}

OutboundTensors OutboundTensors::OfModel(PackedTensors model) {
  std::string digest = TransferDigest(model.bytes());
  return {std::move(model), std::move(digest)};
}

OutboundTensors::OutboundTensors(PackedTensors tensors, std::function<uint64_t()> received)
    : state_(std::make_shared<State>()) {
  state_->tensors = std::move(tensors);
  state_->received = std::move(received);
}

void OutboundTensors::Finish(std::string digest) {
  state_->digest = std::move(digest);
  state_->whole = true;
  state_->received = nullptr;
}

OutboundTensors OutboundTensors::OfPayload(EncodedTensors payload, std::string form,
                                           std::optional<VersionRef> base, Manifest manifest,
                                           std::string digest) {
  const uint64_t bytes = payload.bytes.size();
  OutboundTensors source(
      PackedTensors(PayloadManifest(bytes), payload.bytes, std::move(payload.owner)),
      std::move(digest));
  source.state_->encoding = Encoding{std::move(form), bytes, base};
  source.state_->encoded = std::move(manifest);
  return source;
}

const Manifest& OutboundTensors::manifest() const {
  return state_->encoding ? state_->encoded : state_->tensors.manifest();
}

uint64_t OutboundTensors::available() const {
  return state_->whole ? state_->tensors.bytes().size() : state_->received();
}

uint64_t OutboundTensors::ChecksumOf(uint64_t offset, std::span<const std::byte> bytes) const {
  const uint64_t total = state_->tensors.bytes().size();
  const bool regular = offset % kDefaultChunkBytes == 0 &&
                       bytes.size() == std::min(kDefaultChunkBytes, total - offset);
  if (!regular) return Checksum(bytes);
  std::vector<std::optional<uint64_t>>& known = state_->checksums;
  if (known.empty()) known.resize(total / kDefaultChunkBytes + 1);
  std::optional<uint64_t>& checksum = known[offset / kDefaultChunkBytes];
  if (!checksum) checksum = Checksum(bytes);
  return *checksum;
}

Manifest BlockManifest(const OfferFrame& offer) {
  return offer.encoding ? PayloadManifest(offer.encoding->bytes) : offer.manifest;
}

bool Outbox::Transfer::HasNext() const {
  if (!encoder || sent) return false;
  return encoder->done() ? tensors.whole() : encoder->next_end() <= tensors.available();
}

void Outbox::Offer(uint64_t transfer, OutboundTensors tensors, decltype(OfferFrame::header) header,
                   Answer answer) {
  OfferFrame offer;
  offer.transfer = transfer;
  offer.manifest = tensors.manifest();
  offer.header = std::move(header);
  offer.encoding = tensors.encoding();
  transfers_[transfer] = {
      .tensors = std::move(tensors), .answer = std::move(answer), .encoder = std::nullopt};
  link_->Send(std::move(offer));
}

void Outbox::OnGrant(const GrantFrame& grant) {
  auto it = transfers_.find(grant.transfer);
  if (it == transfers_.end() || it->second.encoder) return;
  if (grant.offset > it->second.tensors.tensors().bytes().size()) {
    link_->Close(absl::InvalidArgumentError("grant beyond the end of the transfer"));
    return;
  }
  it->second.encoder.emplace(it->second.tensors.tensors(), grant.offset);
  Pump();
}

void Outbox::OnAck(const AckFrame& ack) {
  auto it = transfers_.find(ack.transfer);
  if (it == transfers_.end()) return;
  auto answer = std::move(it->second.answer);
  transfers_.erase(it);
  if (answer) answer(absl::Status(static_cast<absl::StatusCode>(ack.code), ack.message));
}

void Outbox::Pump() {
  while (link_->Writable()) {
    const auto it = NextTurn();
    if (it == transfers_.end()) return;
    auto& [id, transfer] = *it;
    last_turn_ = id;
    if (transfer.encoder->done()) {
      transfer.sent = true;
      link_->Send(TrailerFrame{id, transfer.tensors.digest()});
      continue;
    }
    TensorChunk chunk = transfer.encoder->Next();
    const uint64_t checksum = transfer.tensors.ChecksumOf(chunk.offset, chunk.bytes);
    link_->Send(ChunkFrame{id, chunk.offset, checksum, chunk.bytes, std::move(chunk.owner)});
  }
}

// Turns go on where the link was full: if each pump began with the first transfer, a link that
// takes little at a time would starve the last.
Outbox::Transfers::iterator Outbox::NextTurn() {
  const auto ready = [](const auto& entry) { return entry.second.HasNext(); };
  const auto after = transfers_.upper_bound(last_turn_);
  const auto next = std::find_if(after, transfers_.end(), ready);
  if (next != transfers_.end()) return next;
  const auto wrapped = std::find_if(transfers_.begin(), after, ready);
  return wrapped == after ? transfers_.end() : wrapped;
}

}  // namespace skein
