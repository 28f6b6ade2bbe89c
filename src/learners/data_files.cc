#include "skein/learners/data_files.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

#include "base/csv_lines.h"
#include "learners/labeled_files.h"
#include "learners/shared_by_key.h"
#include "learners/tensor_file.h"
#include "skein/base/names.h"
#include "skein/base/status.h"

namespace skein {
namespace {

constexpr char kOwn[] = "own";  // each worker reads files of its own
constexpr char kNode[] = "{node}";

// `path` of the node that asks.
std::string PathOf(const Params& data, const char* key, const NodeId& node) {
  std::string path = data.StringOr(key, "");
  for (size_t at = path.find(kNode); at != path.npos; at = path.find(kNode, at + node.size())) {
    path.replace(at, sizeof(kNode) - 1, node);
  }
  return path;
}

// The files of `set`, "train" or "test", as they are now.
std::string FilesKey(const Params& data, const std::string& set, const NodeId& node) {
  return FileStamp(PathOf(data, set.c_str(), node)) + "\n" +
         FileStamp(PathOf(data, (set + "_labels").c_str(), node)) + "\n";
}

// "1x28x28" as sizes; nothing if it is none such.
std::optional<std::vector<int64_t>> ParseShape(std::string_view text) {
  std::vector<int64_t> shape;
  while (true) {
    const size_t cross = text.find('x');
    int64_t size = 0;
    if (!ParseNumber(text.substr(0, cross), size) || size < 1) return std::nullopt;
    shape.push_back(size);
    if (cross == text.npos) return shape;
    text.remove_prefix(cross + 1);
  }
}

// What becomes of the inputs of a batch.
struct Preparation {
  double scale = 1;
  double shift = 0;
  std::vector<int64_t> shape;  // of a batch, -1 first; empty: as it is

  at::Tensor operator()(at::Tensor inputs) const {
    if (inputs.scalar_type() != at::kLong) {
      inputs = inputs.to(at::kFloat);
      if (scale != 1) inputs = inputs * scale;
      if (shift != 0) inputs = inputs + shift;
    }
    return shape.empty() ? inputs : inputs.reshape(shape);
  }
};

absl::StatusOr<Preparation> PreparationOf(const Params& data, const at::Tensor& inputs) {
  Preparation preparation{data.Real("scale"), data.Real("shift"), {}};
  const std::string text = data.StringOr("shape", "");
  if (text.empty()) return preparation;
  const auto shape = ParseShape(text);
  if (!shape) {
    return absl::InvalidArgumentError("data: 'shape' must be sizes as 1x28x28, not " +
                                      QuoteName(text));
  }
  int64_t elements = 1;
  preparation.shape = {-1};
  for (const int64_t size : *shape) {
    if (size > inputs.numel() / elements) break;  // too large, and maybe for an int64
    elements *= size;
    preparation.shape.push_back(size);
  }
  if (preparation.shape.size() != shape->size() + 1 ||
      elements * inputs.size(0) != inputs.numel()) {
    return absl::InvalidArgumentError("data: 'shape' is " + text + ", an input has " +
                                      std::to_string(inputs.numel() / inputs.size(0)) +
                                      " elements");
  }
  return preparation;
}

}  // namespace

class DataFiles::Impl {
 public:
  absl::StatusOr<Samples> SamplesOf(const WorkerContext& context) {
    SKEIN_ASSIGN_OR_RETURN(const Params data, Schema()->Resolve(context.data.values(), "data"));
    SKEIN_RETURN_IF_ERROR(Check(data, {context.num_workers, false}));
    const std::lock_guard lock(mutex_);
    const bool divided = data.String("partition") != kOwn;
    if (context.is_coordinator) return HeldOut(data, context, divided);
    SKEIN_ASSIGN_OR_RETURN(const Shared train, Read(data, "train", context.node));
    if (!divided) return Prepared(data, train, at::Tensor());
    SKEIN_ASSIGN_OR_RETURN(const auto parts, Divide(data, context, *train));
    const std::vector<uint32_t>& part = parts->at(context.leaf);
    const at::Tensor rows = at::empty({static_cast<int64_t>(part.size())}, at::kLong);
    std::copy(part.begin(), part.end(), rows.data_ptr<int64_t>());
    return Prepared(data, train, rows);
  }

  absl::StatusOr<std::vector<Trial>> TrialsOf(const WorkerContext& context) {
    SKEIN_ASSIGN_OR_RETURN(const Params data, Schema()->Resolve(context.data.values(), "data"));
    const std::lock_guard lock(mutex_);
    std::vector<Trial> trials;
    for (const char* set : {"train", "test"}) {
      const std::string file = PathOf(data, set, context.node);
      const bool own = data.String("partition") == kOwn && std::string_view(set) == "train";
      if (file.empty() || own) continue;
      SKEIN_ASSIGN_OR_RETURN(const Shared both, Read(data, set, context.node));
      SKEIN_ASSIGN_OR_RETURN(const Samples samples, Prepared(data, both, at::Tensor()));
      const at::Tensor first = at::zeros({}, at::kLong);
      const bool flat = both->targets.dim() == 1;
      const at::Tensor least = flat ? both->targets.argmin() : first;
      const at::Tensor most = flat ? both->targets.argmax() : first;
      trials.push_back({file, samples.get(at::stack({first, least, most}))});
    }
    return trials;
  }

 private:
  using Shared = std::shared_ptr<const InputsAndTargets>;

