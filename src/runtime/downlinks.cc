#include "runtime/downlinks.h"

#include <spdlog/spdlog.h>

#include "base/one_line.h"
#include "skein/base/status.h"

namespace skein {
namespace {

// Half-received uploads of broken links are kept to resume them, up to this much in all.
constexpr uint64_t kMaxSuspendedBytes = uint64_t{64} << 20;

// Offers of one link that may wait for their answer; a regular child has one or two.
constexpr size_t kMaxOffers = 64;

}  // namespace

// One accepted link. Calls come on the node's executor.
class Downlinks::ChildLink : public LinkHandler,
                             public std::enable_shared_from_this<Downlinks::ChildLink> {
 public:
  ChildLink(std::weak_ptr<Downlinks> links, std::shared_ptr<Link> link)
      : link_(std::move(link)), outbox(link_), links_(std::move(links)) {}

  void OnFrame(Frame frame) override {
    auto links = links_.lock();
    if (links == nullptr) return;
    if (auto* hello = std::get_if<HelloFrame>(&frame)) {
      links->OnHello(shared_from_this(), *hello);
    } else if (!child.empty()) {
      links->OnFrame(*this, std::move(frame));
    } else {
      link_->Close(absl::FailedPreconditionError("a link begins with a hello"));
    }
  }
  void OnWritable() override { outbox.OnWritable(); }
  void OnClosed(absl::Status) override {
    if (auto links = links_.lock()) links->OnClosed(*this);
    links_.reset();
  }

  Link& link() { return *link_; }

 private:
  friend class Downlinks;
  std::shared_ptr<Link> link_;
  NodeId child;        // empty until its hello
  bool early = false;  // its hello waits for the run's name
  Epoch epoch = 0;
  Incarnation incarnation = 0;
  Outbox outbox;
  uint64_t model = 0;             // the transfer of the model that was offered last
  std::optional<VersionRef> has;  // the last model that it said it has
  std::map<uint64_t, Incoming> incoming;
  std::weak_ptr<Downlinks> links_;
};

Downlinks::Downlinks(Owner* owner, std::shared_ptr<Executor> executor,
                     std::shared_ptr<BufferPool> buffers, std::string run, Incarnation incarnation)
    : owner_(owner),
      executor_(std::move(executor)),
      buffers_(std::move(buffers)),
      run_(std::move(run)),
      incarnation_(incarnation) {}

void Downlinks::Close() {
  owner_ = nullptr;
  for (const auto& [weak, hello] : early_) {
    if (const auto link = weak.lock()) link->link().Close(absl::OkStatus());
  }
  for (auto& [key, link] : links_) {
    const LinkStats stats = link->link().stats();
    closed_up_ += stats.bytes_received;
    closed_down_ += stats.bytes_sent;
    for (const auto& [transfer, incoming] : link->incoming) Drop(*link, incoming);
    link->link().Close(absl::OkStatus());
  }
  links_.clear();
  early_.clear();
  suspended_.clear();
}

std::shared_ptr<LinkHandler> Downlinks::OnLink(std::shared_ptr<Link> link) {
  if (owner_ == nullptr) return nullptr;
  return std::make_shared<ChildLink>(weak_from_this(), std::move(link));
}

void Downlinks::SetRun(std::string run) {
  run_ = std::move(run);
  for (const auto& [weak, hello] : std::exchange(early_, {})) {
    const auto link = weak.lock();
    if (link != nullptr && !link->links_.expired()) OnHello(link, hello);  // not closed since
  }
}

void Downlinks::OnHello(const std::shared_ptr<ChildLink>& link, const HelloFrame& hello) {
  if (!link->child.empty()) return;
  if (owner_ == nullptr) {
    link->link().Close(absl::OkStatus());
    return;
  }
  if (hello.node.empty()) {
    link->link().Close(absl::InvalidArgumentError("a hello names its node"));
    return;
  }
  if (run_.empty()) {
    // The control plane has told the child of us before its word of the run has reached us.
    if (!std::exchange(link->early, true)) early_.emplace_back(link, hello);
    return;
  }
  if (hello.protocol != kProtocolVersion || hello.run != run_) {
    const std::string why = "'" + hello.node + "' belongs to run '" + hello.run + "', protocol " +
                            std::to_string(hello.protocol) + "; this is run '" + run_ +
                            "', protocol " + std::to_string(kProtocolVersion);
    spdlog::warn("a child is refused: {}", why);
    if (hello.protocol != kProtocolVersion) {  // it is to know that no attachment to us will do
      link->link().Send(WelcomeFrame{kProtocolVersion, incarnation_});
    }
    link->link().Close(absl::FailedPreconditionError(why));
    return;
  }
  link->child = hello.node;
  link->epoch = hello.epoch;
  link->incarnation = hello.incarnation;
  const Key key(hello.node, hello.epoch);
  if (auto it = links_.find(key); it != links_.end()) {
    // The child dialed again before we saw its last link break.
    auto old = it->second;
    OnClosed(*old);
    old->link().Close(absl::AbortedError("replaced by a newer link"));
  }
  if (owner_ == nullptr) {
    link->link().Close(absl::OkStatus());
    return;
  }
  links_[key] = link;
  owner_->OnChildUp(hello.node, hello.epoch);
}

void Downlinks::OnClosed(ChildLink& link) {
  const LinkStats stats = link.link().stats();
  if (link.child.empty()) {
    // Even an expired pointer holds on to memory, and a child may come often before the name does.
    if (link.early) {
      std::erase_if(early_, [&](const auto& entry) { return entry.first.lock().get() == &link; });
    }
    return;
  }
  const Key key(link.child, link.epoch);
  auto it = links_.find(key);
  if (it == links_.end() || it->second.get() != &link) return;
  auto keep = it->second;  // until we are through
  links_.erase(it);
  closed_up_ += stats.bytes_received;
  closed_down_ += stats.bytes_sent;
  for (const auto& [transfer, incoming] : link.incoming) Drop(link, incoming);
  Suspend(link);
  if (welcomed_.contains(link.child) && welcomed_[link.child] == link.epoch) {
    welcomed_.erase(link.child);
  }
  if (owner_ != nullptr) owner_->OnChildDown(key.first, key.second);
}

// No more bytes come, and what was folded is taken out.
void Downlinks::Drop(ChildLink& link, const Incoming& incoming) {
  if (incoming.transfer == nullptr) return;
  link.link().Receive(incoming.offer.transfer, nullptr);
  incoming.transfer->Detach();
  incoming.transfer->DropFold();
}

// Keeps what a broken link has left, if it can ever be gone on with and there is room.
void Downlinks::Suspend(ChildLink& link) {
  uint64_t bytes = 0;
  for (const auto& [child, incoming] : suspended_) {
    if (child != link.child) bytes += incoming.offer.size();  // its own is replaced
  }
  for (auto& [transfer, incoming] : link.incoming) {
    if (incoming.transfer == nullptr || incoming.transfer->received() == 0) continue;
    if (!IsSameUpload(incoming, incoming)) continue;  // a partial
    if (incoming.offer.size() > kMaxSuspendedBytes - bytes) continue;
    suspended_.insert_or_assign(link.child, std::move(incoming));
    return;
  }
}

// Whether `b` is `a` offered again, the same bytes. Partials may have been made anew since; so may
// an update that another life of the child has trained again.
bool Downlinks::IsSameUpload(const Incoming& a, const Incoming& b) {
  const auto* ua = std::get_if<UpdateHeader>(&a.offer.header);
  const auto* ub = std::get_if<UpdateHeader>(&b.offer.header);
  return ua != nullptr && ub != nullptr && ua->seq == ub->seq && a.sender == b.sender &&
         a.offer.manifest == b.offer.manifest && a.offer.encoding == b.offer.encoding;
}

void Downlinks::OnFrame(ChildLink& link, Frame frame) {
  if (owner_ == nullptr) return;
  auto welcomed = welcomed_.find(link.child);
  if (welcomed == welcomed_.end() || welcomed->second != link.epoch) return;
  if (auto* offer = std::get_if<OfferFrame>(&frame)) {
    const uint64_t transfer = offer->transfer;
    if (link.incoming.size() >= kMaxOffers) {
      link.link().Close(absl::ResourceExhaustedError("too many offers wait for their answer"));
      return;
    }
    auto [it, fresh] = link.incoming.try_emplace(
        transfer, Incoming{.offer = std::move(*offer), .sender = link.incarnation});
    if (!fresh) {
      link.link().Close(absl::InvalidArgumentError("a transfer number was used twice"));
      return;
    }
    owner_->OnUploadOffered({link.child, link.epoch, transfer}, it->second.offer);
  } else if (auto* chunk = std::get_if<ChunkFrame>(&frame)) {
    OnChunk(link, *chunk);
  } else if (auto* trailer = std::get_if<TrailerFrame>(&frame)) {
    OnTrailer(link, *trailer);
  } else if (auto* failed = std::get_if<TaskFailedFrame>(&frame)) {
    // A child of another make may say it in several lines.
    failed->reason = OneLine(failed->reason);
    owner_->OnChildFailed(link.child, *failed);
  } else if (auto* report = std::get_if<EvalReportFrame>(&frame)) {
    owner_->OnChildEvaluated(link.child, *report);
  } else if (auto* grant = std::get_if<GrantFrame>(&frame)) {
    link.outbox.OnGrant(*grant);
  } else if (auto* ack = std::get_if<AckFrame>(&frame)) {
    link.outbox.OnAck(*ack);
  }
}

void Downlinks::OnChunk(ChildLink& link, const ChunkFrame& chunk) {
  auto it = link.incoming.find(chunk.transfer);
  // Dropped meanwhile, or after its trailer.
  if (it == link.incoming.end() || it->second.staged) return;
  if (it->second.transfer == nullptr) {
    const Manifest& manifest = it->second.offer.manifest;
    const std::string what = manifest.size() > 0 ? " of tensor \"" + manifest[0].name + "\"" : "";
    link.link().Close(absl::InvalidArgumentError("'" + link.child + "' sends bytes" + what +
                                                 " before they are granted"));
    return;
  }
  const absl::Status status = it->second.transfer->Take(chunk);
  if (!status.ok()) {
    link.link().Close(status);  // the child comes back and goes on where its data still held
    return;
  }
  owner_->OnUploadProgress({link.child, link.epoch, chunk.transfer});
}

void Downlinks::OnTrailer(ChildLink& link, const TrailerFrame& trailer) {
  auto it = link.incoming.find(trailer.transfer);
  if (it == link.incoming.end() || !it->second.transfer || it->second.staged) return;
  const UploadId id{link.child, link.epoch, trailer.transfer};
  if (!it->second.transfer->done()) {
    owner_->OnUploadBroken(id, "its upload ended early");
    return;
  }
  it->second.staged = true;
  it->second.transfer->Detach();
  link.link().Receive(trailer.transfer, nullptr);
  owner_->OnUploadStaged(id);
}

void Downlinks::Welcome(const NodeId& child, Epoch epoch) {
  auto it = links_.find({child, epoch});
  if (it == links_.end()) return;
  welcomed_[child] = epoch;
  // Older attachments are void; a child that does not hang up would keep what they hold.
  for (auto old = links_.lower_bound({child, 0}); old != it; ++old) {
    old->second->link().Close(absl::FailedPreconditionError(
        "attachment " + std::to_string(epoch) + " of '" + child + "' has taken its place"));
  }
  it->second->link().Send(WelcomeFrame{kProtocolVersion, incarnation_});
}

void Downlinks::Refuse(const NodeId& child, Epoch epoch, const absl::Status& why) {
  auto it = links_.find({child, epoch});
  if (it != links_.end()) it->second->link().Close(why);
}

void Downlinks::Send(const NodeId& child, Frame frame) {
  auto welcomed = welcomed_.find(child);
  if (welcomed == welcomed_.end()) return;
  auto it = links_.find({child, welcomed->second});
  if (it != links_.end()) it->second->link().Send(std::move(frame));
}

void Downlinks::OfferModel(const NodeId& child, const ModelHeader& header,
                           const ModelForChildren& model) {
  auto welcomed = welcomed_.find(child);
  if (welcomed == welcomed_.end()) return;
  auto it = links_.find({child, welcomed->second});
  if (it != links_.end()) Send(*it->second, header, model);
}

void Downlinks::Send(ChildLink& link, const ModelHeader& header, const ModelForChildren& model) {
  // A child takes one model at a time. Without this, one that never answers would keep them all.
  link.outbox.Withdraw(std::exchange(link.model, next_transfer_++));
  const bool encoded = model.encoded && (!model.encoded->encoding()->base ||
                                         model.encoded->encoding()->base == link.has);
  // The child verifies the digest; if it does not match it closes the link and comes again.
  link.outbox.Offer(link.model, encoded ? *model.encoded : model.whole, header,
                    [this, &link, header, encoded,
                     whole = ModelForChildren{model.whole}](const absl::Status& status) {
                      if (status.ok()) {
                        link.has = header.version;
                      } else if (encoded && absl::IsFailedPrecondition(status)) {
                        Send(link, header, whole);
                      }
                    });
}

void Downlinks::ModelGrew() {
  for (const auto& [key, link] : links_) link->outbox.OnWritable();
}

void Downlinks::Grant(const UploadId& id, const BeginIntake& begin) {
  auto link = Find(id);
  if (link == nullptr) return;
  const auto offered = link->incoming.find(id.transfer);
  if (offered == link->incoming.end()) return;  // answered meanwhile
  Incoming& incoming = offered->second;
  auto left = suspended_.find(id.child);
  if (left != suspended_.end()) {
    if (IsSameUpload(left->second, incoming)) {
      incoming.transfer = std::move(left->second.transfer);
    }
    suspended_.erase(left);
  }
  if (incoming.transfer == nullptr) {
    incoming.transfer =
        std::make_shared<InboundTransfer>(PackedTensors(BlockManifest(incoming.offer), *buffers_));
  }
  InboundTransfer& transfer = *incoming.transfer;
  // What is encoded is decoded once it is whole.
  if (begin && !incoming.offer.encoding) transfer.Fold(begin(incoming.offer, transfer.tensors()));
  link->link().Receive(id.transfer, MakeSink(id, transfer));
  link->link().Send(GrantFrame{id.transfer, transfer.received()});
}

std::shared_ptr<ChunkSink> Downlinks::MakeSink(const UploadId& id, InboundTransfer& transfer) {
  return transfer.NewSink(PostOnceAtATime(executor_, [weak = weak_from_this(), id] {
    const auto self = weak.lock();
    if (self == nullptr || self->owner_ == nullptr || self->Find(id) == nullptr) return;
    self->owner_->OnUploadProgress(id);
  }));
}

InboundTransfer* Downlinks::Staged(const UploadId& id) {
  auto link = Find(id);
  return link == nullptr ? nullptr : link->incoming.at(id.transfer).transfer.get();
}

const OfferFrame* Downlinks::Offer(const UploadId& id) const {
  auto link = Find(id);
  return link == nullptr ? nullptr : &link->incoming.at(id.transfer).offer;
}

void Downlinks::Acknowledge(const UploadId& id, const absl::Status& status) {
  auto link = Find(id);
  if (link == nullptr) return;
  auto answered = link->incoming.find(id.transfer);
  auto left = suspended_.find(id.child);
  if (left != suspended_.end() && IsSameUpload(left->second, answered->second)) {
    suspended_.erase(left);  // it was refused unseen, so nobody will go on with it
  }
  Drop(*link, answered->second);
  link->incoming.erase(answered);
  link->link().Send(AckFrame{id.transfer, static_cast<int>(status.code()), Message(status)});
}

std::shared_ptr<Downlinks::ChildLink> Downlinks::Find(const UploadId& id) const {
  auto it = links_.find({id.child, id.epoch});
  if (it == links_.end() || !it->second->incoming.contains(id.transfer)) return nullptr;
  return it->second;
}

std::pair<uint64_t, uint64_t> Downlinks::Traffic() const {
  uint64_t up = closed_up_;
  uint64_t down = closed_down_;
  for (const auto& [key, link] : links_) {
    const LinkStats stats = link->link().stats();
    up += stats.bytes_received;
    down += stats.bytes_sent;
  }
  return {up, down};
}

}  // namespace skein
