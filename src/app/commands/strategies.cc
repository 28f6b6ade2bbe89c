#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include <CLI/CLI.hpp>

#include "app/command.h"
#include "skein/base/names.h"
#include "skein/base/value.h"

namespace skein {
namespace {

using Visitor = std::function<void(const std::string& kind, const PartDescriptor&)>;

void VisitParts(const Registries& all_registries, const Visitor& visit) {
  const StrategyRegistries& registries = all_registries.strategies;
  const auto all = [&visit](const std::string& kind, const auto& registry) {
    for (const std::string& name : registry.Names()) visit(kind, *registry.Find(name));
  };
  all("fold", registries.folds);
  all("optimizer", registries.optimizers);
  all("selector", registries.selectors);
  all("policy", registries.policies);
  all("staleness", registries.staleness);
  all("mixing", registries.mixing);
  all("filter", registries.filters);
  all("term", registries.terms);
  all("codec", registries.codecs);
  all("steering", all_registries.steering);
}

const char* TypeName(ParamSpec::Type type) {
  switch (type) {
    case ParamSpec::Type::kInt:
      return "int";
    case ParamSpec::Type::kReal:
      return "real";
    case ParamSpec::Type::kBool:
      return "bool";
    case ParamSpec::Type::kString:
      return "string";
    case ParamSpec::Type::kPath:
      return "path";
  }
  return "";
}

// "real, 0.1, 1e-9 to 1e6" or "string, \"max\", max|mean".
std::string RangeOf(const ParamSpec& param) {
  std::string text = TypeName(param.type);
  if (!param.default_value.is_null()) text += ", " + ToJson(param.default_value);
  if (param.required) text += ", required";
  for (const std::string& choice : param.choices) {
    text += (&choice == &param.choices.front() ? ", " : "|") + choice;
  }
  const bool number = param.type == ParamSpec::Type::kInt || param.type == ParamSpec::Type::kReal;
  if (!number) return text;
  const bool low = std::isfinite(param.min), high = std::isfinite(param.max);
  const std::string min = ToJson(Value(param.min)), max = ToJson(Value(param.max));
  if (low && high) return text + ", " + min + " to " + max;
  if (low) return text + ", at least " + min;
  return high ? text + ", at most " + max : text;
}

Value Describe(const std::string& kind, const PartDescriptor& part) {
  ValueList params;
  for (const ParamSpec& param : part.schema.specs()) {
    ValueList choices;
    for (const std::string& choice : param.choices) choices.push_back(choice);
    // An open end of a range becomes null.
    params.push_back(ValueMap{{"name", param.name},
                              {"type", TypeName(param.type)},
                              {"default", param.default_value},
                              {"required", param.required},
                              {"min", param.min},
                              {"max", param.max},
                              {"choices", std::move(choices)},
                              {"doc", param.doc}});
  }
  return ValueMap{{"kind", kind},
                  {"name", part.name},
                  {"summary", part.summary},
                  {"source", part.source},
                  {"params", std::move(params)}};
}

class StrategiesCommand : public Command {
 public:
  void Define(CLI::App& root) override {
    command_ =
        root.add_subcommand("strategies", "List the parts of strategies and their parameters");
    command_->add_option("name", names_, "Only those of this kind or name")->type_name("NAME");
    command_->add_flag("--json", json_, "Print one JSON document");
  }
  bool chosen() const override { return command_->parsed(); }

  int Run(CommandContext& context) override {
    std::vector<std::string> known;
    VisitParts(*context.registries, [&known](const auto& kind, const auto& part) {
      if (!std::ranges::count(known, kind)) known.push_back(kind);
      known.push_back(part.name);
    });
    for (const std::string& name : names_) {
      if (std::ranges::count(known, name) > 0) continue;
      return Complain(
          context, "no part of strategies is called " + QuoteName(name) + Suggestion(name, known),
          kBadInput);
    }
    const auto is_asked = [this](const std::string& kind, const PartDescriptor& part) {
      return names_.empty() || std::ranges::count(names_, kind) > 0 ||
             std::ranges::count(names_, part.name) > 0;
    };
    ValueList parts;
    VisitParts(*context.registries, [&](const auto& kind, const auto& part) {
      if (!is_asked(kind, part)) return;
      if (json_) return parts.push_back(Describe(kind, part));
      context.out << kind << ' ' << part.name << ": " << part.summary << " (" << part.source
                  << ")\n";
      for (const ParamSpec& param : part.schema.specs()) {
        context.out << "    " << param.name << " (" << RangeOf(param) << "): " << param.doc << '\n';
      }
    });
    if (json_) context.out << ToJson(parts) << std::endl;
    return kSuccess;
  }

 private:
  CLI::App* command_ = nullptr;
  std::vector<std::string> names_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeStrategiesCommand() { return std::make_unique<StrategiesCommand>(); }

}  // namespace skein
