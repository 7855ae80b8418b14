#include <gtest/gtest.h>

#include "app/import/tree.h"

namespace app::import {
namespace {

Tree text(std::string value) { return Tree{std::move(value)}; }

Tree read(Format format, std::string_view input) {
  auto tree = read_tree(format, input);
  EXPECT_TRUE(tree) << input << ": " << (tree ? "" : tree.error());
  return tree ? *std::move(tree) : Tree{};
}

std::string refusal(Format format, std::string_view input) {
  const auto tree = read_tree(format, input);
  EXPECT_FALSE(tree) << input;
  return tree ? "" : tree.error();
}

// The same document in three ways.
constexpr std::string_view kJson = R"({
  "on": true, "off": false, "whole": 42, "below": -7, "fraction": 1.5, "text": "a\"b", "number_as_text": "8000",
  "nothing": "", "list": ["x", 1], "table": {"deep": {"er": "1m"}}, "tables": [{"name": "a"}, {"name": "b"}]
})";
constexpr std::string_view kToml = R"(
on = true
off = false
whole = 42
below = -7
fraction = 1.5
text = 'a"b'
number_as_text = "8000"
nothing = ""
list = ["x", 1]
[table.deep]
er = "1m"
[[tables]]
name = "a"
[[tables]]
name = "b"
)";
constexpr std::string_view kYaml = R"(
on: true
off: false
whole: 42
below: -7
fraction: 1.5
text: 'a"b'
number_as_text: "8000"
nothing: ""
list: [x, 1]
table:
  deep:
    er: 1m
tables:
  - name: a
  - name: b
)";

TEST(ReadTree, ThreeFormatsSayTheSame) {
  for (const auto& [format, input] :
       {std::pair{Format::json, kJson}, std::pair{Format::toml, kToml}, std::pair{Format::yaml, kYaml}}) {
    const Tree tree = read(format, input);
    const auto at = [&](std::string_view path) {
      const Tree* const found = find(tree, path);
      EXPECT_NE(found, nullptr) << path;
      return found == nullptr ? Tree{} : *found;
    };
    EXPECT_EQ(at("on"), Tree{true});
    EXPECT_EQ(at("off"), Tree{false});
    EXPECT_EQ(at("whole"), Tree{std::int64_t{42}});
    EXPECT_EQ(at("below"), Tree{std::int64_t{-7}});
    EXPECT_EQ(at("fraction"), Tree{1.5});
    EXPECT_EQ(at("text"), text("a\"b"));
    EXPECT_EQ(at("number_as_text"), text("8000"));
    EXPECT_EQ(at("nothing"), text(""));
    EXPECT_EQ(at("list"), (Tree{Tree::List{text("x"), Tree{std::int64_t{1}}}}));
    EXPECT_EQ(at("table.deep.er"), text("1m"));
    EXPECT_EQ(at("tables"),
              (Tree{Tree::List{Tree{Tree::Table{{"name", text("a")}}}, Tree{Tree::Table{{"name", text("b")}}}}}));
  }
}

TEST(ReadTree, AnEmptyFileIsAnEmptyTable) {
  EXPECT_EQ(read(Format::json, "{}"), Tree{Tree::Table{}});
  EXPECT_EQ(read(Format::toml, ""), Tree{Tree::Table{}});
  EXPECT_EQ(read(Format::yaml, ""), Tree{Tree::Table{}});
  EXPECT_EQ(read(Format::yaml, "# nothing\n"), Tree{Tree::Table{}});
}

TEST(ReadTree, SaysWhatIsWrong) {
  for (const Format format : {Format::json, Format::toml, Format::yaml}) {
    EXPECT_EQ(refusal(format, "\xff"), "is not UTF-8");
  }
  EXPECT_EQ(refusal(Format::json, "{"), "is not valid JSON");
  EXPECT_EQ(refusal(Format::json, "[]"), "is not a table of keys");
  EXPECT_EQ(refusal(Format::json, "{\"a\":1,\"a\":2}"), "has the key a twice");
  EXPECT_TRUE(refusal(Format::toml, "a = 1\na = 2\n").starts_with("is not valid TOML: line 2: "));
  EXPECT_TRUE(refusal(Format::yaml, "a: [1\nb: 2\n").starts_with("is not valid YAML: line "));
  EXPECT_EQ(refusal(Format::yaml, "a: 1\na: 2\n"), "has the key a twice");
  EXPECT_EQ(refusal(Format::yaml, "- 1\n"), "is not a table of keys");
  EXPECT_EQ(refusal(Format::yaml, "a: 1\n---\nb: 1\n"), "has more than one YAML document in it");
  EXPECT_EQ(refusal(Format::yaml, "---\n---\nb: 1\n"), "has more than one YAML document in it");
  EXPECT_TRUE(read_tree(Format::yaml, "# c\n---\nb: 1\n").has_value());
  read_tree(Format::yaml, ",");  // ends, whatever it says: the library's reader of several documents never does
  EXPECT_EQ(refusal(Format::yaml, "[1]: 2\n"), "has a key that is not a text");
}

