// What ReadSafetensors refuses, case by case, and that no change of a byte or two harms it.

#include <sys/stat.h>

#include <gmock/gmock.h>

#include "skein/base/status.h"
#include "skein/tensor/safetensors.h"
#include "tensor/safetensors_header.h"
#include "unit/tensor/tensor_testing.h"

namespace skein {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string LittleEndian(uint64_t value) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &value, 8);
  return bytes;
}

std::string FileOf(const std::string& json, const std::string& data) {
  return LittleEndian(json.size()) + json + data;
}

struct HostileCase {
  std::string name;
  std::string file;
  std::string message;  // a part of it
};

// A file with one tensor "a" whose value is `value`, and 8 bytes of data.
HostileCase OneTensor(const std::string& name, const std::string& value,
                      const std::string& message) {
  return {name, FileOf("{\"a\":" + value + "}", "01234567"), message};
}

std::string Repeat(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

const char kA[] = R"({"dtype":"U8","shape":[8],"data_offsets":[0,8]})";

std::vector<HostileCase> HostileCases() {
  const std::string a = std::string("\"a\":") + kA;
  const auto two = [](const std::string& first, const std::string& second) {
    const auto tensor = [](const std::string& offsets) {
      return R"({"dtype":"U8","shape":[4],"data_offsets":)" + offsets + "}";
    };
    return FileOf("{\"a\":" + tensor(first) + ",\"b\":" + tensor(second) + "}", "01234567");
  };
  std::vector<HostileCase> cases = {
      {"Empty", "", "only 0 bytes"},
      {"SevenBytes", "1234567", "only 7 bytes"},
      {"HeaderOf2To60Bytes", LittleEndian(uint64_t{1} << 60) + "{}",
       "header of 1152921504606846976"},
      {"HeaderLengthAllOnes", LittleEndian(~uint64_t{0}) + "{}", "header of 18446744073709551615"},
      {"HeaderLongerThanFile", LittleEndian(100) + "{}", "truncated in the header"},
      {"NoHeader", LittleEndian(0), "expected '{'"},
      {"SpaceBeforeHeader", FileOf(" {}", ""), "expected '{'"},
      {"NotJson", FileOf("PK\x03\x04zipped", ""), "byte 0: expected '{'"},
      {"Array", FileOf("[]", ""), "expected '{'"},
      {"HeaderWithoutEnd", FileOf("{" + a, "01234567"), "expected '}'"},
      {"TextAfterHeader", FileOf("{" + a + "}x", "01234567"), "text after"},
      {"NulPadding", FileOf("{" + a + "}" + std::string(3, '\0'), "01234567"), "text after"},
      {"TrailingComma", FileOf("{" + a + ",}", "01234567"), "expected a string"},
      {"TruncatedData", FileOf("{" + a + "}", "0123456"), "7 (truncated)"},
      {"TrailingBytes", FileOf("{" + a + "}", "012345678"), "9 (trailing bytes)"},
      {"DataWithoutTensors", FileOf("{}", "0"), "(trailing bytes)"},
      {"DuplicateName", FileOf("{" + a + "," + a + "}", "01234567"),
       "\"a\": the name occurs twice"},
      {"DuplicateNameByEscape",
       FileOf("{" + a + R"(,"\u0061":{"dtype":"U8","shape":[0],"data_offsets":[8,8]}})",
              "01234567"),
       "\"a\": the name occurs twice"},
      {"Overlap", two("[0,4]", "[2,6]"), "\"b\": data starts at byte 2, expected 4"},
      {"SameBytesTwice", two("[0,4]", "[0,4]"), "\"b\": data starts at byte 0"},
      {"Gap", two("[0,4]", "[5,9]"), "\"b\": data starts at byte 5"},
      {"GapAtStart", two("[1,5]", "[5,9]"), "\"a\": data starts at byte 1"},
      {"EndBeforeBegin", two("[0,4]", "[4,0]"), "\"b\": data_offsets do not fit U8[4]"},
      {"OffsetOf2To63", two("[0,4]", "[9223372036854775807,9223372036854775807]"), "starts at"},
      {"DeepObjects", FileOf(Repeat("{\"a\":", 100'000), ""), "unknown or repeated key"},
      {"DeepArrays", FileOf("{\"a\":" + Repeat("[", 100'000), ""), "expected '{'"},
      {"DeepMetadata", FileOf("{\"__metadata__\":" + Repeat("{\"a\":", 1000), ""),
       "expected a string"},
      {"MetadataNotText", FileOf("{\"__metadata__\":{\"a\":1}}", ""), "expected a string"},
      {"MetadataTwice", FileOf("{\"__metadata__\":{},\"__metadata__\":{}}", ""), "a second"},
      {"EmptyName", FileOf(std::string("{\"\":") + kA + "}", "01234567"), "the name is empty"},
      {"LongName", FileOf("{\"" + std::string(600, 'n') + "\":" + kA + "}", "01234567"),
       "600 bytes"},
      {"NameNotUtf8", FileOf(std::string("{\"\xFF\":") + kA + "}", "01234567"), "not UTF-8"},
      {"NameWithControlCharacter", FileOf(std::string("{\"\n\":") + kA + "}", "01234567"),
       "control character"},
      {"LoneSurrogate", FileOf(std::string(R"({"\ud800":)") + kA + "}", "01234567"), "half a"},
      {"LoneLowSurrogate", FileOf(std::string(R"({"\udc00":)") + kA + "}", "01234567"), "half a"},
      {"WrongSurrogatePair", FileOf(std::string(R"({"\ud800\u0041":)") + kA + "}", "01234567"),
       "half a"},
      {"UnknownEscape", FileOf(std::string(R"({"\x":)") + kA + "}", "01234567"), "unknown escape"},
      {"EscapeAtEnd", FileOf("{\"\\", ""), "string without end"},
      {"UnicodeEscapeAtEnd", FileOf("{\"\\u12", ""), "bad \\u escape"},
      OneTensor("Null", "null", "expected '{'"),
      OneTensor("NoKeys", "{}", "a tensor needs dtype, shape and data_offsets"),
      OneTensor("NoShape", R"({"dtype":"U8","data_offsets":[0,8]})", "needs dtype, shape"),
      OneTensor("UnknownKey", R"({"dtype":"U8","shape":[8],"data_offsets":[0,8],"stride":[1]})",
                "\"stride\""),
      OneTensor("RepeatedKey", R"({"dtype":"U8","dtype":"U8","shape":[8],"data_offsets":[0,8]})",
                "repeated key \"dtype\""),
      OneTensor("UnknownType", R"({"dtype":"C64","shape":[1],"data_offsets":[0,8]})", "\"C64\""),
      OneTensor("SizeBelowShape", R"({"dtype":"F32","shape":[4],"data_offsets":[0,8]})",
                "do not fit F32[4]"),
      OneTensor("NegativeDimension", R"({"dtype":"U8","shape":[-8],"data_offsets":[0,8]})",
                "non-negative integer"),
      OneTensor("Fraction", R"({"dtype":"U8","shape":[8.0],"data_offsets":[0,8]})", "expected ']'"),
      OneTensor("Exponent", R"({"dtype":"U8","shape":[8e0],"data_offsets":[0,8]})", "expected ']'"),
      OneTensor("LeadingZero", R"({"dtype":"U8","shape":[08],"data_offsets":[0,8]})",
                "leading zero"),
      OneTensor("NumberOf2To63",
                R"({"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,8]})",
                "number too large"),
      // 2^32 * 2^32 elements are 0 modulo 2^64, and 2^61 elements of 8 bytes are too.
      OneTensor("OverflowingShape",
                R"({"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,8]})",
                "larger than"),
      OneTensor("OverflowingBytes",
                R"({"dtype":"F64","shape":[2305843009213693953],"data_offsets":[0,8]})",
                "larger than"),
      OneTensor("ManyDimensions",
                "{\"dtype\":\"U8\",\"shape\":[8" + Repeat(",1", 16) + "],\"data_offsets\":[0,8]}",
                "too many numbers"),
      OneTensor("OneOffset", R"({"dtype":"U8","shape":[8],"data_offsets":[0]})", "two numbers"),
      OneTensor("ThreeOffsets", R"({"dtype":"U8","shape":[8],"data_offsets":[0,8,8]})",
                "too many numbers"),
  };
  std::string many = "{";
  for (size_t i = 0; i <= Manifest::kMaxTensors; ++i) {
    many += "\"" + std::to_string(i) + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)";
  }
  many.back() = '}';
  cases.push_back({"TooManyTensors", FileOf(many, ""), "too many tensors"});
  return cases;
}

class HostileFile : public ::testing::TestWithParam<HostileCase> {};

TEST_P(HostileFile, IsRefusedWithItsPathAndReason) {
  const ScratchDirectory scratch;
  const std::string path = scratch.File("bad.safetensors");
  WriteBytes(path, GetParam().file);
  const absl::StatusOr<PackedTensors> read = ReadSafetensors(path);
  ASSERT_TRUE(absl::IsInvalidArgument(read.status())) << read.status();
  EXPECT_THAT(Message(read.status()), StartsWith(path + ": "));
  EXPECT_THAT(Message(read.status()), HasSubstr(GetParam().message));
  EXPECT_LT(Message(read.status()).size(), 1000u);
  EXPECT_THAT(Message(read.status()), ::testing::Not(HasSubstr("\n")));
}

INSTANTIATE_TEST_SUITE_P(Safetensors, HostileFile, ::testing::ValuesIn(HostileCases()),
                         [](const auto& hostile) { return hostile.param.name; });

TEST(ReadSafetensors, SaysNotFoundOrNotAFile) {
  const ScratchDirectory scratch;
  EXPECT_TRUE(absl::IsNotFound(ReadSafetensors(scratch.File("none")).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ReadSafetensors(scratch.File(".")).status()));
  // A pipe without a writer must not block.
  ASSERT_EQ(::mkfifo(scratch.File("pipe").c_str(), 0600), 0);
  EXPECT_TRUE(absl::IsInvalidArgument(ReadSafetensors(scratch.File("pipe")).status()));
}

PackedTensors FuzzSeed() {
  Rng rng(1);
  return RandomTensors(MustCreate({{"layer.weight", DType::kFloat32, {3, 5}},
                                   {"layer.\u00fc\"", DType::kInt64, {}},
                                   {"none", DType::kBool, {0, 2}},
                                   {"half", DType::kFloat16, {7}}}),
                       rng);
}

// One small change of `text`, which is not empty.
void Mutate(std::string& text, Rng& rng) {
  static constexpr std::string_view kTokens = "{}[],:\"\\u0123456789 -.eFI";
  const size_t at = rng.Below(text.size());
  switch (rng.Below(16)) {
    case 0:
      text.resize(at + 1);
      break;
    case 1:
    case 2: {
      const std::string piece = text.substr(at, rng.Below(40));
      text.insert(rng.Below(text.size()), piece);
      break;
    }
    case 3:
    case 4:
      if (text.size() > 8) text.erase(at, 1 + rng.Below(8));
      break;
    case 5:
    case 6:
    case 7:
      text[at] = static_cast<char>(rng.Below(256));
      break;
    case 8:
    case 9:
      text.insert(at, 1, kTokens[rng.Below(kTokens.size())]);
      break;
    default:
      text[at] = kTokens[rng.Below(kTokens.size())];
  }
}

// Every accepted mutant must be a whole, consistent model; the sanitizers watch the others.
TEST(ParseSafetensorsHeader, SurvivesMutatedHeaders) {
  const PackedTensors model = FuzzSeed();
  const std::string seed = SafetensorsHeader(model.manifest()).substr(8);
  Rng rng(0x5afe7e);
  int accepted = 0;
  for (int trial = 0; trial < 30'000; ++trial) {
    std::string mutant = seed;
    for (uint64_t edits = 1 + rng.Below(3); edits > 0; --edits) Mutate(mutant, rng);
    const absl::StatusOr<Manifest> parsed = ParseSafetensorsHeader(mutant, model.bytes().size());
    if (!parsed.ok()) {
      ASSERT_TRUE(absl::IsInvalidArgument(parsed.status())) << parsed.status();
      continue;
    }
    ++accepted;
    uint64_t end = 0;
    for (size_t i = 0; i < parsed->size(); ++i) {
      ASSERT_EQ(parsed->offset(i), end);
      end += (*parsed)[i].NumBytes();
    }
    ASSERT_EQ(end, model.bytes().size());
    // What was accepted has a canonical form that means the same.
    const std::string canonical = SafetensorsHeader(*parsed).substr(8);
    const absl::StatusOr<Manifest> again = ParseSafetensorsHeader(canonical, end);
    ASSERT_TRUE(again.ok()) << again.status();
    ASSERT_EQ(*again, *parsed);
  }
  EXPECT_GT(accepted, 500);  // else the mutants are too wild to test anything
  EXPECT_LT(accepted, 20'000);
}

TEST(ReadSafetensors, SurvivesMutatedFiles) {
  const ScratchDirectory scratch;
  const std::string path = scratch.File("mutant.safetensors");
  const PackedTensors model = FuzzSeed();
  const std::string seed = SafetensorsHeader(model.manifest()) + AsString(model.bytes());
  Rng rng(0xf11e);
  int accepted = 0;
  for (int trial = 0; trial < 800; ++trial) {
    std::string mutant = seed;
    // Often in the length, which the whole layout depends on.
    if (rng.Below(4) == 0) mutant[rng.Below(8)] = static_cast<char>(rng.Below(256));
    for (uint64_t edits = rng.Below(3); edits > 0; --edits) Mutate(mutant, rng);
    WriteBytes(path, mutant);
    const absl::StatusOr<PackedTensors> read = ReadSafetensors(path);
    if (!read.ok()) {
      ASSERT_TRUE(absl::IsInvalidArgument(read.status())) << read.status();
      continue;
    }
    ++accepted;
    // Touches every byte of the mapping.
    const std::string data = AsString(read->bytes());
    ASSERT_EQ(data.size(), read->manifest().total_bytes());
    ASSERT_EQ(data, mutant.substr(mutant.size() - data.size()));
  }
  EXPECT_GT(accepted, 100);
  EXPECT_LT(accepted, 700);
}

}  // namespace
}  // namespace skein
