#include "skein/data/csv.h"

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "unit/federation/temp_dir.h"

namespace skein {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

std::string Error(const std::string& text) { return Message(ParseCsv(text, "d.csv").status()); }

TEST(Csv, ReadsNumbersUnderAHeader) {
  const auto table =
      ParseCsv("\xef\xbb\xbf\"width\", height ,class\r\n1, 2.5 ,0\r\n\r\n-3e2,\"4\",1", "d.csv");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_THAT(table->columns, ElementsAre("width", "height", "class"));
  EXPECT_EQ(table->num_rows, 2u);
  EXPECT_THAT(table->values, ElementsAre(1, 2.5, 0, -300, 4, 1));
}

TEST(Csv, AFirstLineOfNumbersIsARow) {
  const auto table = ParseCsv("1,2\n3,4\n", "d.csv");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_THAT(table->columns, ElementsAre("1", "2"));
  EXPECT_THAT(table->values, ElementsAre(1, 2, 3, 4));
}

TEST(Csv, AFirstRowWithAFaultIsNoHeader) {
  for (const char* row : {"1e400,2", ",2", "0x10,2", "-,2", "?,2"}) {
    EXPECT_THAT(Error(std::string(row) + "\n3,4\n"),
                HasSubstr("d.csv:1: '" + std::string(row).substr(0, std::string(row).find(',')) +
                          "' is neither a finite number nor the name"));
  }
  EXPECT_EQ(ParseCsv("a,2\n3,4\n", "d.csv")->num_rows, 1u) << "columns may be numbered";
}

TEST(Csv, NumbersMayHaveASignAndBeTooSmallForAFloat) {
  const auto table = ParseCsv("+1,1e-60\n-2,+0.5\n", "d.csv");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_THAT(table->values, ElementsAre(1, 0, -2, 0.5));
}

TEST(Csv, ErrorsNameLineAndColumnAndRemedy) {
  EXPECT_EQ(Error("a,b\n1,2\n1,setosa\n"),
            "d.csv:3: column 'b': 'setosa' is no finite number; write classes as 0, 1, 2, ...");
  EXPECT_EQ(Error("a,b\n1,\n"), "d.csv:2: column 'b': is empty; fill it in or remove the line");
  EXPECT_THAT(Error("a,b\n1,nan\n"), HasSubstr("d.csv:2: column 'b': 'nan'"));
  EXPECT_THAT(Error("a,b\n1,1e99\n"), HasSubstr("column 'b': '1e99'"));
  EXPECT_EQ(Error("a,b\n1,2,3\n"), "d.csv:2: has 3 columns, the first line has 2");
  EXPECT_EQ(Error("a;b\n1;2\n"), "d.csv:2: has one column; put commas between columns");
  EXPECT_EQ(Error("a,b\n"), "d.csv: has no rows of numbers");
  EXPECT_EQ(Error(""), "d.csv: has no rows of numbers");
}

TEST(Csv, ColumnsAreFoundByNameOrNumber) {
  const auto table = ParseCsv("a,2,c\n1,2,3\n", "d.csv");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(*FindColumn(*table, "c"), 2u);
  EXPECT_EQ(*FindColumn(*table, "2"), 1u) << "a name before a number";
  EXPECT_EQ(*FindColumn(*table, "1"), 0u);
  EXPECT_EQ(Message(FindColumn(*table, "d").status()), "no column 'd'; there are 'a', '2', 'c'");
  EXPECT_FALSE(FindColumn(*table, "4").ok());
  EXPECT_FALSE(FindColumn(*table, "0").ok());
}

TEST(Csv, ReadsFiles) {
  const TempDir dir;
  WriteAll(dir / "d.csv", "1,2\n");
  EXPECT_TRUE(ReadCsv(dir / "d.csv").ok());
  const absl::Status missing = ReadCsv(dir / "ghost.csv").status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Message(missing), EndsWith("ghost.csv: no such file"));
  const std::string pipe = dir / "pipe.csv";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(Message(ReadCsv(pipe).status()), EndsWith("pipe.csv: not a regular file"));
}

}  // namespace
}  // namespace skein
