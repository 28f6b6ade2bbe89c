// What docs/run_spec.md, docs/topology.md and the examples show is what is read.

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "capped_fedavg.h"
#include "every_nth.h"
#include "skein/builtins/codecs.h"
#include "skein/builtins/strategies.h"
#include "skein/federation/run_spec.h"
#include "skein/topology/stats.h"
#include "skein/topology/transfer_time.h"

namespace skein {
namespace {

std::string Text(const std::string& document = "run_spec.md") {
  std::ifstream file(SKEIN_SOURCE_DIR "/docs/" + document);
  EXPECT_TRUE(file) << "no docs/" << document;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The examples whose first line is `# kind`.
std::vector<std::string> Examples(const std::string& kind,
                                  const std::string& document = "run_spec.md") {
  const std::string begin = "```yaml\n# " + kind + "\n";
  const std::string text = Text(document);
  std::vector<std::string> examples;
  for (size_t at = text.find(begin); at != text.npos; at = text.find(begin, at)) {
    at += begin.size();
    examples.push_back(text.substr(at, text.find("```", at) - at));
  }
  return examples;
}

Registries DocumentedRegistries() {
  Registries registries;
  RegisterBuiltinStrategies(registries.strategies);
  RegisterBuiltinCodecs(registries.strategies.codecs);
  RegisterBuiltinSteering(registries.steering);
  const LearnerFactory factory = [](const WorkerContext&) {
    return absl::StatusOr<std::unique_ptr<Learner>>(absl::UnimplementedError("never made"));
  };
  for (const char* name : {"linear", "fashion-cnn", "rings", "circle"}) {
    EXPECT_TRUE(registries.learners.Register(name, factory).ok());
  }
  return registries;
}

TEST(RunSpecDocument, ShowsSpecsThatAreRead) {
  std::vector<std::string> examples = Examples("spec");
  ASSERT_EQ(examples.size(), 10u);
  const std::vector<std::string> robust = Examples("spec", "strategies/robust.md");
  ASSERT_EQ(robust.size(), 5u);
  examples.insert(examples.end(), robust.begin(), robust.end());
  const std::vector<std::string> averages = Examples("spec", "strategies/averaging.md");
  ASSERT_EQ(averages.size(), 2u);
  examples.insert(examples.end(), averages.begin(), averages.end());
  const std::vector<std::string> codecs = Examples("spec", "strategies/codecs.md");
  ASSERT_EQ(codecs.size(), 1u);
  examples.insert(examples.end(), codecs.begin(), codecs.end());
  for (const std::string& yaml : examples) {
    const auto spec = ParseRunSpec(yaml, "spec.yaml", ".", {}, DocumentedRegistries());
    EXPECT_TRUE(spec.ok()) << spec.status() << "\n" << yaml;
  }
}

TEST(SelectorsDocument, ShowsSpecsThatAreRead) {
  const std::vector<std::string> examples = Examples("spec", "strategies/selectors.md");
  ASSERT_EQ(examples.size(), 2u);
  for (const std::string& yaml : examples) {
    const auto spec = ParseRunSpec(yaml, "spec.yaml", ".", {}, DocumentedRegistries());
    EXPECT_TRUE(spec.ok()) << spec.status() << "\n" << yaml;
  }
}

// What the page says of an expression that cannot be read is what is said.
TEST(SelectorsDocument, ShowsTheErrorThatThereIs) {
  const auto spec = ParseRunSpec(
      "topology: flat:8\nlearner: linear\nrounds: 3\nstrategy:\n"
      "  selector: {name: where, expression: 'region = eu'}\n",
      "spec.yaml", ".", {}, DocumentedRegistries());
  ASSERT_FALSE(spec.ok());
  EXPECT_NE(Text("strategies/selectors.md").find(Message(spec.status())), std::string::npos)
      << spec.status();
}

TEST(RunSpecDocument, ShowsTopologiesThatAreRead) {
  const std::vector<std::string> examples = Examples("topology");
  ASSERT_EQ(examples.size(), 2u);
  for (const std::string& yaml : examples) {
    const auto topology = ParseTopologyYaml(yaml, "topology.yaml");
    ASSERT_TRUE(topology.ok()) << topology.status() << "\n" << yaml;
    EXPECT_EQ(topology->num_workers(), 3u);
  }
}

TEST(TopologyDocument, ShowsTopologiesThatAreReadAndTheirTimes) {
  const std::vector<std::string> examples = Examples("topology", "topology.md");
  ASSERT_EQ(examples.size(), 3u);
  std::vector<Topology> read;
  for (const std::string& yaml : examples) {
    auto topology = ParseTopologyYaml(yaml, "topology.yaml");
    ASSERT_TRUE(topology.ok()) << topology.status() << "\n" << yaml;
    read.push_back(*std::move(topology));
  }
  // The last one's, of a million parameters, which is the command's default.
  const auto regions = RegionsOf(read[2]);
  const auto links = LinksOf(read[2]);
  ASSERT_TRUE(regions.ok() && links.ok());
  const RegionTraffic traffic = BetweenRegions(read[2], *regions, 1'000'000);
  const TransferTime time = TransfersOf(read[2], *links, 1'000'000);
  char lines[256];
  std::snprintf(lines, sizeof(lines),
                "between regions %.2f MB, flat %.2f MB (%+.1f%%)\n"
                "transfers of a round take %.3f s by the links' attributes: %.3f down, %.3f up\n",
                static_cast<double>(traffic.bytes) / 1e6,
                static_cast<double>(traffic.flat_bytes) / 1e6,
                100 * (static_cast<double>(traffic.bytes) / traffic.flat_bytes - 1), time.round_s(),
                time.down_s, time.up_s);
  EXPECT_NE(Text("topology.md").find(lines), std::string::npos) << lines;
}

TEST(RunSpecDocument, ShowsOverridesThatApply) {
  const std::string longer = Examples("spec").at(1);
  const auto spec = ParseRunSpec(longer, "spec.yaml", ".",
                                 {.set = {{"rounds", "5"},
                                          {"strategy.policy.deadline_s", "3"},
                                          {"strategy.tiers.0.kappa", "2"},
                                          {"data", "{partition: iid}"}}},
                                 DocumentedRegistries());
  EXPECT_TRUE(spec.ok()) << spec.status();
}

TEST(Examples, AreRead) {
  Registries registries = DocumentedRegistries();
  ASSERT_TRUE(RegisterEveryNth(registries.strategies).ok());
  ASSERT_TRUE(RegisterCappedFedAvg(registries.strategies).ok());
  int specs = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(SKEIN_SOURCE_DIR "/examples")) {
    if (entry.path().extension() != ".yaml") continue;
    if (entry.path().parent_path().filename() == "topologies") continue;
    const auto spec = ReadRunSpec(entry.path().string(), {}, registries);
    EXPECT_TRUE(spec.ok()) << spec.status();
    ++specs;
  }
  EXPECT_GE(specs, 6);
}

TEST(Examples, TopologiesAreReadAndListed) {
  const std::filesystem::path folder = SKEIN_SOURCE_DIR "/examples/topologies";
  std::ifstream file(folder / "README.md");
  std::stringstream list;
  list << file.rdbuf();
  int topologies = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name == "README.md") continue;
    EXPECT_NE(list.str().find("`" + name + "`"), std::string::npos) << name;
    if (entry.path().extension() != ".yaml") continue;
    const auto topology = ReadTopologyFile(entry.path().string());
    EXPECT_TRUE(topology.ok()) << topology.status();
    ++topologies;
  }
  EXPECT_GE(topologies, 4);
}

// Every part and parameter that ships is named, in backquotes, in the page on specs or in one of
// those on strategies.
TEST(RunSpecDocument, NamesEveryPartAndParameter) {
  std::string text = Text();
  for (const auto& page :
       std::filesystem::directory_iterator(SKEIN_SOURCE_DIR "/docs/strategies")) {
    if (page.path().extension() != ".md") continue;
    text += Text("strategies/" + page.path().filename().string());
  }
  const Registries registries = DocumentedRegistries();
  const auto check = [&](const auto& registry) {
    for (const std::string& name : registry.Names()) {
      EXPECT_NE(text.find("`" + name + "`"), text.npos) << name;
      for (const ParamSpec& param : registry.Find(name)->schema.specs()) {
        EXPECT_NE(text.find("`" + param.name + "`"), text.npos) << name << " " << param.name;
      }
    }
  };
  check(registries.strategies.folds);
  check(registries.strategies.optimizers);
  check(registries.strategies.selectors);
  check(registries.strategies.terms);
  check(registries.strategies.policies);
  check(registries.strategies.staleness);
  check(registries.strategies.mixing);
  check(registries.strategies.filters);
  check(registries.steering);
}

}  // namespace
}  // namespace skein
