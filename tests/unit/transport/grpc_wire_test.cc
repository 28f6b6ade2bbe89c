#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "skein/base/thread_pool.h"
#include "skein/transport/transport.h"
#include "skein/v1/data_plane.grpc.pb.h"
#include "transport/frame_limits.h"
#include "transport/grpc/frame_bytes.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

// Waits for frames and for the end.
class Watcher final : public LinkHandler {
 public:
  void OnFrame(Frame) override {
    std::lock_guard lock(mutex_);
    ++frames_;
    changed_.notify_all();
  }
  void OnWritable() override {}
  void OnClosed(absl::Status status) override {
    std::lock_guard lock(mutex_);
    closed_ = std::move(status);
    changed_.notify_all();
  }

  bool WaitForFrames(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kTimeout, [&] { return frames_ >= count; });
  }
  absl::Status WaitForEnd() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kTimeout, [&] { return closed_.has_value(); })) {
      return absl::DeadlineExceededError("OnClosed did not come");
    }
    return *closed_;
  }

 private:
  static constexpr auto kTimeout = std::chrono::seconds(30);
  std::mutex mutex_;
  std::condition_variable changed_;
  int frames_ = 0;
  std::optional<absl::Status> closed_;
};

class OneLink final : public Acceptor {
 public:
  explicit OneLink(std::shared_ptr<Watcher> watcher) : watcher_(std::move(watcher)) {}
  std::shared_ptr<LinkHandler> OnLink(std::shared_ptr<Link> link) override {
    link_ = std::move(link);
    return watcher_;
  }
  Link& link() { return *link_; }

 private:
  const std::shared_ptr<Watcher> watcher_;
  std::shared_ptr<Link> link_;
};

// A parent of ours, and a child that speaks gRPC by itself.
class GrpcStrangeChild : public ::testing::Test {
 protected:
  void SetUp() override {
    auto listener = transport_->Listen("127.0.0.1:0", pool_.NewExecutor(), acceptor_);
    ASSERT_TRUE(listener.ok()) << listener.status();
    listener_ = *std::move(listener);
    auto channel = grpc::CreateChannel(listener_->address(), grpc::InsecureChannelCredentials());
    stub_ = v1::DataPlane::NewStub(channel);
    stream_ = stub_->Connect(&context_);
    v1::Frame hello;
    hello.mutable_hello()->set_node("w1");
    ASSERT_TRUE(stream_->Write(hello));
    ASSERT_TRUE(parent_->WaitForFrames(1));
  }

  ThreadPool pool_{2};
  std::shared_ptr<Transport> transport_ = MakeGrpcTransport();
  std::shared_ptr<Watcher> parent_ = std::make_shared<Watcher>();
  std::shared_ptr<OneLink> acceptor_ = std::make_shared<OneLink>(parent_);
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<v1::DataPlane::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::Frame, v1::Frame>> stream_;
};

// Or each connection keeps a buffer as large as what it has carried (ADR 0017).
TEST_F(GrpcStrangeChild, MeetsAServerThatReadsInTheWayThatHasALimit) {
  const char* experiments = std::getenv("GRPC_EXPERIMENTS");
  ASSERT_NE(experiments, nullptr);
  EXPECT_THAT(experiments, HasSubstr("-tcp_read_chunks"));
}

