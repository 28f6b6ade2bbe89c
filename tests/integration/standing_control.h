#ifndef SKEIN_TESTS_INTEGRATION_STANDING_CONTROL_H_
#define SKEIN_TESTS_INTEGRATION_STANDING_CONTROL_H_

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <iostream>
#include <set>

#include "control/grpc/runs_client.h"
#include "integration/program.h"

namespace skein {

// A control plane for many runs and nodes around it, all in the background; what is left of them is
// killed at the end.
class StandingControlTest : public ProgramTest {
 protected:
  ~StandingControlTest() override {
    for (const pid_t pid : left_) kill(pid, SIGKILL);
    for (const pid_t pid : left_) waitpid(pid, nullptr, 0);
  }

  // Output of the program goes to work_/NAME.out and .err.
  pid_t Start(const std::string& name, std::vector<std::string> words) {
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    const std::string out = work_ / (name + ".out");
    const std::string err = work_ / (name + ".err");
    const int flags = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_addopen(&files, 1, out.c_str(), flags, 0644);
    posix_spawn_file_actions_addopen(&files, 2, err.c_str(), flags, 0644);
    const pid_t pid = ProgramTest::Start(std::move(words), SKEIN_PROGRAM, &files);
    posix_spawn_file_actions_destroy(&files);
    left_.insert(pid);
    return pid;
  }
  // Its exit code.
  int End(pid_t pid, int signal = 0) {
    if (signal != 0) kill(pid, signal);
    left_.erase(pid);
    return WaitForEnd(pid);
  }

  void StartControl(std::vector<std::string> more = {}) {
    std::vector<std::string> words = {"control",   "--dir",          work_ / "ctl",    "--listen",
                                      control_at_, "--address-file", work_ / "address"};
    words.insert(words.end(), more.begin(), more.end());
    std::filesystem::remove(work_ / "address");
    control_ = Start("control", std::move(words));
    control_at_ = AwaitAddress();  // the same for the next one
    setenv("SKEIN_CONTROL", control_at_.c_str(), 1);
  }
  pid_t StartWorker(const std::string& id) {
    return Start(id, {"worker", "--id", id, "--control", control_at_});
  }
  pid_t StartAggregator(const std::string& id, const std::string& listen = "127.0.0.1:0") {
    return Start(id, {"aggregator", "--id", id, "--control", control_at_, "--listen", listen});
  }
  // The nodes of flat:2.
  void StartNodes() {
    StartAggregator("root");
    StartWorker("w0");
    StartWorker("w1");
  }

  // A run's id.
  std::string Submit(const std::string& arguments) {
    const Outcome outcome = Skein("submit " + arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.out.substr(0, outcome.out.find('\n'));
  }
  // The run, once its status is `status` and its reason, or why it waits, has `text`. Asked for
  // without the program, which takes a while to start.
  RunInfo Await(const std::string& run, const std::string& status, const std::string& text = "") {
    const auto client = MakeRunsClient(control_at_).value();
    RunInfo last;
    for (int tries = 0;; ++tries) {
      const auto runs = client->List();
      for (const RunInfo& info : runs.ok() ? *runs : std::vector<RunInfo>()) {
        if (info.record.run_id == run) last = info;
      }
      const std::string why = last.waits + last.record.reason;
      if (last.record.status == status && why.find(text) != why.npos) return last;
      if (tries > 0 && tries % 10'000 == 0) {
        std::cerr << run << " is " << last.record.status << ": " << why << std::endl;
      }
      std::this_thread::yield();
    }
  }
  std::string FileOf(const std::string& run, const std::string& file) const {
    return ReadAll(work_ / ("ctl/runs/" + run + "/" + file));
  }

  pid_t control_ = -1;
  std::string control_at_ = "127.0.0.1:0";
  std::set<pid_t> left_;
};

// A port that nobody has right now.
inline std::string FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  close(fd);
  return std::to_string(ntohs(address.sin_port));
}

}  // namespace skein

#endif  // SKEIN_TESTS_INTEGRATION_STANDING_CONTROL_H_
