// JSON is a subset of YAML 1.2: topology files may be written by any program that writes JSON.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "skein/topology/builders.h"
#include "skein/topology/topology.h"

namespace skein {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Topology Read(const std::string& json) {
  auto topology = ParseTopologyYaml(json, "t.json");
  EXPECT_TRUE(topology.ok()) << topology.status() << "\n" << json;
  return topology.ok() ? *std::move(topology) : Topology();
}

std::string Refusal(const std::string& json) {
  const auto topology = ParseTopologyYaml(json, "t.json");
  EXPECT_EQ(topology.status().code(), absl::StatusCode::kInvalidArgument) << json;
  const std::string message = Message(topology.status());
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  return message;
}

// As a program writes it: no blanks at all.
constexpr char kOurs[] =
    R"({"nodes":[{"id":"hq","role":"coordinator"},)"
    R"({"id":"berlin","role":"aggregator","parent":"hq","attributes":{"region":"eu"}},)"
    R"({"id":"lab-1","role":"worker","parent":"berlin","attributes":)"
    R"({"cores":8,"idle":0.25,"gpu":false,"tags":["a","b"],"at":{"x":-1e-3},"note":null}},)"
    R"({"id":"robot","role":"worker","parent":"hq"}]})";

void ExpectOurs(const Topology& topology) {
  ASSERT_EQ(topology.nodes().size(), 4u);
  EXPECT_EQ(topology.root().id, "hq");
  EXPECT_EQ(topology.node(1).attributes, (ValueMap{{"region", "eu"}}));
  ASSERT_EQ(topology.num_workers(), 2u);
  EXPECT_EQ(topology.worker(0).attributes, (ValueMap{{"cores", 8},
                                                     {"idle", 0.25},
                                                     {"gpu", false},
                                                     {"tags", ValueList{"a", "b"}},
                                                     {"at", ValueMap{{"x", -1e-3}}},
                                                     {"note", Value()}}));
}

TEST(TopologyJson, OurFormIsRead) { ExpectOurs(Read(kOurs)); }

// The same, one value a line, indented by `indent` and with `newline` at the ends of lines.
std::string Indented(const std::string& json, const std::string& indent,
                     const std::string& newline) {
  std::string out;
  std::string margin = newline;
  for (const char c : json) {
    if (c == '}' || c == ']') margin.resize(margin.size() - indent.size());
    if (c == '}' || c == ']') out += margin;
    out += c;
    if (c == '{' || c == '[') margin += indent;
    if (c == '{' || c == '[' || c == ',') out += margin;
    if (c == ':') out += ' ';
  }
  return out + newline;
}

TEST(TopologyJson, IndentationMayBeTabsAndLinesMayEndAsOnWindows) {
  for (const char* indent : {"  ", "\t", "\t ", ""}) {
    for (const char* newline : {"\n", "\r\n"}) ExpectOurs(Read(Indented(kOurs, indent, newline)));
  }
}

TEST(TopologyJson, FlightsFormIsRead) {
  const Topology topology = Read(
      "{\n\t\"0\": {\"kind\": \"leader\", \"children\": [\"1\", \"2\"],\n"
      "\t\t\"globus_compute_endpoint\": null},\n"
      "\t\"1\": {\"kind\": \"worker\", \"children\": [], \"site\": \"lab\"},\n"
      "\t\"2\": {\"kind\": \"worker\"}\n}\n");
  ASSERT_EQ(topology.num_workers(), 2u);
  EXPECT_EQ(topology.root().id, "0");
  EXPECT_EQ(topology.worker(0).attributes, (ValueMap{{"site", "lab"}}));
}

TEST(TopologyJson, EscapesAreThoseOfJson) {
  const auto text_of = [](const std::string& escaped) {
    const Topology topology =
        Read(R"({"nodes":[{"id":"r","role":"coordinator","attributes":{"t":")" + escaped +
             R"("}},{"id":"w","role":"worker","parent":"r"}]})");
    if (topology.nodes().empty()) return std::string();
    const auto it = topology.root().attributes.find("t");
    return it == topology.root().attributes.end() ? std::string() : *it->second.AsString();
  };
  EXPECT_EQ(text_of(R"(\" \\ \/ \b \f \n \r \t)"), "\" \\ / \b \f \n \r \t");
  EXPECT_EQ(text_of(R"(M\u00fcnchen \u4eac)"), "München 京");
  EXPECT_EQ(text_of(R"(\ud83d\ude00!)"), "😀!") << "a surrogate pair is one character";
  EXPECT_EQ(text_of("München: {not, a} # comment"), "München: {not, a} # comment");
  EXPECT_EQ(text_of("true"), "true");
  EXPECT_EQ(text_of("12"), "12");
}

