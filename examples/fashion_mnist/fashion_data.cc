#include "fashion_data.h"

#include <cstdio>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

namespace {

constexpr int64_t kSide = 28;
constexpr int64_t kNumLabels = 10;

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

std::shared_ptr<const skein::ParamSchema> FashionData::Schema() {
  using Type = skein::ParamSpec::Type;
  std::vector<skein::ParamSpec> specs = skein::PartitionParams();
  specs.push_back({.name = "path",
                   .type = Type::kPath,
                   .default_value = "/usr/share/datasets/fashion-mnist",
                   .doc = "folder of the four .gz files (Debian: dataset-fashion-mnist)"});
  specs.push_back({.name = "limit",
                   .type = Type::kInt,
                   .default_value = 0,
                   .min = 0,
                   .max = 60'000,
                   .doc = "use the first so many training images; 0: all"});
  return std::make_shared<skein::ParamSchema>(std::move(specs));
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

absl::Status FashionData::Divide(const skein::WorkerContext& context, const Images& train) {
  const std::string key = skein::ToJson(skein::Value(context.data.values())) + " " +
                          std::to_string(context.num_workers) + " " + std::to_string(context.seed);
  if (divided_.has_value() && divided_->key == key) return absl::OkStatus();
  SKEIN_ASSIGN_OR_RETURN(const skein::PartitionRule rule, skein::PartitionRuleOf(context.data));
  std::vector<int64_t> labels = ToVector(train.labels);
  const auto limit = static_cast<size_t>(context.data.Int("limit"));
  if (limit > 0 && limit < labels.size()) labels.resize(limit);
  SKEIN_ASSIGN_OR_RETURN(
      skein::Partition parts,
      skein::MakePartition(rule, labels.size(), labels, context.num_workers, context.seed));
  divided_ = Divided{key, std::move(parts)};
  return absl::OkStatus();
}

absl::StatusOr<Images> FashionData::PartOf(const skein::WorkerContext& context) {
  const std::lock_guard lock(mutex_);
  SKEIN_ASSIGN_OR_RETURN(Images train, Read(context.data.String("path"), "train"));
  SKEIN_RETURN_IF_ERROR(Divide(context, train));
  const std::vector<uint32_t>& part = divided_->parts.at(context.leaf);
  const at::Tensor indices = at::empty({static_cast<int64_t>(part.size())}, at::kLong);
  std::copy(part.begin(), part.end(), indices.data_ptr<int64_t>());
  return Images{train.pixels.index_select(0, indices), train.labels.index_select(0, indices)};
}

absl::StatusOr<Images> FashionData::HeldOut(const skein::WorkerContext& context) {
  const std::lock_guard lock(mutex_);
  SKEIN_ASSIGN_OR_RETURN(Images train, Read(context.data.String("path"), "train"));
  SKEIN_RETURN_IF_ERROR(Divide(context, train));
  if (printed_ != divided_->key) {
    printed_ = divided_->key;
    std::fputs(skein::LabelHistogram(divided_->parts, ToVector(train.labels)).c_str(), stderr);
  }
  return Read(context.data.String("path"), "t10k");
}
