#include "launch/local_processes.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "unit/federation/temp_dir.h"

namespace skein {
namespace {

using testing::HasSubstr;

constexpr Duration kLong = std::chrono::seconds(30);

ProcessSpec Shell(const std::string& script, const std::string& log = "/dev/null") {
  return {"child", {"/bin/sh", "-c", script}, log};
}

TEST(LocalProcesses, ReportsTheExitCode) {
  LocalProcesses processes;
  const auto pid = processes.Start(Shell("exit 7"));
  ASSERT_TRUE(pid.ok()) << pid.status();
  const auto ended = processes.WaitAll(kLong);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].pid, *pid);
  EXPECT_EQ(ended[0].code, 7);
  EXPECT_FALSE(ended[0].ok());
  EXPECT_THAT(ended[0].ToString(), HasSubstr("exited with code 7"));
  EXPECT_EQ(processes.running(), 0u);
}

TEST(LocalProcesses, ReportsTheSignal) {
  LocalProcesses processes;
  ASSERT_TRUE(processes.Start(Shell("kill -9 $$")).ok());
  const auto ended = processes.WaitAll(kLong);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].signal, SIGKILL);
  EXPECT_FALSE(ended[0].ok());
}

TEST(LocalProcesses, PutsBothStreamsIntoTheLog) {
  TempDir temp;
  LocalProcesses processes;
  ASSERT_TRUE(processes.Start(Shell("echo out; echo err >&2", temp / "log")).ok());
  processes.WaitAll(kLong);
  EXPECT_EQ(ReadAll(temp / "log"), "out\nerr\n");
}

TEST(LocalProcesses, SaysWhyAProgramCannotStart) {
  LocalProcesses processes;
  const auto pid = processes.Start({"ghost", {"/nonexistent/program"}, "/dev/null"});
  ASSERT_FALSE(pid.ok());
  EXPECT_THAT(Message(pid.status()), HasSubstr("ghost"));
  EXPECT_THAT(Message(pid.status()), HasSubstr("No such file"));
  EXPECT_EQ(processes.running(), 0u);
}

TEST(LocalProcesses, WaitReturnsNothingWhenTimeIsUp) {
  LocalProcesses processes;
  ASSERT_TRUE(processes.Start(Shell("exec sleep 1000")).ok());
  EXPECT_TRUE(processes.Wait(Duration::zero()).empty());
  EXPECT_EQ(processes.running(), 1u);
  processes.SignalAll(SIGKILL);
  EXPECT_EQ(processes.WaitAll(kLong).size(), 1u);
}

TEST(LocalProcesses, ChildrenHaveTheirOwnGroupAndNoBlockedSignals) {
  sigset_t mask, old;
  sigemptyset(&mask);
  sigaddset(&mask, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &mask, &old);
  LocalProcesses processes;
  const auto pid = processes.Start(Shell("exec sleep 1000"));
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  ASSERT_TRUE(pid.ok());
  EXPECT_EQ(getpgid(*pid), *pid);
  processes.Signal(*pid, SIGTERM);
  const auto ended = processes.WaitAll(kLong);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].signal, SIGTERM);
}

TEST(LocalProcesses, PassesOnADescriptor) {
  int fds[2];
  ASSERT_EQ(pipe2(fds, O_CLOEXEC), 0);
  LocalProcesses processes;
  ASSERT_TRUE(processes.Start(Shell("echo hi > /dev/fd/" + std::to_string(fds[1])), fds[1]).ok());
  close(fds[1]);
  char buffer[8] = {};
  EXPECT_EQ(read(fds[0], buffer, sizeof(buffer)), 3);
  EXPECT_STREQ(buffer, "hi\n");
  EXPECT_EQ(read(fds[0], buffer, sizeof(buffer)), 0);
  close(fds[0]);
}

TEST(LocalProcesses, NothingOutlivesALauncherThatIsKilled) {
  // The grandchild holds the pipe's other end: it reads as closed once the grandchild is gone.
  int fds[2];
  ASSERT_EQ(pipe2(fds, O_CLOEXEC), 0);
  const pid_t launcher = fork();
  ASSERT_GE(launcher, 0);
  if (launcher == 0) {
    LocalProcesses processes;
    if (!processes
             .Start(Shell("echo up > /dev/fd/" + std::to_string(fds[1]) + "; exec sleep 1000"),
                    fds[1])
             .ok()) {
      _exit(1);
    }
    while (true) pause();
  }
  close(fds[1]);
  char buffer[8];
  ASSERT_EQ(read(fds[0], buffer, sizeof(buffer)), 3);
  kill(launcher, SIGKILL);
  ASSERT_EQ(waitpid(launcher, nullptr, 0), launcher);
  pollfd closed{fds[0], POLLIN, 0};
  EXPECT_EQ(poll(&closed, 1, 30'000), 1) << "the grandchild still runs";
  EXPECT_EQ(read(fds[0], buffer, sizeof(buffer)), 0);
  close(fds[0]);
}

TEST(ThisProgram, IsTheRunningOne) {
  const auto program = ThisProgram();
  ASSERT_TRUE(program.ok());
  EXPECT_THAT(*program, testing::EndsWith("launch_test"));
}

}  // namespace
}  // namespace skein
