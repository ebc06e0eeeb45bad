//===- RandomPhase.cpp - phases drawn at random --------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/RandomPhase.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace txc::test;
using llvm::formatv;
using llvm::join;

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

static std::string makeTensor(const std::vector<std::string> &sizes,
                              const std::string &element) {
  std::string dims;
  bool isDynamic = false;
  for (const std::string &size : sizes) {
    bool isFixed = llvm::all_of(size, llvm::isDigit);
    isDynamic |= !isFixed;
    dims += (isFixed ? size : "?") + "x";
  }
  std::string encoding =
      isDynamic ? ", #tx.dims<[" + join(sizes, ", ") + "]>" : "";
  return "tensor<" + dims + element + encoding + ">";
}

namespace {
/// Sizes and indices of a view's dims.
struct ViewDims {
  std::vector<std::string> sizes, indices;
  void add(const std::string &size, const std::string &index) {
    sizes.push_back(size);
    indices.push_back(index);
  }
};
} // namespace

/// The product or sum of a size and a number, folded where both are numbers.
static std::string combine(const Axis &axis, int64_t factor, int64_t term) {
  if (axis.isFixed())
    return std::to_string(std::stoll(axis.size) * factor + term);
  return axis.size + " * " + std::to_string(factor) + " + " +
         std::to_string(term);
}

static void addAxis(Draw &draw, const Axis &axis, ViewKind kind,
                    ViewDims &dims) {
  int64_t parts = draw.number(2, 5);
  bool isEven = axis.isFixed() && std::stoll(axis.size) % parts == 0;
  bool maySplit =
      kind == ViewKind::Input || (kind == ViewKind::Result && isEven);
  if (draw.chance(20) && maySplit) {
    std::string count =
        axis.isFixed()
            ? std::to_string((std::stoll(axis.size) + parts - 1) / parts)
            : formatv("floordiv({0} + {1}, {2})", axis.size, parts - 1, parts)
                  .str();
    dims.add(count, formatv("{0} floordiv {1}", axis.variable, parts));
    dims.add(std::to_string(parts),
             formatv("{0} mod {1}", axis.variable, parts));
    return;
  }
  if (kind != ViewKind::Result && draw.chance(20)) {
    int64_t step = draw.pick({1, 1, 2}), first = draw.number(0, 3);
    dims.add(combine(axis, step, first + draw.number(0, 2)),
             formatv("{0} * {1} + {2}", axis.variable, step, first));
    return;
  }
  dims.add(axis.size, axis.variable);
}

View txc::test::drawView(Draw &draw, std::vector<Axis> axes,
                         const std::string &element, ViewKind kind) {
  if (draw.chance(40))
    draw.shuffle(axes);
  ViewDims dims;
  for (const Axis &axis : axes) {
    if (kind != ViewKind::Result && draw.chance(12))
      continue; // Broadcast.
    if (kind != ViewKind::Result && draw.chance(8))
      dims.add("2", draw.pick({"0", "1"}));
    addAxis(draw, axis, kind, dims);
  }
  return {makeTensor(dims.sizes, element),
          "(" + join(dims.indices, ", ") + ")"};
}

Axis txc::test::drawAxis(Draw &draw, const std::string &variable,
                         const std::string &symbol, int64_t largest,
                         int percentFixed) {
  if (draw.chance(percentFixed))
    return {variable, std::to_string(draw.number(1, largest))};
  return {variable, symbol};
}

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

namespace {
/// Straight code on one float type.
class Body {
public:
  Body(Draw &draw, std::string type) : draw(draw), type(std::move(type)) {}

  void use(const std::string &value) { values.push_back(value); }
  /// A few operations, in which every value is used once.
  std::string finish();
  std::string emit(const std::string &op, const std::string &operands) {
    std::string result = "%v" + std::to_string(count++);
    text += "  " + result + " = " + op + " " + operands + " : " + type + "\n";
    return result;
  }

