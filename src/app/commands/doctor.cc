#include <algorithm>
#include <cstdio>

#include <CLI/CLI.hpp>

#include "app/command.h"
#include "app/doctor/findings.h"
#include "skein/base/value.h"

namespace skein {
namespace {

class DoctorCommand : public Command {
 public:
  void Define(CLI::App& root) override {
    command_ = root.add_subcommand(
        "doctor", "Say what of this machine will make runs slow or fail, and how to mend it");
    command_->add_flag("--json", json_, "Print one JSON document");
  }
  bool chosen() const override { return command_->parsed(); }

  int Run(CommandContext& context) override {
    const std::vector<doctor::Finding> findings = doctor::Judge(doctor::ReadMachine());
    context.out << (json_ ? Json(findings) : Table(findings)) << std::flush;
    const bool broken = std::ranges::any_of(findings, [](const doctor::Finding& finding) {
      return finding.verdict == doctor::Verdict::kBroken;
    });
    return broken ? kRunFailed : kSuccess;
  }

 private:
  static std::string Json(const std::vector<doctor::Finding>& findings) {
    ValueList list;
    for (const doctor::Finding& finding : findings) {
      list.push_back(ValueMap{{"what", finding.what},
                              {"value", finding.value},
                              {"verdict", doctor::NameOf(finding.verdict)},
                              {"remedy", finding.remedy}});
    }
    return ToJson(list) + "\n";
  }
  static std::string Table(const std::vector<doctor::Finding>& findings) {
    std::string out;
    for (const doctor::Finding& finding : findings) {
      char head[64];
      std::snprintf(head, sizeof(head), "%-6s  %-21s  ", doctor::NameOf(finding.verdict),
                    finding.what.c_str());
      out += head + finding.value + "\n";
      if (!finding.remedy.empty()) out += "        -> " + finding.remedy + "\n";
    }
    return out;
  }

  CLI::App* command_ = nullptr;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeDoctorCommand() { return std::make_unique<DoctorCommand>(); }

}  // namespace skein
