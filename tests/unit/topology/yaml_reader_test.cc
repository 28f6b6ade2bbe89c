#include "topology/yaml_reader.h"

#include <cmath>
#include <fstream>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/names.h"
#include "skein/base/status.h"
#include "support/iterations.h"
#include "topology/yaml_fields.h"
#include "topology/yaml_writer.h"

namespace skein {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Refusal(const std::string& yaml) {
  const auto document = YamlDocument::Parse(yaml, "f.yaml");
  EXPECT_EQ(document.status().code(), absl::StatusCode::kInvalidArgument);
  const std::string message = Message(document.status());
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  EXPECT_LT(message.size(), 300u);
  return message;
}

Value Read(const std::string& yaml) {
  const auto document = YamlDocument::Parse(yaml, "f.yaml");
  if (!document.ok()) return Value("error: " + Message(document.status()));
  const auto value = ToValue(*document, document->root());
  return value.ok() ? *value : Value("error: " + Message(value.status()));
}

TEST(Scalars, FollowTheCoreSchema) {
  for (const char* text : {"", "~", "null", "Null", "NULL"}) EXPECT_EQ(Read(text), Value()) << text;
  for (const char* text : {"true", "True", "TRUE"}) EXPECT_EQ(Read(text), Value(true)) << text;
  for (const char* text : {"false", "False", "FALSE"}) EXPECT_EQ(Read(text), Value(false)) << text;
  EXPECT_EQ(Read("0"), Value(0));
  EXPECT_EQ(Read("-17"), Value(-17));
  EXPECT_EQ(Read("+17"), Value(17));
  EXPECT_EQ(Read("007"), Value(7));
  EXPECT_EQ(Read("0o17"), Value(15));
  EXPECT_EQ(Read("0xfF"), Value(255));
  EXPECT_EQ(Read("9223372036854775807"), Value(INT64_MAX));
  EXPECT_EQ(Read("-9223372036854775808"), Value(INT64_MIN));
  EXPECT_EQ(Read("0.5"), Value(0.5));
  EXPECT_EQ(Read("+.5"), Value(0.5));
  EXPECT_EQ(Read("3."), Value(3.0));
  EXPECT_EQ(Read("1e3"), Value(1000.0));
  EXPECT_EQ(Read("-1.5E-2"), Value(-0.015));
  EXPECT_EQ(Read(".inf"), Value(INFINITY));
  EXPECT_EQ(Read("-.Inf"), Value(-INFINITY));
  EXPECT_TRUE(std::isnan(*Read(".nan").AsDouble()));
}

TEST(Scalars, LeaveOtherWordsAlone) {
  for (const char* text : {"yes", "on", "tRue", "1_000", "0x", "0o8", "0xg", "1e", "e3", ".", "-",
                           "+", "1.2.3", "12:30", "inf", "nan", "- .inf", "0b1", "--1"}) {
    if (std::string(text) == "- .inf") continue;  // a list
    EXPECT_EQ(Read(std::string("[") + text + "]"), Value(ValueList{text})) << text;
  }
}

TEST(Scalars, InQuotesAreStrings) {
  EXPECT_EQ(Read("'12'"), Value("12"));
  EXPECT_EQ(Read("\"true\""), Value("true"));
  EXPECT_EQ(Read("''"), Value(""));
  EXPECT_EQ(Read("'null'"), Value("null"));
  EXPECT_EQ(Read("!!str 12"), Value("12"));
  EXPECT_EQ(Read("|\n  12\n"), Value("12\n"));
}

TEST(Scalars, ThatDoNotFitAreErrors) {
  EXPECT_EQ(Read("a: 9223372036854775808"),
            Value("error: f.yaml:1:4: the number '9223372036854775808' does not fit into a 64-bit "
                  "integer"));
  EXPECT_THAT(*Read("0x10000000000000000").AsString(), HasSubstr("64-bit integer"));
  EXPECT_THAT(*Read("1e999").AsString(), HasSubstr("a double"));
}

TEST(Document, KnowsPositions) {
  const auto document = YamlDocument::Parse("a: 1\nb:\n  - x\n  - {c: y}\n", "f.yaml");
  ASSERT_TRUE(document.ok()) << document.status();
  const YamlNode& list = *document->root().Find("b");
  EXPECT_EQ(document->Where(document->root().entries[1].key_mark), "f.yaml:2:1");
  EXPECT_EQ(document->Where(list.mark), "f.yaml:3:3");
  EXPECT_EQ(document->Where(list.entries[1].value->Find("c")->mark), "f.yaml:4:9");
}

TEST(Document, RefusesMalformedYamlWithLineAndColumn) {
  EXPECT_THAT(Refusal("a: [1, 2\nb: 3\n"), StartsWith("f.yaml:2:"));
  EXPECT_THAT(Refusal("a: 1\n  b: 2\n"), StartsWith("f.yaml:2:"));
  EXPECT_THAT(Refusal("a:\n\t- 1\n"), StartsWith("f.yaml:2:"));
  EXPECT_THAT(Refusal("a: }\n"), StartsWith("f.yaml:1:"));
  EXPECT_THAT(Refusal("a: *nobody\n"), AllOf(StartsWith("f.yaml:1:4"), HasSubstr("anchor")));
}

TEST(Document, RefusesQuotesThatAreNeverClosed) {
  for (const char* open : {"a: \"open", "a: \"open\nb: 1\n", "a: 'open\n", "a: 'it''s\n", "a: \"",
                           "a: \"\\\"\n", "a: &x \"open\n", "a: !!str 'open\n", "- '\n"}) {
    EXPECT_THAT(Refusal(open), AllOf(StartsWith("f.yaml:1:"), HasSubstr("malformed YAML"))) << open;
  }
  EXPECT_EQ(Refusal("a: 1\nb: \"open\nc: 2\n"),
            "f.yaml:2:4: malformed YAML: this quote is never closed");
  EXPECT_EQ(Read("a: 'it''s'\nb: \"\\\"\""), Value(ValueMap{{"a", "it's"}, {"b", "\""}}));
  EXPECT_EQ(Read("a: &x 'q'\nb: |\n  \"\n"), Value(ValueMap{{"a", "q"}, {"b", "\"\n"}}));
}

TEST(Document, SkipsAByteOrderMark) {
  EXPECT_EQ(Read("\xef\xbb\xbf"
                 "a: 'x'\n"),
            Value(ValueMap{{"a", "x"}}));
}

TEST(Document, RefusesDuplicateKeys) {
  EXPECT_EQ(Refusal("a: 1\nb: 2\na: 3\n"),
            "f.yaml:3:1: the key 'a' stands here a second time (first in line 1): remove one");
}

TEST(Document, RefusesKeysThatAreNoWords) {
  EXPECT_THAT(Refusal("[a]: 1\n"), HasSubstr("a key must be a word"));
  EXPECT_THAT(Refusal("{a: b}: 1\n"), HasSubstr("a key must be a word"));
  EXPECT_THAT(Refusal("~: 1\n"), HasSubstr("a key is missing or null"));
}

TEST(Document, RefusesTagsAndSecondDocuments) {
  EXPECT_THAT(Refusal("a: !!python/object:os.system ls\n"), HasSubstr("is not supported"));
  EXPECT_THAT(Refusal("a: !mine {b: c}\n"), HasSubstr("is not supported"));
  EXPECT_THAT(Refusal("a: 1\n---\nb: 2\n"),
              AllOf(StartsWith("f.yaml:3:1"), HasSubstr("second YAML document")));
}

TEST(Document, RefusesWhatIsNoText) {
  EXPECT_EQ(Refusal("a: 1\nb: \xff\n"), "f.yaml:2:4: this is not UTF-8 text");
  EXPECT_THAT(Refusal(std::string("a: 1\0b", 6)), HasSubstr("f.yaml:1:5: the control character"));
  EXPECT_THAT(Refusal("a: 1\n\x04stray: text\n"), StartsWith("f.yaml:2:1: the control character"));
}

TEST(Document, ReadsAliases) {
  EXPECT_EQ(Read("a: &x {k: 1}\nb: *x\n"),
            Value(ValueMap{{"a", ValueMap{{"k", 1}}}, {"b", ValueMap{{"k", 1}}}}));
}

TEST(Document, BoundsAliasBombs) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string n = std::to_string(i);
    bomb += "a" + n + ": &a" + n + " [";
    for (int j = 0; j < 10; ++j) bomb += (j ? ", *a" : "*a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  EXPECT_THAT(Refusal(bomb), HasSubstr("aliases expand to more than 1000000"));
}

TEST(Document, BoundsDepthBuiltOfAliases) {
  std::string chain = "- &a0 [x]\n";
  for (int i = 1; i < 40; ++i) {
    chain += "- &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  }
  EXPECT_THAT(Refusal(chain), HasSubstr("aliases nest lists and maps deeper than 24"));
}

TEST(Document, RefusesAliasesOfWhatContainsThem) {
  EXPECT_THAT(Refusal("a: &a [*a]\n"), HasSubstr("contains it"));
  EXPECT_THAT(Refusal("a: &a {b: {c: *a}}\n"), HasSubstr("contains it"));
}

TEST(Document, BoundsDepth) {
  const auto nested = [](size_t n) { return std::string(n, '[') + std::string(n, ']'); };
  EXPECT_TRUE(YamlDocument::Parse(nested(24), "f.yaml").ok());
  EXPECT_THAT(Refusal(nested(25)), HasSubstr("nested deeper than 24"));
  EXPECT_THAT(Refusal(std::string(1'000'000, '[')), HasSubstr("nested deeper than 24"));
  EXPECT_THAT(Refusal(std::string(1'000'000, '{')), StartsWith("f.yaml:1:"));
  std::string maps;
  for (int i = 0; i < 100; ++i) maps += std::string(i, ' ') + "a:\n";
  EXPECT_THAT(Refusal(maps), HasSubstr("nested deeper than 24"));
}

TEST(Document, BoundsBytes) {
  EXPECT_THAT(Refusal(std::string(YamlDocument::kMaxBytes + 1, '#')), HasSubstr("64 MiB"));
}

TEST(TextFile, RefusesDirectoriesMissingFilesAndHugeOnes) {
  EXPECT_THAT(Message(ReadTextFile(::testing::TempDir(), 10).status()), HasSubstr("a directory"));
  EXPECT_EQ(ReadTextFile("/no/such/file", 10).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Message(ReadTextFile("/dev/zero", 1 << 20).status()), HasSubstr("larger than 1 MiB"));
}

TEST(Document, NeverCrashesOnDamagedText) {
  const std::string good =
      "name: demo # c\nstrategy:\n  fold: {name: fedavg, x: [1, 2.5, \"q\\n\"]}\n"
      "  tiers:\n  - &t {tier: 1, kappa: 2}\n  - *t\ntext: |\n  block\n'quoted': >-\n  folded\n";
  ASSERT_TRUE(YamlDocument::Parse(good, "f.yaml").ok());
  std::mt19937 random(7);
  const std::string alphabet = "{}[]:,-&*!|>'\"#%@`\n\t x0~?";
  for (int i = FuzzIterations(3000); i > 0; --i) {
    std::string text = good;
    for (unsigned n = 1 + random() % 4; n > 0; --n) {
      const size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = alphabet[random() % alphabet.size()];
          break;
        case 1:
          text.insert(at, 1, alphabet[random() % alphabet.size()]);
          break;
        default:
          text.erase(at, 1 + random() % 5);
      }
      if (text.empty()) text = "x";
    }
    const auto document = YamlDocument::Parse(text, "f.yaml");
    if (document.ok()) {
      (void)ToValue(*document, document->root());
    } else {
      const std::string message = Message(document.status());
      EXPECT_EQ(message.rfind("f.yaml:", 0), 0u) << message;
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    }
  }
}

Value RandomValue(std::mt19937& random, int depth) {
  const auto text = [&] {
    std::string s;
    for (unsigned n = random() % 6; n > 0; --n)
      s += " ab:-#{[\"'\\\n\t0.,~é\x7f\x01"[random() % 20];
    return s.substr(0, Utf8PrefixLength(s));
  };
  switch (random() % (depth > 0 ? 7 : 5)) {
    case 0:
      return Value();
    case 1:
      return Value(random() % 2 == 0);
    case 2:
      return Value(static_cast<int64_t>((uint64_t{random()} << 32) ^ random()));
    case 3:
      return Value(
          std::ldexp(static_cast<double>(random()), static_cast<int>(random() % 200) - 99));
    case 4:
      return Value(text());
    case 5: {
      ValueList list;
      for (unsigned n = random() % 4; n > 0; --n) list.push_back(RandomValue(random, depth - 1));
      return Value(std::move(list));
    }
    default: {
      ValueMap map;
      for (unsigned n = random() % 4; n > 0; --n) map[text()] = RandomValue(random, depth - 1);
      return Value(std::move(map));
    }
  }
}

TEST(FlowYaml, ReadsBackEqual) {
  std::mt19937 random(11);
  for (int i = FuzzIterations(2000); i > 0; --i) {
    const Value value = RandomValue(random, 4);
    EXPECT_EQ(Read("v: " + ToFlowYaml(value)), Value(ValueMap{{"v", value}})) << ToFlowYaml(value);
  }
}

TEST(FlowYaml, QuotesWhatOtherReadersTakeForBooleans) {
  EXPECT_EQ(ToFlowYaml(Value("fedavg")), "fedavg");
  EXPECT_EQ(ToFlowYaml(Value("max-norm")), "max-norm");
  EXPECT_EQ(ToFlowYaml(Value("yes")), "\"yes\"");
  EXPECT_EQ(ToFlowYaml(Value("Off")), "\"Off\"");
  EXPECT_EQ(ToFlowYaml(Value("1.5")), "\"1.5\"");
  EXPECT_EQ(ToFlowYaml(Value(3.0)), "3.0");
  EXPECT_EQ(ToFlowYaml(Value(3)), "3");
}

class Fields : public ::testing::Test {
 protected:
  const YamlNode& Node(const std::string& yaml) {
    document_ = *YamlDocument::Parse("x: " + yaml, "f.yaml");
    return *document_.root().Find("x");
  }
  YamlDocument document_;
};

TEST_F(Fields, IntegersAreChecked) {
  EXPECT_EQ(*ReadInt(document_, Node("5"), "x", 1, 9), 5);
  EXPECT_EQ(*ReadInt(document_, Node("5e0"), "x", 1, 9), 5);
  for (const char* bad : {"0", "10", "2.5", "five", "'5'", "[5]", "true", "~", "1e30", ".nan"}) {
    const YamlNode& node = Node(bad);
    EXPECT_THAT(Message(ReadInt(document_, node, "x", 1, 9).status()),
                HasSubstr("f.yaml:1:4: x: expected an integer from 1 to 9, got "))
        << bad;
  }
}

TEST_F(Fields, UnsignedIntegersTakeAll64Bits) {
  EXPECT_EQ(*ReadUint64(document_, Node("18446744073709551615"), "x"), UINT64_MAX);
  for (const char* bad : {"18446744073709551616", "-1", "1.0", "0x10", "x", "'1'", "[1]"}) {
    const YamlNode& node = Node(bad);
    EXPECT_FALSE(ReadUint64(document_, node, "x").ok()) << bad;
  }
}

TEST_F(Fields, RealsAreChecked) {
  EXPECT_EQ(*ReadReal(document_, Node("5"), "x", 0, 9), 5.0);
  EXPECT_EQ(*ReadReal(document_, Node("0.5"), "x", 0, 9), 0.5);
  for (const char* bad : {"-1", "9.5", ".nan", ".inf", "much", "{}"}) {
    const YamlNode& node = Node(bad);
    EXPECT_THAT(Message(ReadReal(document_, node, "x", 0, 9).status()),
                HasSubstr("x: expected a number from 0 to 9, got "))
        << bad;
  }
}

TEST_F(Fields, WordsAreAnyScalar) {
  EXPECT_EQ(*ReadString(document_, Node("2024"), "x"), "2024");
  const YamlNode& list = Node("[a]");
  EXPECT_THAT(Message(ReadString(document_, list, "x").status()),
              HasSubstr("x: expected a word, got a list"));
}

}  // namespace
}  // namespace skein