  std::string text;

private:
  std::string drawUnary(const std::string &x);

  Draw &draw;
  std::string type;
  std::vector<std::string> values;
  int count = 0;
};
} // namespace

std::string Body::drawUnary(const std::string &x) {
  const char *op = draw.pick<const char *>(
      {"math.tanh", "math.erf", "math.sin", "math.absf", "arith.negf"});
  return emit(op, x);
}

std::string Body::finish() {
  while (values.size() > 1) {
    std::string x = values.back();
    values.pop_back();
    if (draw.chance(30))
      x = drawUnary(x);
    const char *op =
        draw.pick<const char *>({"arith.addf", "arith.subf", "arith.mulf"});
    values.back() = emit(op, x + ", " + values.back());
  }
  if (draw.chance(50))
    values.back() = drawUnary(values.back());
  return values.back();
}

/// "[#tx.expr<M>, #tx.expr<4>]"
static std::string getSizes(const std::vector<Axis> &axes) {
  std::vector<std::string> sizes;
  sizes.reserve(axes.size());
  for (const Axis &axis : axes)
    sizes.push_back("#tx.expr<" + axis.size + ">");
  return "[" + join(sizes, ", ") + "]";
}

static std::vector<std::string> getSymbols(const std::vector<Axis> &axes) {
  std::vector<std::string> symbols;
  for (const Axis &axis : axes)
    if (!axis.isFixed() && !llvm::is_contained(symbols, axis.size))
      symbols.push_back(axis.size);
  return symbols;
}

namespace {
/// The text of an op on some views.
class PhaseText {
public:
  explicit PhaseText(const std::vector<Axis> &axes) : axes(axes) {
    std::vector<std::string> variables;
    variables.reserve(axes.size());
    for (const Axis &axis : axes)
      variables.push_back(axis.variable);
    space = "(" + join(variables, ", ") + ")";
  }

  /// An operand; its argument is %aI.
  void addOperand(const std::string &type) {
    arguments.push_back(formatv("%a{0}: {1}", arguments.size(), type).str());
    types.push_back(type);
  }
  void addMap(const std::string &map) {
    maps.push_back("affine_map<" + space + " -> " + map + ">");
  }
  void addView(const View &view) {
    addOperand(view.type);
    addMap(view.map);
  }
  /// "%a2, %a3 : t, u" of the operands from `first` on.
  std::string getOperands(size_t first) const {
    std::vector<std::string> names;
    for (size_t i = first; i < types.size(); ++i)
      names.push_back("%a" + std::to_string(i));
    return join(names, ", ") + " : " +
           join(llvm::ArrayRef(types).drop_front(first), ", ");
  }
  std::string getMaps() const { return "maps [" + join(maps, ", ") + "]"; }
  RandomPhase finish(const std::string &op, int numResults) const {
    std::string results =
        numResults == 1 ? "%r" : formatv("%r:{0}", numResults).str();
    return {"func.func @main(" + join(arguments, ", ") + ") {\n" + results +
                " = " + op + "\nreturn\n}",
            getSymbols(axes)};
  }

  size_t size() const { return types.size(); }
  const std::vector<std::string> &getTypes() const { return types; }

private:
  const std::vector<Axis> &axes;
  std::string space;
  std::vector<std::string> arguments, types, maps;
};
} // namespace

//===----------------------------------------------------------------------===//
// kernel.gemm
//===----------------------------------------------------------------------===//

