#include "skein/base/names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"

namespace skein {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;

TEST(NearestName, FindsTyposOfEveryKind) {
  const std::vector<std::string> known = {"all", "quorum", "buffered", "every_update"};
  EXPECT_THAT(NearestName("quorom", known), Optional(std::string("quorum")));   // replaced
  EXPECT_THAT(NearestName("quoum", known), Optional(std::string("quorum")));    // left out
  EXPECT_THAT(NearestName("quorumm", known), Optional(std::string("quorum")));  // too much
  EXPECT_THAT(NearestName("qourum", known), Optional(std::string("quorum")));   // swapped
  EXPECT_THAT(NearestName("Quorum", known), Optional(std::string("quorum")));   // case
  EXPECT_THAT(NearestName("al", known), Optional(std::string("all")));
}

TEST(NearestName, SuggestsNothingForAnotherWord) {
  EXPECT_EQ(NearestName("krum", {"all", "fedavg"}), std::nullopt);
  EXPECT_EQ(NearestName("", {"a", "ab"}), std::nullopt);
  EXPECT_EQ(NearestName("x", {"a", "b"}), std::nullopt);
  EXPECT_EQ(NearestName("fedavg", {}), std::nullopt);
}

TEST(NearestName, PrefersTheNearestThenTheFirst) {
  EXPECT_THAT(NearestName("parents", {"parants", "parent"}), Optional(std::string("parants")));
  EXPECT_THAT(NearestName("rounds", {"roundel", "round"}), Optional(std::string("round")));
}

TEST(NearestName, CopesWithHugeWords) {
  const std::string huge(1 << 20, 'a');
  EXPECT_EQ(NearestName(huge, {huge + "b", "a"}), std::nullopt);
}

TEST(Suggestion, ListsWhatIsKnownWhenNothingIsNear) {
  EXPECT_EQ(Suggestion("quorom", {"all", "quorum"}), "; did you mean 'quorum'?");
  EXPECT_EQ(Suggestion("krum", {"all", "quorum"}), "; known: all, quorum");
  EXPECT_EQ(Suggestion("krum", {}), "");
  const std::vector<std::string> many(100, "something");
  EXPECT_LT(Suggestion("x", many).size(), 200u);
}

TEST(QuoteName, KeepsMessagesToOneShortLine) {
  EXPECT_EQ(QuoteName("w1"), "'w1'");
  EXPECT_EQ(QuoteName("a\nb\x01"), "'a\\x0ab\\x01'");
  EXPECT_EQ(QuoteName("Zürich"), "'Zürich'");
  EXPECT_EQ(QuoteName("\xff"), "'\\xff'");
  EXPECT_LT(QuoteName(std::string(1000, 'x')).size(), 100u);
}

TEST(CheckName, TakesWhatCanNameAFile) {
  EXPECT_TRUE(CheckName("w17").ok());
  EXPECT_TRUE(CheckName("site-3.eu_west:0").ok());
  EXPECT_TRUE(CheckName("Zürich").ok());
  EXPECT_TRUE(CheckName(std::string(kMaxNameBytes, 'x')).ok());
}

TEST(CheckName, RefusesWhatCannot) {
  EXPECT_THAT(Message(CheckName("")), HasSubstr("empty"));
  EXPECT_THAT(Message(CheckName(std::string(kMaxNameBytes + 1, 'x'))), HasSubstr("longer"));
  EXPECT_THAT(Message(CheckName("..")), HasSubstr("directories"));
  EXPECT_THAT(Message(CheckName("\xc3")), HasSubstr("UTF-8"));
  for (const char* bad : {"a b", "a/b", "../b", "a\\b", "a\tb", "a\nb", "a\x7f"}) {
    EXPECT_THAT(Message(CheckName(bad)), HasSubstr("contains")) << bad;
  }
}

TEST(Utf8PrefixLength, StopsAtTheFirstBadByte) {
  EXPECT_EQ(Utf8PrefixLength("aé€😀"), 10u);
  EXPECT_EQ(Utf8PrefixLength("ab\xff"), 2u);
  EXPECT_EQ(Utf8PrefixLength("a\xc0\x80"), 1u);          // overlong
  EXPECT_EQ(Utf8PrefixLength("a\xe0\x80\x80"), 1u);      // overlong
  EXPECT_EQ(Utf8PrefixLength("a\xed\xa0\x80"), 1u);      // surrogate
  EXPECT_EQ(Utf8PrefixLength("a\xf4\x90\x80\x80"), 1u);  // beyond U+10FFFF
  EXPECT_EQ(Utf8PrefixLength("a\xe2\x82"), 1u);          // cut short
}

}  // namespace
}  // namespace skein
