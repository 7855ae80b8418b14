// SVG as text: a few shapes, escaped and rounded. It knows nothing of what is drawn. A value; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace client::bench {

struct Point {
  double x = 0;
  double y = 0;
};

class Svg {
 public:
  // `css` styles the classes that the shapes name.
  Svg(double width, double height, std::string_view title, std::string_view css);

  void rectangle(Point corner, double width, double height, std::string_view css_class);
  void line(Point from, Point to, std::string_view css_class);
  void curve(const std::vector<Point>& points, std::string_view css_class);
  // Between the points and the horizontal at `base`.
  void area(const std::vector<Point>& points, double base, std::string_view css_class);
  void dot(Point center, double radius, std::string_view css_class);
  // `css_class` also says where the text stands to its point (text-anchor).
  void text(Point at, std::string_view utf8, std::string_view css_class);
  // Reads upwards.
  void text_upwards(Point at, std::string_view utf8, std::string_view css_class);

  std::string finish() &&;

 private:
  std::string out_;
};

}  // namespace client::bench