RandomPhase txc::test::drawGemm(Draw &draw) {
  enum Kind { Dense, Panels, Bf16, Int8 };
  Kind kind = draw.pick({Dense, Dense, Panels, Panels, Bf16, Int8});
  std::vector<Axis> axes;
  if (draw.chance(40))
    axes.push_back(drawAxis(draw, "b", "B", 3, 30));
  if (draw.chance(25))
    axes.push_back(drawAxis(draw, "h", "H", 3, 60));
  size_t batch = axes.size();
  axes.push_back(drawAxis(draw, "m", "M", 30, 20));
  axes.push_back(drawAxis(draw, "n", "N", 70, kind == Dense ? 50 : 100));
  axes.push_back(drawAxis(draw, "k", "K", 90, kind == Dense ? 50 : 100));
  const Axis &n = axes[batch + 1], &k = axes[batch + 2];
  std::vector<Axis> lhs(axes), rhs(axes), result(axes);
  lhs.erase(lhs.begin() + batch + 1);
  rhs.erase(rhs.begin() + batch);
  result.pop_back();

  PhaseText text(axes);
  std::string element = "f32";
  if (kind == Dense)
    element = draw.pick<const char *>({"f32", "f32", "f16"});
  else if (kind == Bf16)
    element = draw.pick<const char *>({"f32", "bf16"});
  bool isNarrowed = kind == Bf16 || kind == Int8;
  text.addView(drawView(draw, lhs, element,
                        isNarrowed ? ViewKind::StridedInput : ViewKind::Input));
  if (kind == Dense) {
    text.addView(drawView(draw, rhs, element, ViewKind::Input));
  } else {
    const char *format =
        kind == Panels ? draw.pick<const char *>(
                             {"f32, #pack.panels<16>", "f32, #pack.panels<16>",
                              "f16, #pack.panels<16>", "bf16, #pack.panels<16>",
                              "i8, #pack.panels<16>"})
        : kind == Bf16 ? "bf16, #pack.panels<16, depth 2>"
                       : "i8, #pack.panels<16, depth 4, shift 1>";
    text.addView(
        {formatv("!pack.tensor<{0}x{1}x{2}>", k.size, n.size, format).str(),
         "(k, n)"});
  }
  Body body(draw, "f32");
  std::string arguments = "%acc: f32";
  body.use("%acc");
  for (int64_t i = draw.number(0, 3); i > 0; --i) {
    std::string name = "%x" + std::to_string(i);
    arguments += ", " + name + ": f32";
    body.use(name);
    text.addView(drawView(draw, result, "f32", ViewKind::Input));
  }
  std::string value = body.finish();
  int numResults = draw.chance(20) ? 2 : 1;
  std::vector<std::string> types;
  for (int i = 0; i < numResults; ++i) {
    View view = drawView(draw, result, "f32", ViewKind::Result);
    types.push_back(view.type);
    text.addMap(view.map);
  }
  std::string inputs =
      text.size() > 2 ? "ins(" + text.getOperands(2) + ")" : "";
  const char *precision = kind == Bf16   ? " precision bf16"
                          : kind == Int8 ? " precision int8"
                                         : "";
  std::vector<std::string> operands = text.getTypes();
  std::vector<std::string> values(numResults, value);
  std::vector<std::string> f32s(numResults, "f32");
  RandomPhase phase = text.finish(
      formatv("kernel.gemm {0} (%a0 : {1}, %a1 : {2}) {3} {4}{5} -> {6} {{\n"
              "^bb0({7}):\n{8}  kernel.yield {9} : {10}\n}",
              getSizes(axes), operands[0], operands[1], inputs, text.getMaps(),
              precision, join(types, ", "), arguments, body.text,
              join(values, ", "), join(f32s, ", "))
          .str(),
      numResults);
  phase.hasWideOperand = element == "f32";
  return phase;
}

//===----------------------------------------------------------------------===//
// kernel.map and kernel.rows
//===----------------------------------------------------------------------===//

static std::vector<Axis> drawAxes(Draw &draw, int64_t rank) {
  static const char *const variables[] = {"b", "m", "n", "d"};
  static const char *const symbols[] = {"B", "M", "N", "D"};
  std::vector<Axis> axes;
  axes.reserve(rank);
  for (int64_t i = 0; i < rank; ++i)
    axes.push_back(
        drawAxis(draw, variables[i], symbols[i], i + 1 < rank ? 6 : 40, 40));
  return axes;
}

