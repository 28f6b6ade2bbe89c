#include "app/plot/svg.h"

#include <cmath>
#include <cstdio>

namespace skein::plot {
namespace {

// A tenth of a pixel is finer than anyone sees, and keeps files small.
std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f", std::round(value * 10) / 10 + 0.0);
  std::string number = text;
  if (number.ends_with(".0")) number.resize(number.size() - 2);
  return number == "-0" ? "0" : number;
}

std::string Attribute(const char* name, const std::string& value) {
  return std::string(" ") + name + "=\"" + value + '"';
}

std::string Attribute(const char* name, double value) { return Attribute(name, Number(value)); }

}  // namespace

Svg::Svg(double width, double height, const std::string& title) {
  body_ = "<svg xmlns=\"http://www.w3.org/2000/svg\"" + Attribute("width", width) +
          Attribute("height", height) +
          Attribute("viewBox", "0 0 " + Number(width) + ' ' + Number(height)) +
          " font-family=\"Helvetica, Arial, sans-serif\" role=\"img\">\n<title>" + XmlText(title) +
          "</title>\n";
  Rect(0, 0, width, height, "#ffffff");
}

void Svg::Rect(double x, double y, double width, double height, const std::string& fill) {
  body_ += "<rect" + Attribute("x", x) + Attribute("y", y) + Attribute("width", width) +
           Attribute("height", height) + Attribute("fill", fill) + "/>\n";
}

void Svg::Bars(const Points& spans, double y, double height, const std::string& fill) {
  if (spans.empty()) return;
  std::string path;
  for (const auto& [begin, end] : spans) {
    path += 'M' + Number(begin) + ' ' + Number(y) + 'H' + Number(end) + 'v' + Number(height) + 'H' +
            Number(begin) + 'z';
  }
  body_ += "<path" + Attribute("d", path) + Attribute("fill", fill) + "/>\n";
}

void Svg::Line(double x1, double y1, double x2, double y2, const std::string& more) {
  body_ += "<line" + Attribute("x1", x1) + Attribute("y1", y1) + Attribute("x2", x2) +
           Attribute("y2", y2) + ' ' + more + "/>\n";
}

void Svg::Polyline(const Points& points, const std::string& more) {
  std::string text;
  for (const auto& [x, y] : points) text += Number(x) + ',' + Number(y) + ' ';
  if (!text.empty()) text.pop_back();
  body_ += "<polyline" + Attribute("points", text) + " fill=\"none\" " + more + "/>\n";
}

void Svg::Dots(const Points& points, double radius, const std::string& fill) {
  for (const auto& [x, y] : points) {
    body_ += "<circle" + Attribute("cx", x) + Attribute("cy", y) + Attribute("r", radius) +
             Attribute("fill", fill) + "/>\n";
  }
}

void Svg::Crosses(const Points& points, double radius, const std::string& color) {
  if (points.empty()) return;
  std::string path;
  const std::string size = Number(2 * radius);
  for (const auto& [x, y] : points) {
    path += 'M' + Number(x - radius) + ' ' + Number(y - radius) + 'l' + size + ' ' + size + "m-" +
            size + " 0l" + size + " -" + size;
  }
  body_ += "<path" + Attribute("d", path) + Attribute("stroke", color) +
           " stroke-width=\"1.8\" fill=\"none\"/>\n";
}

void Svg::Text(double x, double y, const std::string& text, const TextStyle& style) {
  body_ += "<text" + Attribute("x", x) + Attribute("y", y) + Attribute("font-size", style.size) +
           Attribute("fill", style.color);
  if (style.anchor != std::string("start")) body_ += Attribute("text-anchor", style.anchor);
  if (style.bold) body_ += " font-weight=\"bold\"";
  if (style.upright) {
    body_ += Attribute("transform", "rotate(-90 " + Number(x) + ' ' + Number(y) + ')');
  }
  body_ += '>' + XmlText(text) + "</text>\n";
}

void Svg::BeginGroup(const std::string& title) {
  body_ += "<g><title>" + XmlText(title) + "</title>\n";
}

void Svg::DefineHatching(const std::string& id, const std::string& color) {
  body_ += "<defs><pattern" + Attribute("id", id) +
           " width=\"4\" height=\"4\" patternUnits=\"userSpaceOnUse\" "
           "patternTransform=\"rotate(45)\"><rect width=\"4\" height=\"4\" fill=\"#ffffff\"/>"
           "<rect width=\"1.6\" height=\"4\"" +
           Attribute("fill", color) + "/></pattern></defs>\n";
}

}  // namespace skein::plot
