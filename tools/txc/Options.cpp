//===- Options.cpp - the command line of txc -----------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/txc/Options.h"
#include "compiler/emit/CIdentifiers.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Option/ArgList.h"
#include "llvm/Option/OptTable.h"
#include "llvm/Option/Option.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace llvm::opt;
using namespace txc;
using namespace txc::tool;

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

namespace {

enum CommandVisibility : unsigned {
  CompileCommand = 1 << 1,
  CheckCommand = 1 << 2,
  ExplainCommand = 1 << 3,
  VerifyCommand = 1 << 4
};

#define OPTTABLE_STR_TABLE_CODE
#include "tools/txc/Options.inc"
#undef OPTTABLE_STR_TABLE_CODE

#define OPTTABLE_PREFIXES_TABLE_CODE
#include "tools/txc/Options.inc"
#undef OPTTABLE_PREFIXES_TABLE_CODE

enum OptionId : unsigned {
  OPT_INVALID = 0,
#define OPTION(...) LLVM_MAKE_OPT_ID(__VA_ARGS__),
#include "tools/txc/Options.inc"
#undef OPTION
};

constexpr OptTable::Info optionInfos[] = {
#define OPTION(...) LLVM_CONSTRUCT_OPT_INFO(__VA_ARGS__),
#include "tools/txc/Options.inc"
#undef OPTION
};

class TxcOptTable : public GenericOptTable {
public:
  TxcOptTable()
      : GenericOptTable(OptionStrTable, OptionPrefixesTable, optionInfos) {}
};

struct CommandEntry {
  StringLiteral name;
  Command command;
  CommandVisibility visibility;
};

} // namespace

/// The first word of a command line; compiling has none.
static constexpr CommandEntry commands[] = {
    {"check", Command::Check, CheckCommand},
    {"explain", Command::Explain, ExplainCommand},
    {"verify", Command::Verify, VerifyCommand}};

static constexpr char usage[] =
    "txc MODEL.onnx -o MODEL.so        compile to MODEL.so and MODEL.h\n"
    "       txc check MODEL.onnx              list what can't be compiled\n"
    "       txc explain MODEL.onnx            say what becomes of the model\n"
    "       txc verify MODEL.onnx             compare with the reference "
    "interpreter";

void tool::printHelp(raw_ostream &os, bool showHidden) {
  TxcOptTable().printHelp(
      os, usage, "compiler of ONNX transformers to shared objects", showHidden);
}

//===----------------------------------------------------------------------===//
// Values of options
//===----------------------------------------------------------------------===//

static Error badValue(const Arg &arg, const Twine &expected) {
  return createStringError("option " + arg.getSpelling() + ": expected " +
                           expected + ", found \"" + arg.getValue() + "\"");
}

/// NAME=N or NAME=LO..HI; the last '=' counts, since names may have one.
static Expected<DimOption> parseDim(const Arg &arg) {
  auto [name, range] = StringRef(arg.getValue()).rsplit('=');
  auto [lower, upper] = range.split("..");
  DimOption dim;
  dim.name = name.str();
  uint64_t low = 0;
  uint64_t high = 0;
  bool isRange = range.contains("..");
  if (name.empty() || lower.getAsInteger(10, low) ||
      (isRange && upper.getAsInteger(10, high)) ||
      low > std::numeric_limits<int64_t>::max() ||
      high > std::numeric_limits<int64_t>::max())
    return badValue(arg, "NAME=N or NAME=LO..HI with numbers from 0 on");
  dim.lower = static_cast<int64_t>(low);
  dim.upper = isRange ? static_cast<int64_t>(high) : dim.lower;
  if (dim.lower > *dim.upper)
    return badValue(arg, "LO..HI with LO at most HI");
  return dim;
}

static Error setPrecision(const Arg &arg, Options &options) {
  StringRef value = arg.getValue();
  options.exact = value == "exact";
  options.precision = kernel::symbolizePrecision(value);
  if (options.exact || options.precision || value == "model")
    return Error::success();
  if (is_contained({"tf32", "f16"}, value))
    return createStringError("-precision=" + value +
                             " is not supported: the target multiplies no such "
                             "numbers; try -precision=bf16");
  return badValue(arg, "model, exact, bf16 or int8");
}

static Error setState(const Arg &arg, Options &options) {
  if (StringRef(arg.getValue()) != "kv")
    return badValue(arg, "kv");
  options.cacheToState = true;
  return Error::success();
}