/// Reads an operand of some float type as f32.
static std::string addInput(Draw &draw, const std::vector<Axis> &axes,
                            PhaseText &text, std::string &arguments,
                            std::string &code) {
  std::string element =
      draw.pick<const char *>({"f32", "f32", "f32", "f16", "bf16"});
  std::string name = "%x" + std::to_string(text.size());
  text.addView(drawView(draw, axes, element, ViewKind::Input));
  arguments += (arguments.empty() ? "" : ", ") + name + ": " + element;
  if (element == "f32")
    return name;
  code +=
      "  " + name + "w = arith.extf " + name + " : " + element + " to f32\n";
  return name + "w";
}

/// Adds result views and the end of the body.
static RandomPhase finishNest(Draw &draw, const std::vector<Axis> &axes,
                              PhaseText &text, const std::string &name,
                              const std::string &arguments, std::string code,
                              const std::string &value) {
  std::vector<std::string> types, values, elements;
  int numResults = draw.chance(20) ? 2 : 1;
  for (int i = 0; i < numResults; ++i) {
    std::string element =
        draw.pick<const char *>({"f32", "f32", "f16", "bf16"});
    View view = drawView(draw, axes, element, ViewKind::Result);
    types.push_back(view.type);
    text.addMap(view.map);
    elements.push_back(element);
    values.push_back(value);
    if (element != "f32") {
      values.back() = formatv("%t{0}", i);
      code += formatv("  {0} = arith.truncf {1} : f32 to {2}\n", values.back(),
                      value, element);
    }
  }
  return text.finish(
      formatv("kernel.{0} {1} ins({2}) {3} -> {4} {{\n^bb0({5}):\n{6}  "
              "kernel.yield {7} : {8}\n}",
              name, "{SIZES}", text.getOperands(0), text.getMaps(),
              join(types, ", "), arguments, code, join(values, ", "),
              join(elements, ", "))
          .str(),
      numResults);
}

static void replace(std::string &text, const std::string &from,
                    const std::string &to) {
  text.replace(text.find(from), from.size(), to);
}

RandomPhase txc::test::drawMap(Draw &draw) {
  std::vector<Axis> axes = drawAxes(draw, draw.number(1, 4));
  PhaseText text(axes);
  Body body(draw, "f32");
  std::string arguments;
  for (int64_t i = draw.number(1, 3); i > 0; --i)
    body.use(addInput(draw, axes, text, arguments, body.text));
  std::string value = body.finish();
  RandomPhase phase =
      finishNest(draw, axes, text, "map", arguments, body.text, value);
  replace(phase.text, "{SIZES}", getSizes(axes));
  return phase;
}

RandomPhase txc::test::drawRows(Draw &draw) {
  std::vector<Axis> axes = drawAxes(draw, draw.number(2, 4));
  int64_t rowRank = draw.number(1, axes.size() == 2 ? 1 : 2);
  PhaseText text(axes);
  Body body(draw, "f32");
  std::string arguments;
  for (int64_t i = draw.number(1, 2); i > 0; --i)
    body.use(addInput(draw, axes, text, arguments, body.text));
  std::string value = body.finish();
  // What norms and softmax are made of, each after the one before.
  for (int64_t i = draw.number(1, 3); i > 0; --i) {
    std::string kind = draw.pick<const char *>({"sum", "max", "min"});
    std::string reduced = body.emit(formatv("kernel.reduce {0}", kind), value);
    if (kind == "sum") {
      std::string scale = body.emit("math.tanh", reduced);
      value = body.emit("arith.mulf", formatv("{0}, {1}", value, scale));
    } else {
      std::string centred =
          body.emit("arith.subf", formatv("{0}, {1}", value, reduced));
      value = body.emit("math.tanh", centred);
    }
  }
  RandomPhase phase =
      finishNest(draw, axes, text, "rows", arguments, body.text, value);
  replace(phase.text, "{SIZES}",
          getSizes(axes) + " row " + std::to_string(rowRank));
  return phase;
}