TEST(TopologyJson, IdsMayBeEscapedToo) {
  const Topology topology = Read(R"({"nodes":[{"id":"z\u00fcrich","role":"coordinator"},)"
                                 R"({"id":"w","role":"worker","parent":"zürich"}]})");
  EXPECT_EQ(topology.root().id, "zürich");
}

TEST(TopologyJson, ErrorsNameLineAndColumn) {
  EXPECT_EQ(Refusal("{\"nodes\": [\n\t{\"id\": \"r\", \"rol\": \"coordinator\"}]}"),
            "t.json:2:14: node: unknown key 'rol'; did you mean 'role'?");
  EXPECT_EQ(Refusal("{\"nodes\": [\n  {\"id\": \"r\", \"role\": \"cordinator\"}]}"),
            "t.json:2:23: role: unknown role 'cordinator'; did you mean 'coordinator'?");
  EXPECT_THAT(
      Refusal("{\"nodes\": [\n  {\"id\": \"r\",\n   \"role\": \"coordinator\",\n"
              "   \"id\": \"s\"}]}"),
      AllOf(StartsWith("t.json:4:4: the key 'id' stands here a second time"), HasSubstr("line 2")));
  EXPECT_THAT(Refusal("{\"r\": {\"kind\": \"leader\", \"children\": [\"w\"]},\n"
                      " \"w\": {\"kind\": \"worker\"},\n \"r\": {\"kind\": \"worker\"}}"),
              StartsWith("t.json:3:2: the key 'r' stands here a second time"));
  EXPECT_THAT(Refusal("{\"r\": {\"kind\": \"leader\", \"children\": [\"v\"]},\n"
                      " \"w\": {\"kind\": \"worker\"}}"),
              StartsWith("t.json:1:39: node 'r' has the child 'v', which is not listed"));
  EXPECT_THAT(Refusal("[1, 2]"), StartsWith("t.json:1:1: expected a topology"));
  EXPECT_THAT(Refusal("{\"nodes\": {\"id\": \"r\"}}"), StartsWith("t.json:1:11: "));
}

TEST(TopologyJson, ColumnsAreThoseOfTheFileBehindASurrogatePair) {
  EXPECT_THAT(Refusal(R"({"nodes": [{"id": "\ud83d\ude00\uD83D\uDE00", "rol": "worker"}]})"),
              StartsWith("t.json:1:47: node: unknown key 'rol'"));
  EXPECT_THAT(Refusal("{\"nodes\": [{\"id\": \"\\ud83d\\ude00\",\n  \"rol\": \"worker\"}]}"),
              StartsWith("t.json:2:3: node: unknown key 'rol'"));
}

TEST(TopologyJson, MalformedTextIsRefusedWithAPlace) {
  const std::string whole = kOurs;
  for (const size_t length : {1u, 9u, 10u, 30u, 100u}) {
    EXPECT_THAT(Refusal(whole.substr(0, length)), StartsWith("t.json:")) << length;
  }
  EXPECT_THAT(Refusal(whole + "}"), StartsWith("t.json:"));
  EXPECT_THAT(Refusal(R"({"nodes": [{"id": "\uZZZZ", "role": "worker"}]})"),
              StartsWith("t.json:1:"));
  EXPECT_THAT(Refusal(R"({"nodes": [{"id": "\ud83d", "role": "worker"}]})"),
              StartsWith("t.json:1:"));
  EXPECT_THAT(Refusal(R"({"nodes": [{"id": "\ude00\ud83d", "role": "worker"}]})"),
              StartsWith("t.json:1:"));
  EXPECT_THAT(Refusal("{\"nodes\": [{\"id\": \"a\\q\", \"role\": \"worker\"}]}"),
              StartsWith("t.json:1:"));
}

TEST(TopologyJson, LargeDocumentsAreRead) {
  const auto tree = TreeByFanOut({20, 500});
  ASSERT_TRUE(tree.ok());
  std::string ours = "{\"nodes\":[";
  std::string flights = "{";
  for (const TopologyNode& node : tree->nodes()) {
    if (node.parent) ours += ',';
    ours += "{\"id\":\"" + node.id + "\",\"role\":\"" + NameOf(node.role) + '"';
    if (node.parent) ours += ",\"parent\":\"" + tree->node(*node.parent).id + '"';
    ours += '}';
    if (node.parent) flights += ',';
    const char* kind = node.parent ? NameOf(node.role) : "leader";
    flights += '"' + node.id + "\":{\"kind\":\"" + kind + "\",\"children\":[";
    for (const size_t child : node.children) {
      if (child != node.children.front()) flights += ',';
      flights += '"' + tree->node(child).id + '"';
    }
    flights += "]}";
  }
  EXPECT_EQ(Read(ours + "]}"), *tree);
  EXPECT_EQ(Read(flights + "}"), *tree);
}

}  // namespace
}  // namespace skein
