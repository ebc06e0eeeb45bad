//===- TxAttrs.cpp - text and checks of tx attributes --------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/tx/Tx.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace txc::tx;

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

static bool isIdentifier(StringRef name) {
  if (name.empty() || !(llvm::isAlpha(name[0]) || name[0] == '_'))
    return false;
  return llvm::all_of(name, [](char c) {
    return llvm::isAlnum(c) || c == '_' || c == '.' || c == '$';
  });
}

static void printExpr(llvm::raw_ostream &os, SymExprAttr expr);

static void printAtom(llvm::raw_ostream &os, AtomAttr atom) {
  if (!atom.getFunction().empty()) {
    os << atom.getFunction() << "(";
    llvm::interleaveComma(atom.getArguments(), os, [&](Attribute argument) {
      printExpr(os, cast<SymExprAttr>(argument));
    });
    os << ")";
    return;
  }
  StringRef name = atom.getName();
  bool isFunctionName = name == "floordiv" || name == "max" || name == "min";
  if (isIdentifier(name) && !isFunctionName) {
    os << name;
    return;
  }
  os << '"';
  llvm::printEscapedString(name, os);
  os << '"';
}

static void printExpr(llvm::raw_ostream &os, SymExprAttr expr) {
  if (expr.getTerms().empty())
    os << 0;
  llvm::interleave(
      expr.getTerms(), os,
      [&](MonomialAttr monomial) {
        int64_t coefficient = monomial.getCoefficient();
        bool printsCoefficient =
            coefficient != 1 || monomial.getFactors().empty();
        if (printsCoefficient)
          os << coefficient;
        if (printsCoefficient && !monomial.getFactors().empty())
          os << " * ";
        llvm::interleave(
            monomial.getFactors(), os,
            [&](AtomAttr atom) { printAtom(os, atom); }, " * ");
      },
      " + ");
}

std::string SymExprAttr::str() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  printExpr(os, *this);
  return text;
}

static FailureOr<SymExprAttr> parseExpr(AsmParser &parser);

/// factor ::= integer | symbol | string | function `(` expr `,` expr `)`
static FailureOr<SymExprAttr> parseFactor(AsmParser &parser) {
  MLIRContext *context = parser.getContext();
  int64_t value;
  OptionalParseResult integer = parser.parseOptionalInteger(value);
  if (integer.has_value()) {
    if (failed(*integer))
      return failure();
    return getConstantExpr(context, value);
  }
  std::string text;
  if (succeeded(parser.parseOptionalString(&text)))
    return getSymbolExpr(context, text);
  StringRef keyword;
  if (failed(parser.parseOptionalKeyword(&keyword)))
    return parser.emitError(parser.getCurrentLocation(),
                            "expected an integer, a symbol or a function");
  if (keyword != "floordiv" && keyword != "max" && keyword != "min")
    return getSymbolExpr(context, keyword);
  if (failed(parser.parseLParen()))
    return failure();
  FailureOr<SymExprAttr> lhs = parseExpr(parser);
  if (failed(lhs) || failed(parser.parseComma()))
    return failure();
  FailureOr<SymExprAttr> rhs = parseExpr(parser);
  if (failed(rhs) || failed(parser.parseRParen()))
    return failure();
  if (keyword == "floordiv")
    return floorDiv(*lhs, *rhs);
  return keyword == "max" ? max(*lhs, *rhs) : min(*lhs, *rhs);
}

/// expr ::= term (`+` term)*, term ::= factor (`*` factor)*
static FailureOr<SymExprAttr> parseExpr(AsmParser &parser) {
  SymExprAttr sum = getConstantExpr(parser.getContext(), 0);
  do {
    FailureOr<SymExprAttr> term = parseFactor(parser);
    while (succeeded(term) && succeeded(parser.parseOptionalStar())) {
      FailureOr<SymExprAttr> factor = parseFactor(parser);
      if (failed(factor))
        return failure();
      term = mul(*term, *factor);
    }
    if (failed(term))
      return failure();
    sum = add(sum, *term);
  } while (succeeded(parser.parseOptionalPlus()));
  return sum;
}

Attribute SymExprAttr::parse(AsmParser &parser, Type) {
  if (failed(parser.parseLess()))
    return {};
  FailureOr<SymExprAttr> expr = parseExpr(parser);
  if (failed(expr) || failed(parser.parseGreater()))
    return {};
  return *expr;
}

void SymExprAttr::print(AsmPrinter &printer) const {
  printer << "<" << str() << ">";
}

static ParseResult parseExprList(AsmParser &parser,
                                 SmallVectorImpl<SymExprAttr> &exprs) {
  return parser.parseCommaSeparatedList(
      AsmParser::Delimiter::Square, [&]() -> ParseResult {
        FailureOr<SymExprAttr> expr = parseExpr(parser);
        if (failed(expr))
          return failure();
        exprs.push_back(*expr);
        return success();
      });
}

static void printExprList(AsmPrinter &printer, ArrayRef<SymExprAttr> exprs) {
  printer << "[";
  llvm::interleaveComma(exprs, printer,
                        [&](SymExprAttr expr) { printer << expr.str(); });
  printer << "]";
}

//===----------------------------------------------------------------------===//
// Dims and symbolic tensors
//===----------------------------------------------------------------------===//

Attribute DimsAttr::parse(AsmParser &parser, Type) {
  SmallVector<SymExprAttr> dims;
  if (failed(parser.parseLess()) || failed(parseExprList(parser, dims)) ||
      failed(parser.parseGreater()))
    return {};
  return DimsAttr::get(parser.getContext(), dims);
}

void DimsAttr::print(AsmPrinter &printer) const {
  printer << "<";
  printExprList(printer, getDims());
  printer << ">";
}

LogicalResult
DimsAttr::verifyEncoding(ArrayRef<int64_t> shape, Type,
                         function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.size() != getDims().size())
    return emitError() << "expected " << shape.size()
                       << " dims in the encoding, found " << getDims().size();
  for (auto [index, size, expr] : llvm::enumerate(shape, getDims())) {
    std::optional<int64_t> constant = expr.getConstant();
    if (constant ? size == *constant : ShapedType::isDynamic(size))
      continue;
    return emitError() << "dim " << index << " is "
                       << (ShapedType::isDynamic(size) ? "?"
                                                       : std::to_string(size))
                       << " in the type but " << expr.str()
                       << " in the encoding";
  }
  return success();
}

Attribute ExprsAttr::parse(AsmParser &parser, Type) {
  SmallVector<SymExprAttr> exprs;
  RankedTensorType type;
  SMLoc loc = parser.getCurrentLocation();
  if (failed(parser.parseLess()) || failed(parseExprList(parser, exprs)) ||
      failed(parser.parseColonType(type)) || failed(parser.parseGreater()))
    return {};
  if (!type.hasStaticShape() ||
      type.getNumElements() != static_cast<int64_t>(exprs.size())) {
    parser.emitError(loc, "expected as many expressions as the type has "
                          "elements");
    return {};
  }
  return ExprsAttr::get(parser.getContext(), exprs, type);
}

void ExprsAttr::print(AsmPrinter &printer) const {
  printer << "<";
  printExprList(printer, getExprs());
  printer << " : " << getType() << ">";
}

#include "dialects/tx/TxEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/tx/TxAttrs.cpp.inc"

void TxDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/tx/TxAttrs.cpp.inc"
      >();
}
