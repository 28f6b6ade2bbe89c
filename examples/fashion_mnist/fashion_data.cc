#include "fashion_data.h"

#include <cstdio>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

namespace {

constexpr int64_t kSide = 28;
constexpr int64_t kNumLabels = 10;

skein::ParamSchema DataSchema() {
  using Type = skein::ParamSpec::Type;
  return skein::ParamSchema({
      {.name = "path",
       .type = Type::kString,
       .default_value = "/usr/share/datasets/fashion-mnist",
       .doc = "folder of the four .gz files (Debian: dataset-fashion-mnist)"},
      {.name = "partition",
       .type = Type::kString,
       .default_value = "iid",
       .choices = {"iid", "dirichlet", "shards", "classes", "quantity"},
       .doc = "how the training images are divided among the workers"},
      {.name = "alpha",
       .default_value = 0.5,
       .min = 1e-3,
       .max = 1e6,
       .doc = "dirichlet, quantity: small is skewed"},
      {.name = "min_samples",
       .type = Type::kInt,
       .default_value = 10,
       .min = 1,
       .max = 60'000,
       .doc = "dirichlet, quantity: images of the worker that has the fewest"},
      {.name = "per_worker",
       .type = Type::kInt,
       .default_value = 2,
       .min = 1,
       .max = 60'000,
       .doc = "shards: how many of them; classes: how many of the ten"},
      {.name = "limit",
       .type = Type::kInt,
       .default_value = 0,
       .min = 0,
       .max = 60'000,
       .doc = "use the first so many training images; 0: all"},
  });
}

absl::Status Malformed(const std::string& file, const std::string& what) {
  return absl::InvalidArgumentError(file + ": " + what + "; is this Fashion-MNIST?");
}

at::Tensor ToTensor(skein::IdxData data, at::IntArrayRef shape) {
  return at::from_blob(data.bytes.data(), shape, at::kByte).clone();
}

std::vector<int64_t> ToVector(const at::Tensor& labels) {
  return {labels.data_ptr<int64_t>(), labels.data_ptr<int64_t>() + labels.numel()};
}

}  // namespace

struct FashionData::Request {
  skein::Params params;
  uint64_t num_workers = 0;
  uint64_t seed = 0;

  std::string Key() const {
    return skein::ToJson(skein::Value(params.values())) + " " + std::to_string(num_workers) + " " +
           std::to_string(seed);
  }
};

absl::StatusOr<FashionData::Request> FashionData::Check(const skein::WorkerContext& context) {
  SKEIN_ASSIGN_OR_RETURN(skein::Params params, DataSchema().Resolve(context.data.values(), "data"));
  return Request{std::move(params), context.num_workers, context.seed};
}

absl::StatusOr<Images> FashionData::Read(const std::string& path, const std::string& set) {
  const std::string base = path + "/" + set;
  if (auto it = files_.find(base); it != files_.end()) return it->second;
  const std::string pixels_file = base + "-images-idx3-ubyte.gz";
  const std::string labels_file = base + "-labels-idx1-ubyte.gz";
  auto pixels = skein::ReadIdx(pixels_file);
  if (absl::IsNotFound(pixels.status())) {
    return absl::NotFoundError(skein::Message(pixels.status()) +
                               "; install dataset-fashion-mnist or set data.path");
  }
  if (!pixels.ok()) return pixels.status();
  SKEIN_ASSIGN_OR_RETURN(skein::IdxData labels, skein::ReadIdx(labels_file));
  if (pixels->shape.size() != 3 || pixels->shape[1] != kSide || pixels->shape[2] != kSide) {
    return Malformed(pixels_file, "its images are not 28 by 28");
  }
  const int64_t count = pixels->shape[0];
  if (labels.shape.size() != 1 || labels.shape[0] != count) {
    return Malformed(labels_file, "it does not have a label for each image");
  }
  Images images;
  images.pixels = ToTensor(*std::move(pixels), {count, 1, kSide, kSide});
  images.labels = ToTensor(std::move(labels), {count}).to(at::kLong);
  if (count == 0 || images.labels.max().item<int64_t>() >= kNumLabels) {
    return Malformed(labels_file, "its labels are not 0 to 9");
  }
  return files_.emplace(base, std::move(images)).first->second;
}

absl::StatusOr<skein::Partition> FashionData::PartitionOf(const Request& request,
                                                          const std::vector<int64_t>& labels) {
  const std::string& rule = request.params.String("partition");
  const uint64_t workers = request.num_workers;
  const auto per_worker = static_cast<size_t>(request.params.Int("per_worker"));
  skein::DirichletOptions options;
  options.alpha = request.params.Real("alpha");
  options.min_samples = static_cast<size_t>(request.params.Int("min_samples"));
  if (rule == "dirichlet") {
    return skein::PartitionDirichlet(labels, workers, options, request.seed);
  }
  if (rule == "quantity") {
    return skein::PartitionQuantity(labels.size(), workers, options, request.seed);
  }
  if (rule == "shards") return skein::PartitionShards(labels, workers, per_worker, request.seed);
  if (rule == "classes") {
    return skein::PartitionByClasses(labels, workers, per_worker, request.seed);
  }
  return skein::PartitionIid(labels.size(), workers, request.seed);
}

absl::Status FashionData::Divide(const Request& request, const Images& train) {
  const std::string key = request.Key();
  if (divided_.has_value() && divided_->key == key) return absl::OkStatus();
  const int64_t limit = request.params.Int("limit");
  const at::Tensor labels =
      limit > 0 ? train.labels.narrow(0, 0, std::min(limit, train.labels.numel())) : train.labels;
  SKEIN_ASSIGN_OR_RETURN(skein::Partition parts, PartitionOf(request, ToVector(labels)));
  divided_ = Divided{key, std::move(parts)};
  return absl::OkStatus();
}

absl::StatusOr<Images> FashionData::PartOf(const skein::WorkerContext& context) {
  SKEIN_ASSIGN_OR_RETURN(Request request, Check(context));
  const std::lock_guard lock(mutex_);
  SKEIN_ASSIGN_OR_RETURN(Images train, Read(request.params.String("path"), "train"));
  SKEIN_RETURN_IF_ERROR(Divide(request, train));
  const std::vector<uint32_t>& part = divided_->parts.at(context.leaf);
  const at::Tensor indices = at::empty({static_cast<int64_t>(part.size())}, at::kLong);
  std::copy(part.begin(), part.end(), indices.data_ptr<int64_t>());
  return Images{train.pixels.index_select(0, indices), train.labels.index_select(0, indices)};
}

absl::StatusOr<Images> FashionData::HeldOut(const skein::WorkerContext& context) {
  SKEIN_ASSIGN_OR_RETURN(Request request, Check(context));
  const std::lock_guard lock(mutex_);
  SKEIN_ASSIGN_OR_RETURN(Images train, Read(request.params.String("path"), "train"));
  SKEIN_RETURN_IF_ERROR(Divide(request, train));
  if (printed_ != divided_->key) {
    printed_ = divided_->key;
    std::fputs(skein::LabelHistogram(divided_->parts, ToVector(train.labels)).c_str(), stderr);
  }
  return Read(request.params.String("path"), "t10k");
}
