#include "runtime/uplink.h"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "skein/base/random.h"
#include "skein/base/status.h"
#include "skein/tensor/digest.h"

namespace skein {
namespace {

constexpr Duration kFirstRedial = std::chrono::milliseconds(50);
constexpr Duration kLastRedial = std::chrono::seconds(5);
constexpr uint64_t kMaxModelBytes = uint64_t{64} << 30;

}  // namespace

// Tells calls of the current link from those of its predecessors.
class Uplink::Handler : public LinkHandler {
 public:
  Handler(std::weak_ptr<Uplink> uplink, uint64_t generation)
      : uplink_(std::move(uplink)), generation_(generation) {}
  void OnFrame(Frame frame) override {
    if (auto uplink = Current()) uplink->OnFrame(std::move(frame));
  }
  void OnWritable() override {
    if (auto uplink = Current()) uplink->OnWritable();
  }
  void OnClosed(absl::Status status) override {
    if (auto uplink = Current()) uplink->OnClosed(std::move(status));
  }

 private:
  std::shared_ptr<Uplink> Current() const {
    auto uplink = uplink_.lock();
    return uplink && uplink->generation_ == generation_ ? uplink : nullptr;
  }
  std::weak_ptr<Uplink> uplink_;
  uint64_t generation_;
};

Uplink::Uplink(Owner* owner, std::shared_ptr<Transport> transport,
               std::shared_ptr<Executor> executor, std::shared_ptr<BufferPool> buffers,
               HelloFrame hello, uint64_t jitter_seed, std::shared_ptr<const LinkCodecs> codecs)
    : owner_(owner),
      transport_(std::move(transport)),
      executor_(std::move(executor)),
      buffers_(std::move(buffers)),
      hello_(std::move(hello)),
      jitter_(jitter_seed),
      codecs_(std::move(codecs)) {}

void Uplink::Attach(const AttachMsg& attach) {
  attach_ = attach;
  hello_.epoch = attach.epoch;
  failures_ = 0;
  DropIncoming();
  Dial();
}

void Uplink::Close() {
  ++generation_;
  owner_ = nullptr;
  welcomed_ = false;
  DetachIncoming();
  incoming_.reset();
  if (link_) link_->Close(absl::OkStatus());
  link_.reset();
  outbox_.reset();
}

void Uplink::Dial() {
  if (owner_ == nullptr) return;
  ++generation_;
  welcomed_ = false;
  DetachIncoming();
  if (link_) link_->Close(absl::OkStatus());
  link_ = transport_->Dial(attach_.address, executor_,
                           std::make_shared<Handler>(weak_from_this(), generation_));
  outbox_.emplace(link_);
  link_->Send(hello_);
}

void Uplink::Send(Frame frame) {
  if (welcomed_) link_->Send(std::move(frame));
}

void Uplink::Offer(uint64_t transfer, OutboundTensors tensors, decltype(OfferFrame::header) header,
                   Outbox::Answer answer) {
  if (!welcomed_) return;
  outbox_->Offer(transfer, std::move(tensors), std::move(header), std::move(answer));
}

void Uplink::Withdraw(uint64_t transfer) {
  if (outbox_) outbox_->Withdraw(transfer);
}

void Uplink::OnWritable() { outbox_->OnWritable(); }

void Uplink::OnClosed(absl::Status status) {
  ++generation_;
  welcomed_ = false;
  DetachIncoming();
  link_.reset();
  outbox_.reset();
  // A void attachment stays void: wait for the control plane to make another.
  if (absl::IsFailedPrecondition(status) || absl::IsNotFound(status)) {
    spdlog::info("'{}': its parent '{}' refuses it: {}", hello_.node, attach_.parent,
                 Message(status));
    return;
  }
  // What cannot be read will often be said again.
  garbled_ = absl::IsInvalidArgument(status);
  if (!status.ok()) {
    spdlog::log(garbled_ ? spdlog::level::warn : spdlog::level::info,
                "'{}': the link to its parent broke and is dialed again: {}", hello_.node,
                Message(status));
  }
  Duration wait = kFirstRedial * (int64_t{1} << std::min(failures_++, 10));
  wait = std::min(wait, kLastRedial);
  jitter_ = DeriveSeed(jitter_, {1});
  wait += wait * (jitter_ % 256) / 256;
  executor_->PostAt(executor_->Now() + wait, [weak = weak_from_this(), generation = generation_] {
    auto self = weak.lock();
    if (self && self->generation_ == generation) self->Dial();
  });
}

void Uplink::OnFrame(Frame frame) {
  if (auto* welcome = std::get_if<WelcomeFrame>(&frame)) {
    if (welcome->protocol != hello_.protocol) {
      const absl::Status why = absl::FailedPreconditionError(
          "its parent '" + attach_.parent + "' speaks protocol " +
          std::to_string(welcome->protocol) + " and '" + hello_.node + "' " +
          std::to_string(hello_.protocol) + "; use the same release on both");
      link_->Close(why);
      owner_->OnParentForeign(why);
      return;
    }
    if (welcomed_) return;  // one a link: the owner offers what is unanswered at each
    if (!garbled_) failures_ = 0;
    garbled_ = false;
    welcomed_ = true;
    owner_->OnParentUp(attach_.epoch);
  } else if (auto* task = std::get_if<Task>(&frame)) {
    owner_->OnTask(std::move(*task));
  } else if (auto* offer = std::get_if<OfferFrame>(&frame)) {
    On(*offer);
  } else if (auto* chunk = std::get_if<ChunkFrame>(&frame)) {
    On(*chunk);
  } else if (auto* trailer = std::get_if<TrailerFrame>(&frame)) {
    On(*trailer);
  } else if (auto* grant = std::get_if<GrantFrame>(&frame)) {
    outbox_->OnGrant(*grant);
  } else if (auto* ack = std::get_if<AckFrame>(&frame)) {
    outbox_->OnAck(*ack);
  } else if (auto* cancel = std::get_if<CancelFrame>(&frame)) {
    owner_->OnCancel(*cancel);
  } else if (auto* committed = std::get_if<CommittedFrame>(&frame)) {
    owner_->OnCommitted(*committed);
  }
}

void Uplink::On(OfferFrame& offer) {
  auto* header = std::get_if<ModelHeader>(&offer.header);
  if (header == nullptr || offer.size() > kMaxModelBytes ||
      offer.manifest.total_bytes() > kMaxModelBytes) {
    return Refuse(offer.transfer,
                  absl::InvalidArgumentError("a model of reasonable size was expected"));
  }
  if (const absl::Status can = CheckEncoding(offer); !can.ok()) return Refuse(offer.transfer, can);
  uint64_t offset = 0;
  if (owner_->HasModel(header->version)) {
    offset = offer.size();
    DropIncoming();
    incoming_ = {.transfer = offer.transfer, .header = *header, .bytes = nullptr};
  } else if (GoesOn(offer, header->version)) {
    incoming_->transfer = offer.transfer;  // the rest of what a broken link had begun
    offset = incoming_->bytes->received();
  } else {
    DropIncoming();
    auto bytes = std::make_shared<InboundTransfer>(PackedTensors(BlockManifest(offer), *buffers_));
    bytes->Hash();
    incoming_ = {.transfer = offer.transfer, .header = *header, .bytes = std::move(bytes)};
    if (offer.encoding) {
      incoming_->encoding = std::move(offer.encoding);
      incoming_->encoded = std::move(offer.manifest);
    } else {
      incoming_->watched = owner_->OnModelBegun(*header, incoming_->bytes);
    }
  }
  if (incoming_->bytes) link_->Receive(offer.transfer, MakeSink());
  link_->Send(GrantFrame{offer.transfer, offset});
}

void Uplink::Refuse(uint64_t transfer, const absl::Status& why) {
  link_->Send(AckFrame{transfer, static_cast<int>(why.code()), Message(why)});
}

// FailedPrecondition: the parent offers the whole model then.
absl::Status Uplink::CheckEncoding(const OfferFrame& offer) const {
  if (!offer.encoding) return absl::OkStatus();
  const Encoding& encoding = *offer.encoding;
  if (codecs_ == nullptr) return absl::FailedPreconditionError("models are not encoded here");
  const absl::Status payload = codecs_->CheckPayload(encoding.form, encoding.bytes, offer.manifest);
  if (!payload.ok()) return absl::FailedPreconditionError(Message(payload));
  if (encoding.base && !owner_->BaseModel(*encoding.base)) {
    return absl::FailedPreconditionError("the model is a difference to " +
                                         ToString(*encoding.base) + ", which is not here");
  }
  return absl::OkStatus();
}

// Whether it is the rest of what a broken link had begun.
bool Uplink::GoesOn(const OfferFrame& offer, const VersionRef& version) const {
  if (!incoming_ || !incoming_->bytes || incoming_->header.version != version) return false;
  if (incoming_->encoding != offer.encoding) return false;
  return offer.encoding ? incoming_->encoded == offer.manifest
                        : incoming_->bytes->tensors().manifest() == offer.manifest;
}

absl::StatusOr<ReceivedModel> Uplink::Decode(const Incoming& incoming, const std::string& digest) {
  const PackedTensors& payload = incoming.bytes->tensors();
  const Encoding& encoding = *incoming.encoding;
  std::vector<HeldModel> held;
  if (encoding.base) {
    std::optional<PackedTensors> base = owner_->BaseModel(*encoding.base);
    if (base) held.push_back(HeldModel::Of(*encoding.base, *std::move(base)));
  }
  SKEIN_ASSIGN_OR_RETURN(
      PackedTensors tensors,
      codecs_->Find(encoding.form)->Decode(payload.bytes(), incoming.encoded, *buffers_, held));
  std::string decoded = TransferDigest(tensors.bytes());
  return ReceivedModel{incoming.header, std::move(tensors), std::move(decoded),
                       OutboundTensors::OfPayload({payload.bytes(), payload.owner()}, encoding.form,
                                                  encoding.base, incoming.encoded, digest)};
}

std::shared_ptr<ChunkSink> Uplink::MakeSink() {
  if (!incoming_->watched) return incoming_->bytes->NewSink([] {});
  return incoming_->bytes->NewSink(PostOnceAtATime(executor_, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self != nullptr && self->owner_ != nullptr) self->owner_->OnModelGrew();
  }));
}

