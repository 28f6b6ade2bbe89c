#include "app/text_table.h"

#include <gtest/gtest.h>

namespace skein {
namespace {

TEST(TextTable, ColumnsLineUpWhateverTheLetters) {
  const TextColumn name{false,
                        {"run",
                         "n\xc3\xa4"
                         "chte",
                         "a"}};
  const TextColumn rounds{true, {"rounds", "3", "12"}};
  EXPECT_EQ(TextTable({name, rounds}),
            "run     rounds\n"
            "n\xc3\xa4"
            "chte       3\n"
            "a           12\n");
}

}  // namespace
}  // namespace skein
