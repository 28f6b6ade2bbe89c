// A port that somebody else listens at: whoever wants it says so in one line, and ends.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "integration/program.h"

namespace skein {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class TakenPortTest : public ProgramTest {
 protected:
  TakenPortTest() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(socket_, any, size), 0);
    EXPECT_EQ(listen(socket_, 1), 0);
    EXPECT_EQ(getsockname(socket_, any, &size), 0);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~TakenPortTest() override { close(socket_); }

  void ExpectTold(const Outcome& outcome, int code) {
    EXPECT_EQ(outcome.code, code);
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("cannot listen on " + address_),
                                   HasSubstr("the port is in use; choose another address")));
  }

  const int socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::string address_;
};

TEST_F(TakenPortTest, TheControlPlaneLeavesNothingBehind) {
  Write("spec.yaml", "topology: flat:2\nlearner: linear\n");
  ExpectTold(Skein("control --spec spec.yaml --out run --listen " + address_), 2);
  EXPECT_FALSE(std::filesystem::exists(work_ / "run"));
}

TEST_F(TakenPortTest, AControlPlaneForManyRunsMakesNoDirectory) {
  ExpectTold(Skein("control --dir runs --listen " + address_), 2);
  EXPECT_FALSE(std::filesystem::exists(work_ / "runs"));
}

TEST_F(TakenPortTest, AnAggregatorNamesItself) {
  const Outcome outcome =
      Skein("aggregator --id a0 --control 127.0.0.1:1 --log-level off --listen " + address_);
  ExpectTold(outcome, 1);
  EXPECT_THAT(outcome.err, HasSubstr("node a0: "));
}

}  // namespace
}  // namespace skein