  // What the workers of this process will share is kept with the samples.
  absl::StatusOr<Samples> HeldOut(const Params& data, const WorkerContext& context, bool divided) {
    Shared train;
    std::shared_ptr<const Partition> parts;
    if (divided) {
      SKEIN_ASSIGN_OR_RETURN(train, Read(data, "train", context.node));
      SKEIN_ASSIGN_OR_RETURN(parts, Divide(data, context, *train));
    }
    Samples samples;
    if (!data.StringOr("test", "").empty()) {
      SKEIN_ASSIGN_OR_RETURN(const Shared test, Read(data, "test", context.node));
      SKEIN_ASSIGN_OR_RETURN(samples, Prepared(data, test, at::Tensor()));
    }
    samples.get = [get = std::move(samples.get), train, parts](const at::Tensor& indices) {
      return get(indices);
    };
    return samples;
  }

  // `set` is "train" or "test".
  absl::StatusOr<Shared> Read(const Params& data, const std::string& set, const NodeId& node) {
    const std::string inputs = PathOf(data, set.c_str(), node);
    const std::string targets = PathOf(data, (set + "_labels").c_str(), node);
    const int64_t limit = set == "train" ? data.Int("limit") : 0;
    const std::string key = FilesKey(data, set, node) + std::to_string(limit);
    return files_.Get(key, [&]() -> absl::StatusOr<InputsAndTargets> {
      SKEIN_ASSIGN_OR_RETURN(InputsAndTargets both, ReadInputsAndTargets(inputs, targets));
      if (limit > 0) {
        both.inputs = both.inputs.narrow(0, 0, std::min(limit, both.inputs.size(0)));
        both.targets = both.targets.narrow(0, 0, std::min(limit, both.targets.size(0)));
      }
      return both;
    });
  }

  absl::StatusOr<std::shared_ptr<const Partition>> Divide(const Params& data,
                                                          const WorkerContext& context,
                                                          const InputsAndTargets& train) {
    const std::string key = FilesKey(data, "train", context.node) + ToJson(Value(data.values())) +
                            "\n" + std::to_string(context.num_workers) + " " +
                            std::to_string(context.seed);
    return divisions_.Get(key, [&]() -> absl::StatusOr<Partition> {
      SKEIN_ASSIGN_OR_RETURN(const PartitionRule rule, PartitionRuleOf(data));
      std::vector<int64_t> classes;
      if (train.targets.scalar_type() == at::kLong) classes = ToVector(train.targets);
      return MakePartition(rule, static_cast<size_t>(train.targets.size(0)), classes,
                           context.num_workers, context.seed);
    });
  }

  // The samples of these rows, of all if there are none.
  static absl::StatusOr<Samples> Prepared(const Params& data, Shared both, at::Tensor rows) {
    SKEIN_ASSIGN_OR_RETURN(Preparation prepare, PreparationOf(data, both->inputs));
    Samples samples;
    samples.count = static_cast<uint64_t>(rows.defined() ? rows.size(0) : both->inputs.size(0));
    samples.get = [both = std::move(both), rows = std::move(rows),
                   prepare = std::move(prepare)](const at::Tensor& indices) {
      const at::Tensor which = rows.defined() ? rows.index_select(0, indices) : indices;
      return Batch{prepare(both->inputs.index_select(0, which)),
                   both->targets.index_select(0, which)};
    };
    return samples;
  }

  std::mutex mutex_;
  SharedByKey<InputsAndTargets> files_;
  SharedByKey<Partition> divisions_;
};

std::shared_ptr<const ParamSchema> DataFiles::Schema() {
  using Type = ParamSpec::Type;
  std::vector<ParamSpec> params = {
      {.name = "train",
       .type = Type::kPath,
       .required = true,
       .doc = "inputs to train on: FILE or FILE:WHAT"},
      {.name = "train_labels", .type = Type::kPath, .doc = "their labels, if in another place"},
      {.name = "test", .type = Type::kPath, .doc = "inputs to evaluate on, at the coordinator"},
      {.name = "test_labels", .type = Type::kPath, .doc = "their labels, if in another place"},
      {.name = "limit",
       .type = Type::kInt,
       .default_value = 0,
       .min = 0,
       .max = 4e9,
       .doc = "use the first so many training samples; 0: all"},
      {.name = "scale", .default_value = 1.0, .doc = "inputs are multiplied by it"},
      {.name = "shift", .default_value = 0.0, .doc = "and this is added then"},
      {.name = "shape", .type = Type::kString, .doc = "of an input, as 1x28x28"},
  };
  for (ParamSpec& param : PartitionParams()) {
    if (param.name == "partition") param.choices.push_back(kOwn);
    params.push_back(std::move(param));
  }
  return std::make_shared<const ParamSchema>(std::move(params));
}

absl::Status DataFiles::Check(const Params& data, const DataUse& use) {
  if (data.StringOr("partition", "") == kOwn && use.num_workers > 1 &&
      data.StringOr("train", "").find(kNode) == std::string::npos) {
    return absl::InvalidArgumentError(
        "data: 'train' is one file, and with 'partition' own each worker would train on all of it; "
        "put {node} into the path, as data/{node}.csv, or choose another partition");
  }
  if (use.evaluates_at_coordinator && data.StringOr("test", "").empty()) {
    return absl::InvalidArgumentError(
        "data: 'test' is missing, and the coordinator is to evaluate on it; name a file, or set "
        "evaluate to workers or none");
  }
  return absl::OkStatus();
}

DataFiles::DataFiles() : impl_(std::make_unique<Impl>()) {}
DataFiles::~DataFiles() = default;

absl::StatusOr<std::vector<DataFiles::Trial>> DataFiles::TrialsOf(const WorkerContext& context) {
  return impl_->TrialsOf(context);
}

absl::StatusOr<Samples> DataFiles::SamplesOf(const WorkerContext& context) {
  return impl_->SamplesOf(context);
}

}  // namespace skein
