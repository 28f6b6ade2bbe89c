#include "skein/observe/json_lines.h"

#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace skein {
namespace {

std::string FreshPath(const std::string& name) {
  const std::string path = testing::TempDir() + "skein_json_lines_" + name;
  std::filesystem::remove(path);
  return path;
}

std::string Read(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(JsonLinesSink, EachEventIsOnDiskAtOnce) {
  const std::string path = FreshPath("flush");
  auto sink = JsonLinesSink::Create(path);
  ASSERT_TRUE(sink.ok());
  const Event event{1, event::kRoundOpened, 2, "", {}};
  (*sink)->OnEvent(event);
  EXPECT_EQ(Read(path), ToJsonLine(event) + "\n");
  (*sink)->OnEvent(event);
  EXPECT_EQ(Read(path), ToJsonLine(event) + "\n" + ToJsonLine(event) + "\n");
  EXPECT_TRUE((*sink)->status().ok());
}

TEST(JsonLinesSink, RefusesAnExistingFile) {
  const std::string path = FreshPath("exists");
  std::ofstream(path) << "precious";
  EXPECT_EQ(JsonLinesSink::Create(path).status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Read(path), "precious");
}

TEST(JsonLinesSink, NamesTheFileItCannotCreate) {
  const auto sink = JsonLinesSink::Create("/nonexistent/events.jsonl");
  ASSERT_EQ(sink.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(sink.status().ToString().find("/nonexistent/events.jsonl"), std::string::npos);
}

TEST(JsonLinesSink, KeepsTheFirstWriteError) {
  auto sink = JsonLinesSink::Create(FreshPath("full"));
  ASSERT_TRUE(sink.ok());
  // A limit on the size of files stands for a full disk.
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit tiny{10, old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tiny), 0);
  (*sink)->OnEvent({1, event::kRoundOpened, 2, "", {}});
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ((*sink)->status().code(), absl::StatusCode::kUnavailable);
  (*sink)->OnEvent({1, event::kRoundOpened, 2, "", {}});
  EXPECT_FALSE((*sink)->status().ok());
}

}  // namespace
}  // namespace skein
