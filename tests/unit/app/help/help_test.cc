// What man pages, completions and messages are made of: the definition of a command line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/help/command_tree.h"
#include "app/help/completion.h"
#include "app/help/man_page.h"
#include "app/help/typo.h"
#include "unit/app/help/example_program.h"

namespace skein::help {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class HelpTest : public testing::Test {
 protected:
  const Argument& OptionOf(const std::string& command, const std::string& name) const {
    for (const Argument& option : tree_.Find(command)->options) {
      if (option.names.back() == name) return option;
    }
    ADD_FAILURE() << command << " has no " << name;
    return tree_.options.front();
  }
  std::string Refusal(const std::string& arguments) {
    try {
      program_.app.parse(arguments);
    } catch (const CLI::ParseError& error) {
      return Explain(program_.app, error);
    }
    return "";
  }
  ExampleProgram program_;
  const CommandTree tree_ = Describe(program_.app, "geese");
};

TEST_F(HelpTest, TheTreeHasWhatIsDefinedButForWhatIsHidden) {
  ASSERT_EQ(tree_.commands.size(), 2u);
  EXPECT_EQ(tree_.commands[0].name, "fly");
  EXPECT_EQ(tree_.commands[1].commands[0].path, "geese nest show");
  EXPECT_EQ(tree_.Find("secret"), nullptr);
  ASSERT_EQ(tree_.commands[0].positionals.size(), 1u);
  EXPECT_EQ(tree_.commands[0].positionals[0].value, "FILE");
  EXPECT_TRUE(tree_.commands[0].positionals[0].required);
  EXPECT_TRUE(tree_.commands[1].commands[0].positionals[0].many);
  EXPECT_EQ(tree_.commands[0].options.size(), 4u);  // with --help
}

TEST_F(HelpTest, ArgumentsSayWhatTheyTake) {
  EXPECT_TRUE(OptionOf("fly", "--loud").is_flag());
  const Argument& far = OptionOf("fly", "--far");
  EXPECT_EQ(far.value, "N");
  EXPECT_EQ(far.range, "1 to 9");
  EXPECT_EQ(far.default_value, "3");
  EXPECT_EQ(far.offers, Offers::kNothing);
  EXPECT_THAT(OptionOf("fly", "--out").names, ElementsAre("-o", "--out"));
  EXPECT_EQ(OptionOf("fly", "--out").offers, Offers::kDirectories);
  EXPECT_EQ(tree_.commands[0].positionals[0].offers, Offers::kFiles);
  EXPECT_THAT(tree_.options.back().choices, ElementsAre("info", "warn"));
  EXPECT_EQ(tree_.options.back().offers, Offers::kChoices);
}

TEST_F(HelpTest, PagesHaveEveryArgument) {
  const auto pages = AllPages(tree_, "geese 1.2");
  ASSERT_EQ(pages.size(), 3u);
  EXPECT_EQ(pages[0].first, "geese.1");
  EXPECT_THAT(pages[0].second,
              AllOf(HasSubstr(".TH \"GEESE\" 1"), HasSubstr("\\fBgeese\\-fly\\fR(1)"),
                    HasSubstr("Environment: \\fBGEESE_LOG\\fR."),
                    HasSubstr("One of \\fBinfo\\fR, \\fBwarn\\fR.")));
  EXPECT_EQ(pages[1].first, "geese-fly.1");
  EXPECT_THAT(pages[1].second,
              AllOf(HasSubstr("\\fBgeese fly\\fR [\\fIOPTION\\fR]... \\fIFILE\\fR\n"),
                    HasSubstr("\\fB\\-o\\fR, \\fB\\-\\-out\\fR \\fIDIR\\fR\nWhere to.\n"),
                    HasSubstr("From 1 to 9. Default: \\fB3\\fR."), Not(HasSubstr("ecret"))));
  EXPECT_EQ(pages[2].first, "geese-nest.1");
  EXPECT_THAT(pages[2].second, HasSubstr(".SS geese nest show\n"));
}

TEST_F(HelpTest, TextIsNoRoff) {
  const std::string page = CommandPage(tree_, tree_.commands[0], "");
  EXPECT_THAT(page, AllOf(HasSubstr("geese\\-fly \\- Let them fly (don't: \\e pull)\n"),
                          HasSubstr("\n\\&.honk: [always]")));
}

TEST_F(HelpTest, CompletionsQuoteWhatTheirShellsWouldRead) {
  EXPECT_THAT(ZshCompletion(tree_),
              AllOf(StartsWith("#compdef geese\n"), HasSubstr("'*--loud[.honk\\: \\[always\\]]'"),
                    HasSubstr("fly:Let them fly (don'\\''t\\: \\\\ pull)'"),
                    HasSubstr("'1:FILE:_files'"), HasSubstr("(info warn)")));
  EXPECT_THAT(BashCompletion(tree_), AllOf(HasSubstr("complete -F _geese geese\n"),
                                           Not(HasSubstr("ecret")), Not(HasSubstr("pull"))));
}

TEST_F(HelpTest, AMistypedCommandHasTheNearest) {
  EXPECT_EQ(Refusal("fyl x"), "geese has no command 'fyl'; did you mean 'fly'?; see geese --help");
  EXPECT_THAT(Refusal("waddle"), AllOf(HasSubstr("'waddle'"), HasSubstr("known: fly, nest")));
  EXPECT_THAT(Refusal("nest shwo"),
              HasSubstr("geese nest has no command 'shwo'; did you mean 'show'"));
}

TEST_F(HelpTest, AMistypedOptionHasTheNearest) {
  EXPECT_EQ(Refusal("fly x --fra=3"),
            "geese fly has no option '--fra'; did you mean '--far'?; see geese fly --help");
  EXPECT_THAT(Refusal("fly x --log-levle info"), HasSubstr("'--log-level'"));
  EXPECT_THAT(Refusal("fly x --wings"), HasSubstr("--wings"));
}

TEST_F(HelpTest, OtherErrorsAreTheParsers) {
  EXPECT_THAT(Refusal("fly"), AllOf(HasSubstr("flock"), HasSubstr("see geese fly --help")));
  EXPECT_THAT(Refusal("fly x --far 20"), HasSubstr("--far"));
  EXPECT_THAT(Refusal("fly x y"), HasSubstr("y"));
}

}  // namespace
}  // namespace skein::help
