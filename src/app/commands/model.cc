#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include <ATen/ATen.h>
#include <CLI/CLI.hpp>

#include "app/command.h"
#include "skein/base/names.h"
#include "skein/base/status.h"
#include "skein/base/value.h"
#include "skein/tensor/digest.h"
#include "skein/tensor/safetensors.h"
#include "skein/tensor/torch_file.h"

namespace skein {
namespace {

absl::StatusOr<StateDict> ReadModel(const std::string& path) {
  if (IsTorchFile(path)) return ReadTorchFile(path);
  SKEIN_ASSIGN_OR_RETURN(const PackedTensors packed, ReadSafetensors(path));
  return StateDict::Unpack(packed);
}

absl::Status WriteModel(const StateDict& model, const std::string& path) {
  if (IsTorchFile(path)) return WriteTorchFile(model, path);
  if (!path.ends_with(".safetensors")) {
    return absl::InvalidArgumentError(path +
                                      ": of what kind is it to be? Name it .safetensors, .pt "
                                      "or .pth");
  }
  SKEIN_ASSIGN_OR_RETURN(const PackedTensors packed, model.Pack());
  return WriteSafetensors(packed, path);
}

// ---- differences ----

struct Difference {
  std::string tensor;
  std::string what;     // why they cannot be compared; empty: they can
  double largest = 0;   // of any element; NaN if one of them is
  double relative = 0;  // L2 norm of the difference over that of the first
  bool equal() const { return what.empty() && largest == 0; }
};

// A tensor's name for a terminal: a file of a stranger may have any characters there.
std::string Shown(const std::string& name) {
  const bool control =
      std::ranges::any_of(name, [](unsigned char c) { return c < ' ' || c == 0x7f; });
  return control ? QuoteName(name) : name;
}

Difference Compare(const std::string& name, const at::Tensor& a, const at::Tensor& b) {
  Difference difference{.tensor = name};
  if (a.sizes() != b.sizes()) {
    difference.what = "another shape";
  } else if (a.scalar_type() != b.scalar_type()) {
    difference.what = "another type";
  } else if (a.numel() > 0) {
    const at::Tensor from = a.to(at::kDouble);
    const at::Tensor change = b.to(at::kDouble) - from;
    difference.largest = change.abs().max().item<double>();
    const double norm = from.norm().item<double>();
    difference.relative = change.norm().item<double>() / (norm > 0 ? norm : 1);
  }
  return difference;
}

// Of all tensors of either model, in the order of the first.
std::vector<Difference> Compare(const StateDict& a, const StateDict& b) {
  std::vector<Difference> differences;
  for (const StateDict::Entry& entry : a.entries()) {
    const auto other = b.Get(entry.name);
    differences.push_back(other.ok()
                              ? Compare(entry.name, entry.tensor, *other)
                              : Difference{.tensor = entry.name, .what = "only in the first"});
  }
  for (const StateDict::Entry& entry : b.entries()) {
    if (!a.Get(entry.name).ok()) {
      differences.push_back({.tensor = entry.name, .what = "only in the second"});
    }
  }
  return differences;
}

class ModelCommand : public Command {
 public:
  void Define(CLI::App& root) override {
    command_ = root.add_subcommand("model", "Look at model files: .safetensors, .pt, .pth");
    command_->require_subcommand(1);
    show_ = command_->add_subcommand("show", "List the tensors of a model");
    diff_ = command_->add_subcommand("diff", "Compare two models; status 1 if they differ");
    convert_ = command_->add_subcommand("convert", "Write a model as a file of another kind");
    for (CLI::App* action : {show_, diff_, convert_}) {
      action->add_option("file", first_, "The model")->required()->type_name("FILE");
    }
    diff_->add_option("other", second_, "The other model")->required()->type_name("FILE");
    convert_->add_option("to", second_, "What to write")->required()->type_name("FILE");
    for (CLI::App* action : {show_, diff_}) {
      action->add_flag("--json", json_, "Print one JSON document");
    }
  }
  bool chosen() const override { return command_->parsed(); }

  int Run(CommandContext& context) override {
    const auto model = ReadModel(first_);
    if (!model.ok()) return Complain(context, model.status(), kBadInput);
    if (show_->parsed()) return Show(*model, context);
    if (convert_->parsed()) {
      const absl::Status written = WriteModel(*model, second_);
      return written.ok() ? kSuccess : Complain(context, written, kBadInput);
    }
    const auto other = ReadModel(second_);
    if (!other.ok()) return Complain(context, other.status(), kBadInput);
    return Diff(Compare(*model, *other), context);
  }

 private:
  int Show(const StateDict& model, CommandContext& context) const {
    const auto packed = model.Pack();
    if (!packed.ok()) return Complain(context, packed.status(), kBadInput);
    uint64_t elements = 0;
    ValueList list;
    std::string lines;
    for (const TensorInfo& tensor : packed->manifest().tensors()) {
      elements += tensor.NumElements();
      ValueList shape;
      for (const auto size : tensor.shape) shape.push_back(size);
      list.push_back(ValueMap{{"name", tensor.name},
                              {"dtype", NameOf(tensor.dtype)},
                              {"shape", std::move(shape)},
                              {"bytes", tensor.NumBytes()}});
      lines += Shown(tensor.name) + "  " + ToString(tensor) + "\n";
    }
    const std::string digest = ModelDigest(*packed);
    if (json_) {
      context.out << ToJson(ValueMap{{"tensors", std::move(list)},
                                     {"elements", elements},
                                     {"bytes", packed->manifest().total_bytes()},
                                     {"digest", digest}})
                  << std::endl;
    } else {
      context.out << lines << packed->manifest().size() << " tensors, " << elements << " elements, "
                  << packed->manifest().total_bytes() << " bytes\n"
                  << "digest " << digest << std::endl;
    }
    return kSuccess;
  }

  int Diff(const std::vector<Difference>& differences, CommandContext& context) const {
    ValueList list;
    std::string lines;
    for (const Difference& difference : differences) {
      if (difference.equal()) continue;
      list.push_back(ValueMap{{"tensor", difference.tensor},
                              {"what", difference.what},
                              {"largest", difference.largest},
                              {"relative", difference.relative}});
      lines += Shown(difference.tensor) + ": ";
      if (!difference.what.empty()) {
        lines += difference.what + "\n";
        continue;
      }
      char text[96];
      std::snprintf(text, sizeof(text), "largest difference %.6g, L2 norm %.6g of the first's\n",
                    difference.largest, difference.relative);
      lines += text;
    }
    const bool equal = list.empty();
    if (json_) {
      context.out << ToJson(ValueMap{{"equal", equal}, {"differences", std::move(list)}})
                  << std::endl;
    } else {
      context.out << (equal ? "equal\n" : lines) << std::flush;
    }
    return equal ? kSuccess : kRunFailed;
  }

  CLI::App* command_ = nullptr;
  CLI::App* show_ = nullptr;
  CLI::App* diff_ = nullptr;
  CLI::App* convert_ = nullptr;
  std::string first_;
  std::string second_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeModelCommand() { return std::make_unique<ModelCommand>(); }

}  // namespace skein
