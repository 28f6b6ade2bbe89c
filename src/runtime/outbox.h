#ifndef SKEIN_SRC_RUNTIME_OUTBOX_H_
#define SKEIN_SRC_RUNTIME_OUTBOX_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <absl/status/status.h>

#include "skein/tensor/chunk_codec.h"
#include "skein/transport/transport.h"

namespace skein {

// The sending side of tensor transfers on one link: offers, waits for the grant, then sends chunks
// as fast as the link takes them. Several transfers take turns, chunk by chunk. Lives on the
// executor of the link's handler.
class Outbox {
 public:
  // Called once per transfer: OK or the receiver's reason. Not called if the link breaks first.
  using Answer = std::function<void(const absl::Status&)>;

  explicit Outbox(std::shared_ptr<Link> link) : link_(std::move(link)) {}

  // `header` names the tensors' kind; `digest` goes into the trailer.
  void Offer(uint64_t transfer, PackedTensors tensors, decltype(OfferFrame::header) header,
             std::string digest, Answer answer);
  // Forgets a transfer; what the receiver still says of it is ignored.
  void Withdraw(uint64_t transfer) { transfers_.erase(transfer); }

  void OnGrant(const GrantFrame& grant);
  void OnAck(const AckFrame& ack);
  void OnWritable() { Pump(); }

 private:
  struct Transfer {
    PackedTensors tensors;
    std::string digest;
    Answer answer;
    std::optional<ChunkEncoder> encoder;  // once granted
    bool sent = false;
  };
  using Transfers = std::map<uint64_t, Transfer>;
  void Pump();
  Transfers::iterator NextTurn();  // end if none has anything to send

  std::shared_ptr<Link> link_;
  Transfers transfers_;
  uint64_t last_turn_ = 0;  // the transfer that sent last
};

}  // namespace skein

#endif  // SKEIN_SRC_RUNTIME_OUTBOX_H_