//===----------------------------------------------------------------------===//
// kernel.attention
//===----------------------------------------------------------------------===//

RandomPhase txc::test::drawAttention(Draw &draw) {
  int64_t group = draw.pick({1, 1, 2, 3});
  int64_t heads = group * draw.number(1, 2);
  std::vector<Axis> axes = {drawAxis(draw, "b", "B", 3, 40),
                            {"h", std::to_string(heads)},
                            drawAxis(draw, "s", "S", 40, 30),
                            drawAxis(draw, "t", "T", 90, 30),
                            {"d", std::to_string(draw.pick({8, 16, 20, 33}))},
                            {"e", std::to_string(draw.pick({8, 10, 16, 40}))}};
  std::string element = draw.pick<const char *>({"f32", "f32", "f32", "bf16"});
  PhaseText text(axes);
  auto addOperand = [&](int length, int size, bool isKey) {
    // Strided, with heads anywhere.
    std::vector<std::pair<std::string, std::string>> dims = {
        {axes[0].size, "b"},
        {std::to_string(isKey ? heads / group : heads),
         isKey && group > 1 ? formatv("h floordiv {0}", group).str() : "h"},
        {axes[length].size, axes[length].variable}};
    if (draw.chance(60))
      draw.shuffle(dims);
    dims.insert(draw.chance(85) ? dims.end() : dims.end() - 1,
                {axes[size].size, axes[size].variable});
    ViewDims view;
    for (const auto &[extent, index] : dims)
      view.add(extent, index);
    return View{makeTensor(view.sizes, element),
                "(" + join(view.indices, ", ") + ")"};
  };
  text.addView(addOperand(2, 4, false));
  text.addView(addOperand(3, 4, true));
  text.addView(addOperand(3, 5, true));
  std::string operands, attributes = "scale = 0.2 : f64";
  if (draw.chance(50)) {
    std::string type = draw.pick<std::string>({"i1", element});
    std::vector<Axis> all(axes.begin(), axes.begin() + 4);
    if (draw.chance(50))
      all = {all[0], all[3]};
    ViewDims view;
    for (const Axis &axis : all)
      view.add(axis.size, axis.variable);
    View mask = {makeTensor(view.sizes, type),
                 "(" + join(view.indices, ", ") + ")"};
    operands += formatv(" mask %a{0} : {1}", text.size(), mask.type).str();
    text.addView(mask);
  }
  if (draw.chance(30)) {
    std::string type = makeTensor({axes[0].size}, "i64");
    operands += formatv(" lengths %a{0} : {1}", text.size(), type).str();
    text.addOperand(type);
  }
  if (draw.chance(40)) {
    attributes +=
        ", causal = #tx.expr<" +
        draw.pick<std::string>(
            {"0", "3", axes[3].size + " + " + axes[2].size + " * -1"}) +
        ">";
    if (draw.chance(40))
      attributes += formatv(", window = {0} : i64", draw.number(1, 9)).str();
  }
  if (draw.chance(15))
    attributes += ", softcap = 0.5 : f64";
  attributes += std::string(", masked_row = #tx<masked_row ") +
                draw.pick<const char *>({"uniform", "zero", "nan"}) + ">";
  View result = addOperand(2, 5, false);
  text.addMap(result.map);
  std::vector<std::string> types = text.getTypes();
  return text.finish(
      formatv("kernel.attention {0} (%a0 : {1}, %a1 : {2}, %a2 : {3}){4} {5} "
              "{{{6}} -> {7}",
              getSizes(axes), types[0], types[1], types[2], operands,
              text.getMaps(), attributes, result.type)
          .str(),
      1);
}
