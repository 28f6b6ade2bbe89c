#ifndef SKEIN_TESTS_INTEGRATION_PROGRAM_H_
#define SKEIN_TESTS_INTEGRATION_PROGRAM_H_

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/federation/temp_dir.h"

namespace skein {

// Whether the memory that a program takes says anything.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kMeasuresMemory = false;  // what is freed is kept back, to find its use
#else
inline constexpr bool kMeasuresMemory = true;
#endif

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

// A directory to run a program of ours in, from outside as a user would.
class ProgramTest : public ::testing::Test {
 protected:
  // `arguments` are for the shell and may redirect.
  Outcome Run(const std::string& program, const std::string& arguments) {
    const std::string command = "cd '" + work_.path() + "' && '" + program + "' >'" +
                                (streams_ / "out") + "' 2>'" + (streams_ / "err") +
                                "' </dev/null " + arguments;
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, ReadAll(streams_ / "out"),
            ReadAll(streams_ / "err")};
  }
  Outcome Skein(const std::string& arguments) { return Run(SKEIN_PROGRAM, arguments); }

  // The program with these arguments, in the background; `files`, if any, are its own.
  static pid_t Start(std::vector<std::string> words, const std::string& program = SKEIN_PROGRAM,
                     const posix_spawn_file_actions_t* files = nullptr) {
    words.insert(words.begin(), program);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_t pid = -1;
    EXPECT_EQ(posix_spawn(&pid, program.c_str(), files, nullptr, argv.data(), environ), 0);
    return pid;
  }
  // `skein run spec.yaml --out run --quiet` and more, in the background.
  pid_t StartRun(const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {"run", work_ / "spec.yaml", "--out", work_ / "run",
                                      "--quiet"};
    words.insert(words.end(), more.begin(), more.end());
    return Start(std::move(words));
  }
  // What a control plane that was started with `--address-file work_/address` writes there.
  std::string AwaitAddress() const {
    std::string address;
    while (address.empty() || address.back() != '\n') address = ReadAll(work_ / "address");
    address.pop_back();
    return address;
  }
  // The first event of the run in the background that has all of `words`; "" if it ended before.
  std::string WaitForEvent(pid_t run, const std::vector<std::string>& words) {
    for (bool alive = true;;) {
      for (const std::string& line : Events()) {
        const bool found = std::all_of(words.begin(), words.end(), [&](const std::string& word) {
          return line.find(word) != std::string::npos;
        });
        if (found) return line;
      }
      if (!alive) return "";
      siginfo_t info{};
      alive = waitid(P_PID, static_cast<id_t>(run), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
              info.si_pid == 0;
      std::this_thread::yield();
    }
  }
  // The exit code of the run in the background; -1 if it did not exit by itself.
  static int WaitForEnd(pid_t run) {
    int status = 0;
    EXPECT_EQ(waitpid(run, &status, 0), run);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  // The lines of run/events.jsonl so far.
  std::vector<std::string> Events() const {
    std::istringstream file(ReadAll(work_ / "run/events.jsonl"));
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
  std::string Result() const { return ReadAll(work_ / "run/result.json"); }

  void Write(const std::string& name, const std::string& content) {
    WriteAll(work_ / name, content);
  }

  TempDir work_;
  TempDir streams_;
};

}  // namespace skein

#endif  // SKEIN_TESTS_INTEGRATION_PROGRAM_H_