static Error setPadding(const Arg &arg, Options &options) {
  StringRef value = arg.getValue();
  if (value != "skip" && value != "keep")
    return badValue(arg, "skip or keep");
  options.padding = value == "skip" ? PaddingMode::skip : PaddingMode::keep;
  return Error::success();
}

static Error setSanitizer(const Arg &arg, Options &options) {
  std::optional<Sanitizer> sanitizer =
      StringSwitch<std::optional<Sanitizer>>(arg.getValue())
          .Case("address", Sanitizer::Address)
          .Case("thread", Sanitizer::Thread)
          .Default(std::nullopt);
  if (!sanitizer)
    return badValue(arg, "address or thread");
  options.codeGen.sanitizer = *sanitizer;
  return Error::success();
}

static Error setStage(const Arg &arg, Options &options) {
  StringRef value = arg.getValue();
  std::optional<Stage> stage = StringSwitch<std::optional<Stage>>(value)
                                   .Case("tx", Stage::Tx)
                                   .Case("kernel", Stage::Kernel)
                                   .Case("loops", Stage::Loops)
                                   .Case("llvm", Stage::LLVM)
                                   .Case("asm", Stage::Assembly)
                                   .Case("ptx", Stage::Ptx)
                                   .Case("obj", Stage::Object)
                                   .Case("so", Stage::SharedObject)
                                   .Default(std::nullopt);
  if (!stage)
    return badValue(arg, "tx, kernel, loops, llvm, asm, ptx, obj or so");
  options.stage = *stage;
  return Error::success();
}

static Error setName(const Arg &arg, Options &options) {
  options.name = arg.getValue();
  std::string identifier = makeCIdentifier(options.name);
  if (identifier != options.name)
    return badValue(arg, "a C identifier such as " + identifier);
  return Error::success();
}

static Error setJobs(const Arg &arg, Options &options) {
  unsigned threads = 0;
  if (StringRef(arg.getValue()).getAsInteger(10, threads) || threads == 0 ||
      threads > 4096)
    return badValue(arg, "a number of threads from 1 to 4096");
  options.codeGen.numThreads = threads;
  return Error::success();
}

/// NAME=WHAT, where names may have a '='.
static Error addPair(const Arg &arg, const Twine &expected,
                     std::vector<std::pair<std::string, std::string>> &pairs) {
  auto [name, what] = StringRef(arg.getValue()).rsplit('=');
  if (name.empty() || what.empty())
    return badValue(arg, expected);
  pairs.emplace_back(name, what);
  return Error::success();
}

/// Takes over one option that has a value to be checked.
static Error applyChecked(const Arg &arg, Options &options) {
  switch (arg.getOption().getID()) {
  case OPT_dim: {
    Expected<DimOption> dim = parseDim(arg);
    if (!dim)
      return dim.takeError();
    options.dims.push_back(std::move(*dim));
    return Error::success();
  }
  case OPT_precision:
    return setPrecision(arg, options);
  case OPT_state:
    return setState(arg, options);
  case OPT_padding:
    return setPadding(arg, options);
  case OPT_sanitize:
    return setSanitizer(arg, options);
  case OPT_emit:
    return setStage(arg, options);
  case OPT_name:
    return setName(arg, options);
  case OPT_jobs:
    return setJobs(arg, options);
  case OPT_input:
    return addPair(arg, "NAME=FILE", options.inputs);
  case OPT_constant:
    return addPair(arg, "NAME=FILE or NAME=NUMBER", options.constants);
  default:
    return Error::success();
  }
}

//===----------------------------------------------------------------------===//
// Command lines
//===----------------------------------------------------------------------===//

/// The commands that know an option, for messages.
static std::string listCommands(unsigned visibility) {
  SmallVector<StringRef> names;
  if (visibility & CompileCommand)
    names.push_back("compiling");
  for (const CommandEntry &entry : commands)
    if (visibility & entry.visibility)
      names.push_back(entry.name);
  return join(names, " and ");
}

static Error unknownOption(const OptTable &table, StringRef spelling,
                           Visibility visibility) {
  std::string nearest;
  if (table.findExact(spelling, nearest))
    for (const OptTable::Info &info : optionInfos)
      if (info.getPrefixedName(OptionStrTable) ==
          StringRef(nearest).take_until([](char c) { return c == '='; }))
        return createStringError("option " + spelling + " is for " +
                                 listCommands(info.Visibility) + " only");
  std::string message = "unknown option " + spelling.str();
  // A word with nothing in common has no nearest option worth naming.
  if (table.findNearest(spelling, nearest, visibility) <= spelling.size() / 2)
    message += "; did you mean " + nearest + "?";
  else
    message += "; txc -help lists them";
  return createStringError(message);
}

