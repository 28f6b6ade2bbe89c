#include "base/csv_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"

namespace skein {
namespace {

using ::testing::ElementsAre;

TEST(CsvLines, GivesTheFieldsOfEveryLineWithItsNumber) {
  std::vector<std::string> seen;
  const absl::Status status =
      ForEachCsvLine("a,b\r\n1,2\n\nx,\n", "f.csv", "a,b", [&](const CsvLine& line) {
        EXPECT_EQ(line.fields.size(), 2u);
        seen.push_back(std::to_string(line.number) + ":" + std::string(line.fields[0]) + "|" +
                       std::string(line.fields[1]));
        return absl::OkStatus();
      });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(seen, ElementsAre("2:1|2", "4:x|"));
}

TEST(CsvLines, ErrorsNameTheLine) {
  const auto error = [](const std::string& text) {
    return Message(ForEachCsvLine(text, "f.csv", "a,b", [](const CsvLine& line) {
      return line.fields[0] == "bad" ? absl::InvalidArgumentError("is bad") : absl::OkStatus();
    }));
  };
  EXPECT_EQ(error("b,a\n"), "f.csv:1: the first line must be a,b");
  EXPECT_EQ(error("\na,b\n1\n"), "f.csv:3: not of the form a,b");
  EXPECT_EQ(error("a,b\n1,2,3\n"), "f.csv:2: not of the form a,b");
  EXPECT_EQ(error("a,b\n,2\n"), "f.csv:2: not of the form a,b");
  EXPECT_EQ(error("a,b\n1,2\nbad,2"), "f.csv:3: is bad");
  EXPECT_EQ(error(""), "");
}

TEST(CsvRows, HaveAsManyFieldsAsTheFirst) {
  std::string seen;
  const auto read = [&](std::string_view text) {
    return ForEachCsvRow(text, "f.csv", [&](const CsvLine& line) {
      for (const std::string_view field : line.fields) seen += std::string(field) + "|";
      return absl::OkStatus();
    });
  };
  EXPECT_TRUE(read("a , \"b c\"\r\n\n1,\"\n").ok());
  EXPECT_EQ(seen, "a|b c|1|\"|");
  EXPECT_EQ(Message(read("a,b\n1\n")), "f.csv:2: has 1 columns, the first line has 2");
}

}  // namespace
}  // namespace skein