void Uplink::DetachIncoming() {
  if (!incoming_ || !incoming_->bytes) return;
  if (link_) link_->Receive(incoming_->transfer, nullptr);
  incoming_->bytes->Detach();
}

void Uplink::DropIncoming() {
  DetachIncoming();
  const std::optional<Incoming> dropped = std::exchange(incoming_, std::nullopt);
  if (dropped && dropped->watched) owner_->OnModelLost(dropped->header.version);
}

void Uplink::On(const ChunkFrame& chunk) {
  if (!incoming_ || incoming_->transfer != chunk.transfer || !incoming_->bytes) return;
  const absl::Status status = incoming_->bytes->Take(chunk);
  if (!status.ok()) {
    link_->Close(status);  // and resume on the next link
  } else if (incoming_->watched) {
    owner_->OnModelGrew();
  }
}

void Uplink::On(const TrailerFrame& trailer) {
  if (!incoming_ || incoming_->transfer != trailer.transfer) return;
  DetachIncoming();
  absl::Status status;
  std::optional<ReceivedModel> model;
  if (incoming_->bytes && !incoming_->bytes->done()) {
    status = absl::DataLossError("the model ended early");
  } else if (incoming_->bytes && incoming_->bytes->FinishHash() != trailer.digest) {
    status = absl::DataLossError("the model's digest does not match");
  } else if (incoming_->bytes && incoming_->encoding) {
    absl::StatusOr<ReceivedModel> decoded = Decode(*incoming_, trailer.digest);
    if (!decoded.ok()) {
      DropIncoming();
      return Refuse(trailer.transfer, absl::FailedPreconditionError(Message(decoded.status())));
    }
    model = *std::move(decoded);
  } else if (incoming_->bytes) {
    model = {incoming_->header, incoming_->bytes->tensors(), trailer.digest};
  }
  if (status.ok()) {
    incoming_.reset();
  } else {
    DropIncoming();
  }
  link_->Send(AckFrame{trailer.transfer, static_cast<int>(status.code()), Message(status)});
  if (!status.ok()) {
    link_->Close(status);
  } else if (model) {
    owner_->OnModel(*std::move(model));
  }
}

}  // namespace skein
