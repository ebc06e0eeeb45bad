//===- Options.td - the options of txc ---------------------*- tablegen -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What Options.cpp parses. Every option is spelt with one dash or two.

include "llvm/Option/OptParser.td"

// Which commands know an option.
def CompileCommand : OptionVisibility;
def CheckCommand : OptionVisibility;
def ExplainCommand : OptionVisibility;
def VerifyCommand : OptionVisibility;

defvar all = [CompileCommand, CheckCommand, ExplainCommand, VerifyCommand];
defvar compile = [CompileCommand];
defvar explain = [ExplainCommand];
defvar verify = [VerifyCommand];

// -name=value and -name value. A hidden one is listed by -help-hidden only.
multiclass Value<string name, string metaVar, string help, OptionGroup group,
                 list<OptionVisibility> commands,
                 list<OptionFlag> flags = []> {
  def NAME : Separate<["-", "--"], name>, Group<group>, Visibility<commands>;
  def NAME#_eq : Joined<["-", "--"], name#"=">, Alias<!cast<Separate>(NAME)>,
                 Group<group>, Visibility<commands>, Flags<flags>,
                 MetaVarName<metaVar>, HelpText<help>;
}

class Switch<string name, string help, OptionGroup group,
             list<OptionVisibility> commands>
    : Flag<["-", "--"], name>, Group<group>, Visibility<commands>,
      HelpText<help>;

def output_group : OptionGroup<"output">, HelpText<"Output">;
def model_group : OptionGroup<"model">, HelpText<"Model and machine">;
def report_group : OptionGroup<"report">, HelpText<"Of check, explain, verify">;
def tool_group : OptionGroup<"tool">, HelpText<"The compiler itself">;

def output : Separate<["-", "--"], "o">, Group<output_group>,
             Visibility<compile>, MetaVarName<"<file>">,
             HelpText<"The .so, with its header beside it; - prints with -emit">;
def output_eq : Joined<["-", "--"], "o=">, Alias<output>, Group<output_group>,
                Visibility<compile>;
defm emit : Value<"emit", "<stage>",
                  "Stop at tx, kernel, loops, llvm, asm, ptx, obj or so",
                  output_group, compile>;
defm weights : Value<"weights", "<file>",
                     "Weights in a file beside the .so instead of inside",
                     output_group, compile>;
defm name : Value<"name", "<name>",
                  "The C prefix (default: from the model's file name)",
                  output_group, all>;
defm save_stages : Value<"save-stages", "<dir>",
                         "Write every stage of the compiler as a file",
                         output_group, all>;

defm target : Value<"target", "<cpu>[,...]",
                    "CPUs (LLVM's names, :+feature), sm80 .. sm90; default: native",
                    model_group, all>;
defm dim : Value<"dim", "<name>=<n>|<lo>..<hi>",
                 "Fix or bound a symbolic dimension",
                 model_group, all>;
defm constant : Value<"constant", "<name>=<value>",
                      "Make an input a constant: a number, a .npy or .pb file",
                      model_group, all>;
defm precision : Value<"precision", "<what>",
                       "model (default), exact (no new rounding), or bf16 or "
                       "int8 beside weights",
                       model_group, all>;
defm calibrate : Value<"calibrate", "<dir>",
                       "With -precision=int8: samples of inputs, by which "
                       "activations are scaled",
                       model_group, [CompileCommand, ExplainCommand,
                                     VerifyCommand]>;
defm state : Value<"state", "kv",
                   "A decoder's past keys and values become the session's state",
                   model_group, [CompileCommand, CheckCommand, ExplainCommand]>;
defm padding : Value<"padding", "skip|keep",
                     "Compute no padding (outputs get zeros there), or all of it",
                     model_group, [CompileCommand, CheckCommand, ExplainCommand]>;

// Known to all, or -json would be taken for -j with the value "son".
def json : Switch<"json", "check, explain: print JSON", report_group, all>;
defm html : Value<"html", "<file>", "explain: write a page to look at",
                  report_group, explain>;
defm profile : Value<"profile", "<file>",
                     "explain: what txc-run --profile --json wrote",
                     report_group, explain>;
defm input : Value<"input", "<name>=<file>",
                   "verify: a .npy or .pb tensor instead of random numbers",
                   report_group, verify>;

def jobs : JoinedOrSeparate<["-", "--"], "j">, Group<tool_group>,
           Visibility<all>, MetaVarName<"<n>">,
           HelpText<"Threads of the compiler (default: one for each CPU)">;
def jobs_eq : Joined<["-", "--"], "j=">, Alias<jobs>, Group<tool_group>,
              Visibility<all>;
defm cache : Value<"cache", "<dir>",
                   "Keep compiled code there for the next compile", tool_group,
                   compile>;
defm ptxas : Value<"ptxas", "<program>|none",
                   "NVIDIA's assembler: machine code beside PTX; default: by PATH",
                   tool_group, compile>;
def time_report : Switch<"time-report", "Say where time and memory went",
                         tool_group, all>;
def verbose : Switch<"v", "Say what is being done", tool_group, all>;
defm sanitize : Value<"sanitize", "address|thread",
                      "Instrument the compiled model", tool_group, compile,
                      [HelpHidden]>;
def help : Switch<"help", "This page", tool_group, all>;
def help_h : Flag<["-"], "h">, Alias<help>, Group<tool_group>, Visibility<all>;
def help_hidden : Switch<"help-hidden", "This page with rarer options",
                         tool_group, all>;
def version : Switch<"version", "Versions of txc and LLVM", tool_group, all>;
