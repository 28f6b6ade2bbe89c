#include "runtime/outbox.h"

#include <algorithm>

namespace skein {

void Outbox::Offer(uint64_t transfer, PackedTensors tensors, decltype(OfferFrame::header) header,
                   std::string digest, Answer answer) {
  OfferFrame offer;
  offer.transfer = transfer;
  offer.manifest = tensors.manifest();
  offer.header = std::move(header);
  transfers_[transfer] = {.tensors = std::move(tensors),
                          .digest = std::move(digest),
                          .answer = std::move(answer),
                          .encoder = std::nullopt};
  link_->Send(std::move(offer));
}

void Outbox::OnGrant(const GrantFrame& grant) {
  auto it = transfers_.find(grant.transfer);
  if (it == transfers_.end() || it->second.encoder) return;
  if (grant.offset > it->second.tensors.bytes().size()) {
    link_->Close(absl::InvalidArgumentError("grant beyond the end of the transfer"));
    return;
  }
  it->second.encoder.emplace(it->second.tensors, grant.offset);
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
      link_->Send(TrailerFrame{id, transfer.digest});
      continue;
    }
    TensorChunk chunk = transfer.encoder->Next();
    link_->Send(ChunkFrame{id, chunk.offset, chunk.checksum, chunk.bytes, std::move(chunk.owner)});
  }
}

// Turns go on where the link was full: if each pump began with the first transfer, a link that
// takes little at a time would starve the last.
Outbox::Transfers::iterator Outbox::NextTurn() {
  const auto ready = [](const auto& entry) { return entry.second.encoder && !entry.second.sent; };
  const auto after = transfers_.upper_bound(last_turn_);
  const auto next = std::find_if(after, transfers_.end(), ready);
  if (next != transfers_.end()) return next;
  const auto wrapped = std::find_if(transfers_.begin(), after, ready);
  return wrapped == after ? transfers_.end() : wrapped;
}

}  // namespace skein
