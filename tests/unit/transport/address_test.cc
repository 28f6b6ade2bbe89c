#include "transport/grpc/address.h"

#include <atomic>
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "skein/base/thread_pool.h"
#include "skein/transport/transport.h"
#include "transport/grpc/grpc_status.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

TEST(Address, ParsesHostsAndPorts) {
  for (const char* text :
       {"127.0.0.1:0", "localhost:7400", "node-3.site_a.example:65535", "[::1]:7400"}) {
    const absl::StatusOr<HostPort> parsed = ParseHostPort(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(parsed->ToString(), text);
  }
}

TEST(Address, RefusesWhatIsNone) {
  for (const char* text : {"", ":", ":80", "host", "host:", "host:x", "host:80x", "host:-1",
                           "host:65536", "host:99999999999", "unix:/tmp/a", "dns:///host:80",
                           "a b:80", "::1:80", "[host]:80", "[]:80", "host: 80"}) {
    const absl::StatusOr<HostPort> parsed = ParseHostPort(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(Message(parsed.status()), HasSubstr("host:port"));
  }
}

TEST(Address, MayNameARoute) {
  for (const char* text : {"127.0.0.1:0", "[::1]:7400/run-1.a_b"}) {
    const absl::StatusOr<RoutedAddress> parsed = ParseRoutedAddress(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(parsed->ToString(), text);
  }
  for (const char* text : {"host:80/", "host:80/a b", "host:80/a/b", "/a", "host/a"}) {
    EXPECT_FALSE(ParseRoutedAddress(text).ok()) << text;
  }
}

TEST(Address, KnowsLoopback) {
  EXPECT_TRUE(IsLoopback("127.0.0.1"));
  EXPECT_TRUE(IsLoopback("127.1.2.3"));
  EXPECT_TRUE(IsLoopback("::1"));
  EXPECT_TRUE(IsLoopback("localhost"));
  EXPECT_FALSE(IsLoopback("0.0.0.0"));
  EXPECT_FALSE(IsLoopback("::"));
  EXPECT_FALSE(IsLoopback("10.0.0.1"));
  EXPECT_FALSE(IsLoopback("localhost.example"));
}

class NoAcceptor final : public Acceptor {
 public:
  std::shared_ptr<LinkHandler> OnLink(std::shared_ptr<Link>) override { return nullptr; }
};

// Counts the links that it is offered, and refuses them.
class Counting final : public Acceptor {
 public:
  std::shared_ptr<LinkHandler> OnLink(std::shared_ptr<Link>) override {
    ++links;
    return nullptr;
  }
  std::atomic<int> links = 0;
};

class UntilClosed final : public LinkHandler {
 public:
  void OnFrame(Frame) override {}
  void OnWritable() override {}
  void OnClosed(absl::Status) override { closed.set_value(); }
  std::promise<void> closed;
};

TEST(GrpcTransport, ListenersShareAPort) {
  ThreadPool pool(2);
  const auto transport = MakeGrpcTransport();
  const auto a = std::make_shared<Counting>();
  const auto b = std::make_shared<Counting>();
  auto at_a = transport->Listen("127.0.0.1:0/a", pool.NewExecutor(), a);
  auto at_b = transport->Listen("127.0.0.1:0/b", pool.NewExecutor(), b);
  ASSERT_TRUE(at_a.ok() && at_b.ok()) << at_a.status() << at_b.status();
  EXPECT_EQ(transport->Listen("127.0.0.1:0/b", pool.NewExecutor(), b).status().code(),
            absl::StatusCode::kAlreadyExists);
  const std::string port = (*at_a)->address().substr(0, (*at_a)->address().find('/'));
  EXPECT_EQ((*at_b)->address(), port + "/b");
  const auto dial = [&](const std::string& address) {
    const auto handler = std::make_shared<UntilClosed>();
    const auto link = transport->Dial(address, pool.NewExecutor(), handler);
    link->Send(HelloFrame{});
    handler->closed.get_future().wait();
  };
  dial((*at_b)->address());
  EXPECT_EQ(a->links, 0);
  EXPECT_EQ(b->links, 1);
  dial(port);  // for whom?
  dial(port + "/c");
  EXPECT_EQ(a->links + b->links, 1);
  at_b->reset();
  dial(port + "/b");
  EXPECT_EQ(b->links, 1);
  dial(port);  // who is left
  dial((*at_a)->address());
  EXPECT_EQ(a->links, 2);
  EXPECT_TRUE(transport->Listen("127.0.0.1:0/b", pool.NewExecutor(), b).ok());
}

TEST(GrpcTransport, ListensBeyondLoopbackOnlyWhenToldSo) {
  ThreadPool pool(1);
  const auto acceptor = std::make_shared<NoAcceptor>();
  const auto refused = MakeGrpcTransport()->Listen("0.0.0.0:0", pool.NewExecutor(), acceptor);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(refused.status()), HasSubstr("--insecure"));
  const auto transport = MakeGrpcTransport({.insecure = true});
  const auto allowed = transport->Listen("0.0.0.0:0", pool.NewExecutor(), acceptor);
  EXPECT_TRUE(allowed.ok()) << allowed.status();
}

TEST(GrpcTransport, NamesTheUsedPortAndTheRemedy) {
  ThreadPool pool(1);
  const auto acceptor = std::make_shared<NoAcceptor>();
  const auto transport = MakeGrpcTransport();
  const auto first = transport->Listen("127.0.0.1:0", pool.NewExecutor(), acceptor);
  ASSERT_TRUE(first.ok()) << first.status();
  const std::string address = (*first)->address();
  // Another transport, as another process would be.
  const auto second = MakeGrpcTransport()->Listen(address, pool.NewExecutor(), acceptor);
  EXPECT_EQ(Message(second.status()),
            "cannot listen on " + address +
                ": the port is in use; choose another address, or port 0 for any free port");
}

TEST(GrpcStatus, KeepsCodeAndMessage) {
  const absl::Status status = absl::FailedPreconditionError("epoch 3");
  EXPECT_EQ(FromGrpc(ToGrpc(status)), status);
  EXPECT_TRUE(FromGrpc(grpc::Status::OK).ok());
  EXPECT_EQ(MakeStatus(99, "odd").code(), absl::StatusCode::kUnknown);
  EXPECT_EQ(MakeStatus(-1, "odd").code(), absl::StatusCode::kUnknown);
}

}  // namespace
}  // namespace skein
