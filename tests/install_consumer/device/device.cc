// A model goes through its packed form and comes back the same.

#include <cstdio>

#include <ATen/ops/arange.h>
#include <skein/base/status.h>
#include <skein/tensor/digest.h>
#include <skein/tensor/state_dict.h>

int main() {
  skein::StateDict model;
  const absl::Status added = model.Add("x", at::arange(6).reshape({2, 3}));
  const auto packed = model.Pack();
  if (!added.ok() || !packed.ok()) return 1;
  const auto again = skein::StateDict::Unpack(*packed).Pack();
  if (!again.ok()) return 1;
  const std::string digest = skein::ModelDigest(*packed);
  std::printf("%s\n", digest.c_str());
  return digest.size() == 64 && digest == skein::ModelDigest(*again) ? 0 : 1;
}
