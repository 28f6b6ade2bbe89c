#include "skein/tensor/torch_module.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/linear.h>

#include "skein/base/status.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

struct Net : torch::nn::Module {
  Net() {
    fc = register_module("fc", torch::nn::Linear(3, 2));
    norm = register_module("norm", torch::nn::BatchNorm1d(2));
    head = register_module("head", torch::nn::Linear(torch::nn::LinearOptions(2, 1).bias(false)));
  }
  torch::nn::Linear fc{nullptr};
  torch::nn::BatchNorm1d norm{nullptr};
  torch::nn::Linear head{nullptr};
};

std::string Names(const StateDict& state) {
  std::string names;
  for (const StateDict::Entry& entry : state.entries()) {
    names += entry.name + (entry.role == TensorRole::kBuffer ? "(buffer) " : " ");
  }
  return names;
}

TEST(StateDictOf, ListsParametersThenBuffersByDottedName) {
  const absl::StatusOr<StateDict> state = StateDictOf(Net());
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(Names(*state),
            "fc.weight fc.bias norm.weight norm.bias head.weight norm.running_mean(buffer) "
            "norm.running_var(buffer) norm.num_batches_tracked(buffer) ");
}

TEST(StateDictOf, SharesStorageOutsideAutograd) {
  Net net;
  const at::Tensor weight = *StateDictOf(net)->Get("fc.weight");
  EXPECT_FALSE(weight.requires_grad());
  EXPECT_EQ(weight.data_ptr(), net.fc->weight.data_ptr());
}

TEST(LoadStateDict, CopiesParametersAndBuffers) {
  Net source, target;
  source.norm->num_batches_tracked.fill_(41);
  source.norm->running_mean.fill_(0.5);
  const absl::StatusOr<PackedTensors> packed = StateDictOf(source)->Pack();
  ASSERT_TRUE(packed.ok()) << packed.status();
  const void* memory = target.fc->weight.data_ptr();
  ASSERT_TRUE(LoadStateDict(StateDict::Unpack(*packed), target).ok());
  EXPECT_TRUE(target.fc->weight.equal(source.fc->weight));
  EXPECT_TRUE(target.head->weight.equal(source.head->weight));
  EXPECT_EQ(target.norm->num_batches_tracked.item<int64_t>(), 41);
  EXPECT_EQ(target.norm->running_mean[1].item<float>(), 0.5f);
  // The optimizer goes on with the same tensors.
  EXPECT_EQ(target.fc->weight.data_ptr(), memory);
  EXPECT_TRUE(target.fc->weight.requires_grad());
  EXPECT_TRUE(target.fc->weight.is_leaf());
}

TEST(LoadStateDict, NamesTheTensorThatDoesNotFitAndChangesNothing) {
  Net net;
  const at::Tensor before = net.fc->weight.detach().clone();
  const auto load = [&](const auto& edit) {
    StateDict state;
    const absl::StatusOr<StateDict> own = StateDictOf(net);
    for (const StateDict::Entry& entry : own->entries()) {
      StateDict::Entry copy = {entry.name, at::ones_like(entry.tensor), entry.role};
      if (!edit(copy)) continue;
      EXPECT_TRUE(state.Add(copy.name, copy.tensor, copy.role).ok());
    }
    const absl::Status status = LoadStateDict(state, net);
    EXPECT_TRUE(absl::IsInvalidArgument(status));
    EXPECT_TRUE(net.fc->weight.equal(before));
    return Message(status);
  };
  EXPECT_THAT(load([](StateDict::Entry& e) { return e.name != "norm.running_var"; }),
              HasSubstr("\"norm.running_var\": the module has it"));
  EXPECT_THAT(load([](StateDict::Entry& e) {
                if (e.name == "head.weight") e.tensor = at::ones({2, 1});
                return true;
              }),
              HasSubstr("\"head.weight\": the module has shape [1,2], the state has [2,1]"));

  StateDict extra = *StateDictOf(Net());
  ASSERT_TRUE(extra.Add("head.bias", at::ones({1})).ok());
  EXPECT_THAT(Message(LoadStateDict(extra, net)), HasSubstr("\"head.bias\": the state has it"));
  EXPECT_TRUE(net.fc->weight.equal(before));
}

}  // namespace
}  // namespace skein
