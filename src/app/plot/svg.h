#ifndef SKEIN_SRC_APP_PLOT_SVG_H_
#define SKEIN_SRC_APP_PLOT_SVG_H_

#include <string>
#include <utility>
#include <vector>

namespace skein::plot {

using Points = std::vector<std::pair<double, double>>;

// How a text stands.
struct TextStyle {
  double size = 12;
  const char* anchor = "start";  // "start", "middle", "end" of the text is at its x
  const char* color = "#222222";
  bool bold = false;
  bool upright = false;  // turned by a quarter, to be read from below
};

// A drawing as SVG text: shapes are drawn one over the other in the order of the calls. What comes
// from outside (names) goes through Text and Group, and may be any bytes. Positions are finite.
class Svg {
 public:
  // `title` is what a screen reader says.
  Svg(double width, double height, const std::string& title);

  void Rect(double x, double y, double width, double height, const std::string& fill);
  // Many rectangles of one fill and height, (begin, end) of each, as one element.
  void Bars(const Points& spans, double y, double height, const std::string& fill);
  void Line(double x1, double y1, double x2, double y2, const std::string& more);
  // `more` are attributes, as 'stroke="#888888"'.
  void Polyline(const Points& points, const std::string& more);
  void Dots(const Points& points, double radius, const std::string& fill);
  void Crosses(const Points& points, double radius, const std::string& color);
  void Text(double x, double y, const std::string& text, const TextStyle& style);
  // What is drawn until EndGroup has `title` as its tooltip.
  void BeginGroup(const std::string& title);
  void EndGroup() { body_ += "</g>\n"; }
  // A fill of diagonal lines, to be used as "url(#id)".
  void DefineHatching(const std::string& id, const std::string& color);

  std::string Finish() const { return body_ + "</svg>\n"; }

 private:
  std::string body_;
};

// With the characters of XML escaped, and what no XML may hold (bytes that are not UTF-8, control
// characters) replaced by "?".
std::string XmlText(const std::string& text);

// At most `width` wide in text of this size, as far as can be told without the font: "a long…ame".
std::string Elide(const std::string& text, double width, double size);
double TextWidth(const std::string& text, double size);

}  // namespace skein::plot

#endif  // SKEIN_SRC_APP_PLOT_SVG_H_
