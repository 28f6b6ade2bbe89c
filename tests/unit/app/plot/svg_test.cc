#include "app/plot/svg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/xml.h"

namespace skein::plot {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::StartsWith;

TEST(Svg, HasWhatWasDrawnInItsOrder) {
  Svg svg(200, 100, "a title");
  svg.Rect(1, 2, 3.04, 4, "#ff0000");
  svg.BeginGroup("tip");
  svg.Bars({{0, 10}, {20.26, 30}}, 5, 8, "#00ff00");
  svg.EndGroup();
  svg.Polyline({{0, 0}, {1.5, -2}}, "stroke=\"#000000\"");
  svg.Crosses({{5, 5}}, 2, "#000000");
  svg.DefineHatching("h", "#888888");
  svg.Text(1, 2, "upright", {.anchor = "end", .bold = true, .upright = true});
  const std::vector<XmlElement> elements = ParseXml(svg.Finish());
  ASSERT_GE(elements.size(), 8u);
  EXPECT_EQ(elements[0].name, "svg");
  EXPECT_EQ(elements[0].attributes.at("viewBox"), "0 0 200 100");
  EXPECT_EQ(elements[1].text, "a title");
  EXPECT_EQ(elements[3].attributes.at("width"), "3");
  EXPECT_EQ(elements[5].text, "tip");
  EXPECT_EQ(elements[6].attributes.at("d"), "M0 5H10v8H0zM20.3 5H30v8H20.3z");
  EXPECT_EQ(elements[7].attributes.at("points"), "0,0 1.5,-2");
}

TEST(Svg, NoBarsAreNoElement) {
  Svg svg(10, 10, "");
  svg.Bars({}, 0, 1, "#000000");
  svg.Crosses({}, 1, "#000000");
  EXPECT_EQ(ParseXml(svg.Finish()).size(), 3u);  // svg, title, background
}

TEST(Svg, AnyBytesMakeADocument) {
  std::string all;
  for (int i = 1; i < 256; ++i) all += static_cast<char>(i);
  const std::vector<std::string> bad = {
      all,        "<&>\"'",       "\xed\xa0\x80", "\xc0\x80",          "\xf5\x80\x80\x80",
      "\xe2\x82", "\xef\xbf\xbf", "]]>",          std::string(1, '\0')};
  for (const std::string& name : bad) {
    Svg svg(10, 10, name);
    svg.Text(0, 0, name, {});
    svg.BeginGroup(name);
    svg.EndGroup();
    ParseXml(svg.Finish());
  }
  EXPECT_EQ(XmlText("a<b & \xff"), "a&lt;b &amp; ?");
  EXPECT_EQ(XmlText("\u00fc\u20ac\U0001F9A2"), "\u00fc\u20ac\U0001F9A2");
}

TEST(Elide, KeepsBothEndsOfALongName) {
  EXPECT_EQ(Elide("short", 100, 10), "short");
  const std::string name = "fashion-tree-buffered-20260101T120000";
  const std::string elided = Elide(name, 100, 10);
  EXPECT_LE(TextWidth(elided, 10), 100);
  EXPECT_THAT(elided, StartsWith("fashion"));
  EXPECT_THAT(elided, EndsWith("120000"));
  EXPECT_THAT(elided, ::testing::HasSubstr("\u2026"));
}

TEST(Elide, LeavesWhatFitsExactly) {
  std::string name;
  for (int i = 0; i < 60; ++i) {
    name += 'x';
    for (const double size : {7.0, 9.0, 11.0, 12.0, 13.0}) {
      EXPECT_EQ(Elide(name, TextWidth(name, size), size), name);
    }
  }
}

TEST(Elide, DoesNotCutCharactersApart) {
  std::string name;
  for (int i = 0; i < 40; ++i) name += "\u00fc";
  for (double width = 0; width < 250; width += 7) {
    EXPECT_EQ(XmlText(Elide(name, width, 10)), Elide(name, width, 10));
  }
}

}  // namespace
}  // namespace skein::plot
