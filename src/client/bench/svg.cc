#include "client/bench/svg.h"

#include <fmt/format.h>

#include <iterator>

namespace client::bench {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        // XML has no other control characters.
        out += static_cast<unsigned char>(c) < ' ' || c == 0x7f ? ' ' : c;
    }
  }
  return out;
}

// A tenth of a pixel is enough, and "-0.0" looks odd.
std::string number(double value) {
  std::string text = fmt::format("{:.1f}", value);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text == "-0" ? "0" : text;
}

std::string pairs(const std::vector<Point>& points) {
  std::string out;
  for (const Point& point : points) out += (out.empty() ? "" : " ") + number(point.x) + "," + number(point.y);
  return out;
}

}  // namespace

Svg::Svg(double width, double height, std::string_view title, std::string_view css) {
  out_ = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" role=\"img\">\n"
      "<title>{2}</title>\n<style>\n{3}</style>\n",
      number(width), number(height), escaped(title), css);
}

void Svg::rectangle(Point corner, double width, double height, std::string_view css_class) {
  fmt::format_to(std::back_inserter(out_), "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" class=\"{}\"/>\n",
                 number(corner.x), number(corner.y), number(width), number(height), css_class);
}

void Svg::line(Point from, Point to, std::string_view css_class) {
  fmt::format_to(std::back_inserter(out_), "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" class=\"{}\"/>\n",
                 number(from.x), number(from.y), number(to.x), number(to.y), css_class);
}

void Svg::curve(const std::vector<Point>& points, std::string_view css_class) {
  fmt::format_to(std::back_inserter(out_), "<polyline points=\"{}\" class=\"{}\"/>\n", pairs(points), css_class);
}

void Svg::area(const std::vector<Point>& points, double base, std::string_view css_class) {
  if (points.empty()) return;
  std::vector<Point> around = points;
  around.push_back({points.back().x, base});
  around.push_back({points.front().x, base});
  fmt::format_to(std::back_inserter(out_), "<polygon points=\"{}\" class=\"{}\"/>\n", pairs(around), css_class);
}

void Svg::dot(Point center, double radius, std::string_view css_class) {
  fmt::format_to(std::back_inserter(out_), "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" class=\"{}\"/>\n", number(center.x),
                 number(center.y), number(radius), css_class);
}

void Svg::text(Point at, std::string_view utf8, std::string_view css_class) {
  fmt::format_to(std::back_inserter(out_), "<text x=\"{}\" y=\"{}\" class=\"{}\">{}</text>\n", number(at.x),
                 number(at.y), css_class, escaped(utf8));
}

void Svg::text_upwards(Point at, std::string_view utf8, std::string_view css_class) {
  fmt::format_to(std::back_inserter(out_), "<text transform=\"translate({},{}) rotate(-90)\" class=\"{}\">{}</text>\n",
                 number(at.x), number(at.y), css_class, escaped(utf8));
}

std::string Svg::finish() && { return std::move(out_) + "</svg>\n"; }

}  // namespace client::bench