TEST(ReadTree, DepthAndNumberAreBounded) {
  const std::string deep_yaml = "a: " + std::string(40, '[') + std::string(40, ']');
  EXPECT_EQ(refusal(Format::yaml, deep_yaml), "is nested too deeply");
  EXPECT_EQ(refusal(Format::toml, "a = " + std::string(40, '[') + std::string(40, ']')), "is nested too deeply");
  EXPECT_EQ(refusal(Format::json, "{\"a\":" + std::string(40, '[') + std::string(40, ']') + "}"),
            "is nested too deeply");
  // Each line stands for ten of the line before.
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int k = 1; k < 10; ++k) laughs += ", " + before;
    laughs += "]\n";
  }
  EXPECT_EQ(refusal(Format::yaml, laughs), "has more values than a configuration can have");
  EXPECT_EQ(refusal(Format::yaml, "a: &a [*a]\n"), "is nested too deeply");
}

TEST(ReadTree, YamlScalarsAreThoseOfTheCoreSchema) {
  const Tree tree =
      read(Format::yaml, "a: ~\nb: null\nc: True\nd: +7\ne: 0x10\nf: yes\ng: 1e3\nh: .nan\ni: \"true\"\nj:\n");
  EXPECT_EQ(*find(tree, "a"), Tree{});
  EXPECT_EQ(*find(tree, "b"), Tree{});
  EXPECT_EQ(*find(tree, "c"), Tree{true});
  EXPECT_EQ(*find(tree, "d"), Tree{std::int64_t{7}});
  EXPECT_EQ(*find(tree, "e"), text("0x10"));
  EXPECT_EQ(*find(tree, "f"), text("yes"));
  EXPECT_EQ(*find(tree, "g"), Tree{1000.0});
  EXPECT_EQ(*find(tree, "h"), text(".nan"));
  EXPECT_EQ(*find(tree, "i"), text("true"));
  EXPECT_EQ(*find(tree, "j"), Tree{});
}

TEST(FormatOf, GoesByNameThenByText) {
  EXPECT_EQ(format_of("a.json", "a: 1"), Format::json);
  EXPECT_EQ(format_of("a.toml", "{}"), Format::toml);
  EXPECT_EQ(format_of("a.yaml", "{}"), Format::yaml);
  EXPECT_EQ(format_of("a.yml", "{}"), Format::yaml);
  EXPECT_EQ(format_of("-", " \n{\"a\":1}"), Format::json);
  EXPECT_EQ(format_of("config", "[a]\nb = 1\n"), Format::toml);
  EXPECT_EQ(format_of("config", "a:\n  b: 1\n"), Format::yaml);
}

TEST(Paths, FindTakeAndPut) {
  Tree tree = read(Format::json, R"({"a":{"b":{"c":1}},"d":2})");
  EXPECT_EQ(*find(tree, "a.b.c"), Tree{std::int64_t{1}});
  EXPECT_EQ(find(tree, "a.x.c"), nullptr);
  EXPECT_EQ(find(tree, "d.e"), nullptr);
  EXPECT_EQ(take(tree, "a.b.c"), Tree{std::int64_t{1}});
  EXPECT_EQ(take(tree, "a.b.c"), std::nullopt);
  EXPECT_EQ(find(tree, "a.b")->table()->size(), 0U);
  EXPECT_TRUE(put(tree, "x.y.z", Tree{true}));
  EXPECT_EQ(*find(tree, "x.y.z"), Tree{true});
  EXPECT_FALSE(put(tree, "x.y.z", Tree{false}));
  EXPECT_FALSE(put(tree, "d.e", Tree{false}));
}

TEST(Tree, OffIsWhatSaysNothing) {
  for (const std::string_view off : {R"({"a":0})", R"({"a":0.0})", R"({"a":""})", R"({"a":false})", R"({"a":null})",
                                     R"({"a":[]})", R"({"a":{}})", R"({"a":[0,"",{"b":false}]})"}) {
    EXPECT_TRUE(find(read(Format::json, off), "a")->is_off()) << off;
  }
  for (const std::string_view on :
       {R"({"a":1})", R"({"a":-0.5})", R"({"a":"x"})", R"({"a":true})", R"({"a":[0,1]})", R"({"a":{"b":"x"}})"}) {
    EXPECT_FALSE(find(read(Format::json, on), "a")->is_off()) << on;
  }
}

}  // namespace
}  // namespace app::import
