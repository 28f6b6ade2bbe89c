#include "topology/yaml_override.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "topology/yaml_writer.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

std::string WordKeyForTest(const std::string& path) { return path == "policy" ? "name" : ""; }

absl::StatusOr<YamlDocument> Set(const std::string& yaml, const std::string& path,
                                 const std::string& value) {
  return Override(*YamlDocument::Parse(yaml, "f.yaml"), path, value, WordKeyForTest);
}

std::string Result(const std::string& yaml, const std::string& path, const std::string& value) {
  const auto document = Set(yaml, path, value);
  if (!document.ok()) return "error: " + Message(document.status());
  return ToFlowYaml(*ToValue(*document, document->root()));
}

TEST(Override, ReplacesAddsAndDescends) {
  EXPECT_EQ(Result("a: 1\n", "a", "2"), "{a: 2}");
  EXPECT_EQ(Result("a: 1\n", "b", "x"), "{a: 1, b: x}");
  EXPECT_EQ(Result("a: {b: {c: 1}}\n", "a.b.c", "true"), "{a: {b: {c: true}}}");
  EXPECT_EQ(Result("a: 1\n", "b.c.d", "2"), "{a: 1, b: {c: {d: 2}}}");
  EXPECT_EQ(Result("a: ~\n", "a.b", "2"), "{a: {b: 2}}");
  EXPECT_EQ(Result("", "a", "[1, {b: c}]"), "{a: [1, {b: c}]}");
  EXPECT_EQ(Result("a: 1\n", "a", ""), "{a: null}");
}

TEST(Override, IndexesLists) {
  EXPECT_EQ(Result("a: [1, 2]\n", "a.1", "9"), "{a: [1, 9]}");
  EXPECT_EQ(Result("a: [1, 2]\n", "a.2", "9"), "{a: [1, 2, 9]}");
  EXPECT_EQ(Result("a: [{b: 1}]\n", "a.0.c", "9"), "{a: [{b: 1, c: 9}]}");
  EXPECT_EQ(Result("x: 1\n", "a.0.k", "9"), "{a: [{k: 9}], x: 1}");
  EXPECT_EQ(Result("a: [1]\n", "a.3", "9"),
            "error: --set a.3=9: 'a' is a list of 1: '3' is no index from 0 to 1");
  EXPECT_THAT(Result("a: [1]\n", "a.first", "9"), HasSubstr("'first' is no index"));
  EXPECT_THAT(Result("a: [1]\n", "a.-1", "9"), HasSubstr("'-1' is no index"));
}

TEST(Override, MakesAWordAMapWhereItIsAName) {
  EXPECT_EQ(Result("policy: quorum\n", "policy.deadline_s", "3"),
            "{policy: {deadline_s: 3, name: quorum}}");
  EXPECT_EQ(Result("rounds: 5\n", "rounds.deep", "3"),
            "error: --set rounds.deep=3: 'rounds' is '5' and has nothing below it");
}

TEST(Override, ChangesOneUseOfAnAliasOnly) {
  EXPECT_EQ(Result("a: &x {k: 1}\nb: *x\n", "b.k", "2"), "{a: {k: 1}, b: {k: 2}}");
}

TEST(Override, IsWhereErrorsOfItsValueStand) {
  const auto document = Set("a: 1\n", "b.c", "[x]");
  ASSERT_TRUE(document.ok()) << document.status();
  const YamlNode& list = *document->root().Find("b")->Find("c");
  EXPECT_EQ(document->Where(list.mark), "--set b.c=[x]");
  EXPECT_EQ(document->Where(list.entries[0].value->mark), "--set b.c=[x]");
  EXPECT_EQ(document->Where(document->root().Find("a")->mark), "f.yaml:1:4");
}

TEST(Override, RefusesBadPathsAndValues) {
  EXPECT_THAT(Result("a: 1\n", "", "1"), HasSubstr("write a path of words"));
  EXPECT_THAT(Result("a: 1\n", "a..b", "1"), HasSubstr("write a path of words"));
  EXPECT_THAT(Result("a: 1\n", ".a", "1"), HasSubstr("write a path of words"));
  EXPECT_THAT(Result("a: 1\n", "a", "[1"), HasSubstr("--set a=[1:1:"));
  std::string path = "p";
  for (int i = 0; i < 30; ++i) path += ".p";
  EXPECT_THAT(Result("a: 1\n", path, "1"), HasSubstr("too many parts"));
  EXPECT_THAT(Result("a: 1\n", "b.c", std::string(23, '[') + std::string(23, ']')),
              HasSubstr("nested too deep"));
}

}  // namespace
}  // namespace skein