/// Takes the word of a command off the arguments.
static Command takeCommand(ArrayRef<const char *> &arguments,
                           Visibility &visibility) {
  visibility = Visibility(CompileCommand);
  if (!arguments.empty())
    for (const CommandEntry &entry : commands)
      if (entry.name == arguments.front()) {
        arguments = arguments.drop_front();
        visibility = Visibility(entry.visibility);
        return entry.command;
      }
  return Command::Compile;
}

static Error setInputPath(const InputArgList &args, Options &options) {
  std::vector<std::string> paths = args.getAllArgValues(OPT_INPUT);
  if (paths.empty())
    return createStringError("no model given; try txc MODEL.onnx -o MODEL.so, "
                             "or txc -help");
  if (paths.size() > 1)
    return createStringError("one model at a time: found \"" + paths[0] +
                             "\" and \"" + paths[1] + "\"");
  options.inputPath = std::move(paths.front());
  return Error::success();
}

static Error checkTogether(const Options &options) {
  if (options.json && options.command != Command::Check &&
      options.command != Command::Explain)
    return createStringError("option -json is for " +
                             listCommands(CheckCommand | ExplainCommand) +
                             " only");
  if (!options.calibrationPath.empty() &&
      options.precision != kernel::Precision::int8)
    return createStringError("-calibrate is for -precision=int8 only: nothing "
                             "else is scaled by what activations are like");
  if (options.stage != Stage::SharedObject && !options.weightsPath.empty())
    return createStringError("-weights is for -emit=so only");
  if (options.stage == Stage::SharedObject && options.outputPath == "-")
    return createStringError("a shared object can't be written to standard "
                             "output; name a file with -o");
  return Error::success();
}

Expected<Options> tool::parseOptions(ArrayRef<const char *> arguments) {
  TxcOptTable table;
  Options options;
  options.codeGen.numThreads = 0;
  Visibility visibility;
  options.command = takeCommand(arguments, visibility);
  unsigned missingIndex = 0;
  unsigned missingCount = 0;
  InputArgList args =
      table.ParseArgs(arguments, missingIndex, missingCount, visibility);
  if (args.hasArg(OPT_help, OPT_help_hidden)) {
    options.command = Command::Help;
    options.helpHidden = args.hasArg(OPT_help_hidden);
    return options;
  }
  if (args.hasArg(OPT_version)) {
    options.command = Command::Version;
    return options;
  }
  if (missingCount)
    return createStringError(Twine("option ") + arguments[missingIndex] +
                             " needs a value");
  for (const Arg *unknown : args.filtered(OPT_UNKNOWN))
    return unknownOption(table, unknown->getAsString(args), visibility);
  for (const Arg *arg : args)
    if (Error error = applyChecked(*arg, options))
      return error;
  if (Error error = setInputPath(args, options))
    return error;
  options.outputPath = args.getLastArgValue(OPT_output);
  options.weightsPath = args.getLastArgValue(OPT_weights);
  options.calibrationPath = args.getLastArgValue(OPT_calibrate);
  options.stagesPath = args.getLastArgValue(OPT_save_stages);
  options.codeGen.cachePath = args.getLastArgValue(OPT_cache);
  options.codeGen.ptxas = args.getLastArgValue(OPT_ptxas);
  options.target = args.getLastArgValue(OPT_target, "native");
  options.htmlPath = args.getLastArgValue(OPT_html);
  options.profilePath = args.getLastArgValue(OPT_profile);
  options.json = args.hasArg(OPT_json);
  options.timeReport = args.hasArg(OPT_time_report);
  options.verbose = args.hasArg(OPT_verbose);
  if (Error error = checkTogether(options))
    return error;
  return options;
}

static StringRef getSuffix(Stage stage) {
  switch (stage) {
  case Stage::Tx:
    return ".tx.mlir";
  case Stage::Kernel:
    return ".kernel.mlir";
  case Stage::Loops:
    return ".loops.mlir";
  case Stage::LLVM:
    return ".ll";
  case Stage::Assembly:
    return ".s";
  case Stage::Ptx:
    return ".ptx";
  case Stage::Object:
    return ".o";
  case Stage::SharedObject:
    return ".so";
  }
  llvm_unreachable("all stages are listed");
}

std::string tool::getOutputPath(const Options &options) {
  if (!options.outputPath.empty())
    return options.outputPath;
  return (sys::path::stem(options.inputPath) + getSuffix(options.stage)).str();
}