TEST_F(GrpcStrangeChild, IsToldWhatIsWrongWithItsFrame) {
  v1::Frame bad;
  bad.mutable_ack()->set_code(99);
  ASSERT_TRUE(stream_->Write(bad));
  v1::Frame answer;
  ASSERT_TRUE(stream_->Read(&answer));
  EXPECT_EQ(answer.close().code(), static_cast<int>(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(answer.close().message(), HasSubstr("bad ack frame"));
  EXPECT_FALSE(stream_->Read(&answer));
  EXPECT_TRUE(stream_->Finish().ok());
  EXPECT_EQ(parent_->WaitForEnd().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(GrpcStrangeChild, EndsRegularlyWithACloseFrame) {
  v1::Frame close;
  close.mutable_close()->set_code(static_cast<int>(absl::StatusCode::kAborted));
  close.mutable_close()->set_message("battery is low");
  ASSERT_TRUE(stream_->Write(close));
  EXPECT_EQ(parent_->WaitForEnd(), absl::AbortedError("battery is low"));
  EXPECT_TRUE(stream_->Finish().ok());
}

TEST_F(GrpcStrangeChild, IsLostIfItHalfClosesWithoutACloseFrame) {
  ASSERT_TRUE(stream_->WritesDone());
  EXPECT_EQ(parent_->WaitForEnd().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(stream_->Finish().ok());
}

TEST_F(GrpcStrangeChild, IsLostIfItsCallIsCancelled) {
  context_.TryCancel();
  EXPECT_EQ(parent_->WaitForEnd().code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(stream_->Finish().ok());
}

// Notes what it is given; refuses a payload that begins with '!'.
class NotingSink final : public ChunkSink {
 public:
  absl::Status Take(uint64_t offset, uint64_t checksum,
                    std::span<const std::span<const std::byte>> pieces) override {
    std::string payload;
    for (const auto& piece : pieces) {
      payload.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    }
    if (payload.starts_with('!')) return absl::DataLossError("not as agreed");
    std::lock_guard lock(mutex_);
    text_ += std::to_string(offset) + '/' + std::to_string(checksum) + '/' + payload + ' ';
    return absl::OkStatus();
  }
  std::string text() const {
    std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

v1::Frame ChunkOf(uint64_t transfer, uint64_t offset, const std::string& payload) {
  v1::Frame frame;
  frame.mutable_chunk()->set_transfer(transfer);
  frame.mutable_chunk()->set_offset(offset);
  frame.mutable_chunk()->set_checksum(5);
  frame.mutable_chunk()->set_data(payload);
  return frame;
}

TEST_F(GrpcStrangeChild, ItsChunksGoToTheSinkOfTheirTransfer) {
  auto sink = std::make_shared<NotingSink>();
  const std::weak_ptr<ChunkSink> weak = sink;
  acceptor_->link().Receive(8, sink);
  ASSERT_TRUE(stream_->Write(ChunkOf(8, 0, "abc")));
  ASSERT_TRUE(stream_->Write(ChunkOf(7, 0, "for the handler")));
  ASSERT_TRUE(stream_->Write(ChunkOf(8, 3, std::string(100'000, 'x'))));
  v1::Frame trailer;
  trailer.mutable_trailer()->set_transfer(8);
  ASSERT_TRUE(stream_->Write(trailer));
  // Hello, the other transfer's chunk, and the trailer, by which all of it has come.
  ASSERT_TRUE(parent_->WaitForFrames(3));
  EXPECT_EQ(sink->text(), "0/5/abc 3/5/" + std::string(100'000, 'x') + ' ');
  acceptor_->link().Receive(8, nullptr);
  sink.reset();
  EXPECT_TRUE(weak.expired());
  ASSERT_TRUE(stream_->Write(ChunkOf(8, 0, "abc")));
  ASSERT_TRUE(parent_->WaitForFrames(4));
}

TEST_F(GrpcStrangeChild, IsToldWhyASinkRefusesItsChunk) {
  acceptor_->link().Receive(8, std::make_shared<NotingSink>());
  ASSERT_TRUE(stream_->Write(ChunkOf(8, 0, "!")));
  v1::Frame answer;
  ASSERT_TRUE(stream_->Read(&answer));
  EXPECT_EQ(answer.close().message(), "not as agreed");
  EXPECT_FALSE(stream_->Read(&answer));
  EXPECT_TRUE(stream_->Finish().ok());
  EXPECT_EQ(parent_->WaitForEnd(), absl::DataLossError("not as agreed"));
}

// A parent that ends every call at once, in its own way.
class StrangeParent final : public v1::DataPlane::Service {
 public:
  explicit StrangeParent(grpc::Status status) : status_(std::move(status)) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  grpc::Status Connect(grpc::ServerContext*,
                       grpc::ServerReaderWriter<v1::Frame, v1::Frame>*) override {
    return status_;
  }

 private:
  const grpc::Status status_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

absl::Status EndOfLinkTo(const std::string& address) {
  ThreadPool pool(2);
  const auto transport = MakeGrpcTransport();
  const auto child = std::make_shared<Watcher>();
  const auto link = transport->Dial(address, pool.NewExecutor(), child);
  return child->WaitForEnd();
}

TEST(GrpcStrangeParentTest, ItsStatusIsTheEnd) {
  StrangeParent parent(grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "who are you?"));
  const absl::Status status = EndOfLinkTo(parent.address());
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(Message(status), HasSubstr("who are you?"));
  EXPECT_THAT(Message(status), HasSubstr(parent.address()));
}

TEST(GrpcStrangeParentTest, IsLostIfItFinishesWithoutACloseFrame) {
  StrangeParent parent(grpc::Status::OK);
  EXPECT_EQ(EndOfLinkTo(parent.address()).code(), absl::StatusCode::kUnavailable);
}

// What comes of a message in these slices.
absl::Status DecodedIn(const std::vector<std::string>& pieces) {
  std::vector<grpc::Slice> slices(pieces.begin(), pieces.end());
  grpc::ByteBuffer message(slices.data(), slices.size());
  return DecodeFrame(message).frame.status();
}

TEST(GrpcFrames, AChunkIsSentFromTheTensorsMemoryWhichLivesAsLong) {
  auto owner = std::make_shared<std::vector<std::byte>>(100'000, std::byte{7});
  const std::weak_ptr<std::vector<std::byte>> alive = owner;
  const std::byte* const memory = owner->data();
  {
    ChunkFrame chunk{.transfer = 1, .offset = 0, .bytes = *owner};
    chunk.owner = std::move(owner);
    const grpc::ByteBuffer message = EncodeFrame(std::move(chunk));
    std::vector<grpc::Slice> slices;
    ASSERT_TRUE(message.Dump(&slices).ok());
    ASSERT_EQ(slices.size(), 2u) << "what stands before the bytes, and they";
    EXPECT_EQ(static_cast<const void*>(slices[1].begin()), memory);
    EXPECT_EQ(slices[1].size(), 100'000u);
    EXPECT_FALSE(alive.expired());
  }
  EXPECT_TRUE(alive.expired());
}

TEST(GrpcFrames, EmptySlicesDoNoHarm) {
  const std::string ack("\x42\x02\x08\x03", 4);
  EXPECT_TRUE(DecodedIn({ack}).ok());
  EXPECT_TRUE(DecodedIn({"", ack.substr(0, 1), "", ack.substr(1), "", ""}).ok());
  EXPECT_FALSE(DecodedIn({ack, "", "\x12\x04\x08\x01\x10\x0c\x42", ""}).ok());
}

TEST(GrpcFrames, ALengthBeyondWhatIsAroundItIsRefused) {
  // An offer of 8 bytes, in it an update of 34, in it a text of 375,176.
  const std::string lie("\x22\x08\x18\x18\x18\x22\x22\x1a\x88\xf3\x16", 11);
  EXPECT_TRUE(absl::IsInvalidArgument(DecodedIn({lie + std::string(40, 'x')})));
}

TEST(GrpcFrames, AnOfferOfAsManyTensorsAsThereMayBeIsTaken) {
  std::vector<TensorInfo> tensors;
  ModelHeader header{{7, 1, 0}, {600, 60000, {}}};
  for (size_t i = 0; i < Manifest::kMaxTensors; ++i) {
    const std::string number = std::to_string(i);
    tensors.push_back({std::string(40 - number.size(), 'w') + number,
                       DType::kFloat32,
                       {3, 1, 2, 100'000},
                       TensorRole::kBuffer});
    header.numeric.scales.push_back({-4, 60});
  }
  const OfferFrame offer{1, *Manifest::Create(tensors), header};
  grpc::ByteBuffer message = EncodeFrame(offer);
  const ReceivedFrame received = DecodeFrame(message);
  ASSERT_TRUE(received.frame.ok()) << received.frame.status();
  EXPECT_EQ(std::get<OfferFrame>(*received.frame).manifest, offer.manifest);
}

TEST(GrpcFrames, AMessageThatUnfoldsToTooMuchIsRefused) {
  std::string tensors;  // of nothing
  for (int i = 0; i < 1 << 20; ++i) tensors += std::string("\x0a\x00", 2);
  const auto field = [](char tag, const std::string& bytes) {
    std::string out(1, tag);
    for (size_t n = bytes.size(); true; n >>= 7) {
      out += static_cast<char>((n & 127) | (n > 127 ? 128 : 0));
      if (n <= 127) break;
    }
    return out + bytes;
  };
  const std::string offer = field('\x22', field('\x12', tensors));
  const absl::Status status = DecodedIn({offer});
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(Message(status), HasSubstr("unfolds to too much")) << "before it is unfolded";
}

TEST(GrpcFrames, AChunkIsTakenUpToItsLimits) {
  const auto chunk = [](uint64_t offset, size_t bytes) {
    const auto payload = std::make_shared<std::vector<std::byte>>(bytes);
    grpc::ByteBuffer message = EncodeFrame(ChunkFrame{1, offset, 2, *payload, payload});
    return DecodeFrame(message);
  };
  EXPECT_TRUE(chunk(Manifest::kMaxBytes, kMaxChunkBytes).chunk.has_value());
  for (const ReceivedFrame& refused :
       {chunk(0, kMaxChunkBytes + 1), chunk(Manifest::kMaxBytes + 1, 1)}) {
    EXPECT_FALSE(refused.chunk.has_value());
    EXPECT_TRUE(absl::IsInvalidArgument(refused.frame.status())) << refused.frame.status();
  }
}

}  // namespace
}  // namespace skein
