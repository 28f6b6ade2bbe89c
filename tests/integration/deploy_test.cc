// The commands of docs/deploy.md, with its machines' names replaced by this one's.
#include "integration/standing_control.h"

namespace skein {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class DeployTest : public StandingControlTest {
 protected:
  // The block of the page after `<!-- deploy: NAME -->`, on this machine.
  std::string Block(const std::string& name) const {
    const std::string page = ReadAll(DEPLOY_PAGE);
    const size_t marker = page.find("<!-- deploy: " + name + " -->");
    EXPECT_NE(marker, page.npos) << name;
    const size_t begin = page.find('\n', page.find("```", marker)) + 1;
    std::string block = page.substr(begin, page.find("```", begin) - begin);
    for (const auto& [place, here] : places_) {
      for (size_t at; (at = block.find(place)) != block.npos;)
        block.replace(at, place.size(), here);
    }
    return block;
  }
  // Its lines, each as a command in the background.
  std::vector<pid_t> StartLines(const std::string& name) {
    std::vector<pid_t> pids;
    std::istringstream lines(Block(name));
    for (std::string line; std::getline(lines, line);) {
      std::istringstream text(line);
      std::vector<std::string> words;
      for (std::string word; text >> word;) words.push_back(word);
      EXPECT_EQ(words.at(0), "skein");
      words.erase(words.begin());
      pids.push_back(Start(name + std::to_string(pids.size()), words));
    }
    return pids;
  }

  const std::vector<std::pair<std::string, std::string>> places_ = {
      {"cloud.example:7400", "127.0.0.1:" + FreePort()},
      {"cloud.example:7401", "127.0.0.1:" + FreePort()},
      {"site-a.example:7401", "127.0.0.1:" + FreePort()},
      {"site-b.example:7401", "127.0.0.1:" + FreePort()},
      {"--dir skein-control", "--dir " + (work_ / "skein-control")},
      {"--out models", "--out " + (work_ / "models")}};
};

TEST_F(DeployTest, ThePageIsRight) {
  std::vector<pid_t> nodes = StartLines("nodes");  // before anybody that they could find
  ASSERT_EQ(nodes.size(), 5u);
  const std::vector<pid_t> control = StartLines("control");
  ASSERT_EQ(control.size(), 1u);
  while (ReadAll(work_ / "control0.err").find("listens on") == std::string::npos) {
    std::this_thread::yield();
  }
  Write("run.yaml", Block("run.yaml"));
  Write("runs.sh", "set -e\nskein() { " SKEIN_PROGRAM " \"$@\"; }\n" + Block("runs"));
  const Outcome outcome = Run("/bin/bash", "runs.sh");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("night-"), HasSubstr("round 3/3"),
                                 HasSubstr("completed"), HasSubstr("evaluated")));
  const std::string id = outcome.out.substr(0, outcome.out.find('\n'));
  EXPECT_EQ(Skein("run run.yaml --quiet --out alone").code, 0);
  EXPECT_EQ(ReadAll(work_ / ("models/" + id + "/model.safetensors")),
            ReadAll(work_ / "alone/model.safetensors"));
  for (const pid_t node : nodes) EXPECT_EQ(End(node, SIGTERM), 0);
  EXPECT_EQ(End(control[0], SIGTERM), 0);
}

}  // namespace
}  // namespace skein
