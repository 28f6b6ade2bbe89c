#include <functional>
#include <utility>

#include <CLI/CLI.hpp>

#include "app/command.h"
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
    command_->add_flag("--json", json_, "Print one JSON document");
  }
  bool chosen() const override { return command_->parsed(); }

  int Run(CommandContext& context) override {
    if (json_) {
      ValueList parts;
      VisitParts(*context.registries, [&parts](const auto& kind, const auto& part) {
        parts.push_back(Describe(kind, part));
      });
      context.out << ToJson(parts) << std::endl;
      return kSuccess;
    }
    VisitParts(*context.registries, [&context](const auto& kind, const auto& part) {
      context.out << kind << ' ' << part.name << ": " << part.summary << " (" << part.source
                  << ")\n";
      for (const ParamSpec& param : part.schema.specs()) {
        context.out << "    " << param.name << " (" << TypeName(param.type);
        if (!param.default_value.is_null()) context.out << ", " << ToJson(param.default_value);
        if (param.required) context.out << ", required";
        context.out << "): " << param.doc << '\n';
      }
    });
    return kSuccess;
  }

 private:
  CLI::App* command_ = nullptr;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeStrategiesCommand() { return std::make_unique<StrategiesCommand>(); }

}  // namespace skein
