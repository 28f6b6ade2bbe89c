#include "runtime/outbox.h"

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
  bool active = true;
  while (active && link_->Writable()) {
    active = false;
    for (auto& [id, transfer] : transfers_) {
      if (!transfer.encoder || transfer.sent) continue;
      if (transfer.encoder->done()) {
        transfer.sent = true;
        link_->Send(TrailerFrame{id, transfer.digest});
        continue;
      }
      TensorChunk chunk = transfer.encoder->Next();
      link_->Send(
          ChunkFrame{id, chunk.offset, chunk.checksum, chunk.bytes, std::move(chunk.owner)});
      active = true;
      if (!link_->Writable()) return;
    }
  }
}

}  // namespace skein
