#ifndef SKEIN_TESTING_CODEC_CHECKS_H_
#define SKEIN_TESTING_CODEC_CHECKS_H_

#include <functional>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "skein/codec/delta_link.h"
#include "skein/codec/registry.h"

namespace skein::testing {

// A pipeline under test.
struct CodecCase {
  std::string name;
  std::function<std::shared_ptr<const CodecPipeline>()> make;
  // What it states of its loss: no element of a parameter with these values is off by more, when
  // nothing is owed. Null: none is off at all.
  std::function<double(std::span<const float>)> max_error;
  friend void PrintTo(const CodecCase& c, std::ostream* out) { *out << c.name; }
};

// The checks of the conformance suites; codec_conformance.h makes tests of them. They work on an
// update with every type of element, scalars, empty tensors, buffers, tensors that lie unaligned,
// denormals and zeros.
class CodecChecks : public ::testing::TestWithParam<CodecCase> {
 protected:
  void SetUp() override;

  // By a state of its own where the pipeline keeps errors.
  absl::StatusOr<EncodedTensors> Encode(const PackedTensors& tensors,
                                        const CodecContext& context = {});
  absl::StatusOr<PackedTensors> Decode(std::span<const std::byte> payload,
                                       const Manifest& manifest);
  // What a receiver makes of them; fails the test and returns zeros if it cannot.
  PackedTensors Received(const PackedTensors& tensors, const CodecContext& context = {});
  // What the receiver of a payload that anyone may have sent must do.
  void ExpectRefusedOrSound(std::span<const std::byte> payload, const Manifest& manifest);

  std::shared_ptr<const CodecPipeline> pipeline_;
  BufferPool buffers_;
  PackedTensors update_;

  void ComesBackWithinItsLoss();
  void BuffersAndWholeNumbersComeBackExactly();
  void EqualCallsGiveEqualBytes();
  void ThreadsMayShareIt();
  void StaysWithinItsBound();
  void EmptyScalarAndZeroTensorsComeBack();
  void TensorsDoNotDependOnEachOther();
  void RefusesNanAndInfinityNamingThePlace();
  void CutPayloadsAreRefused();
  void ChangedPayloadsAreRefusedOrSound();
  void PayloadsOfOtherTensorsAreRefused();
  void NeedsItsErrors();
  void ErrorsChangeOnlyWhenCommitted();
  void WhatIsReceivedAndOwedIsAll();
  void ErrorsSurviveAsAFile();
  void TheMeanOfManySendersNears();
  void BothEndsHoldTheSameModel();
  void ChangedDifferencesAreRefusedOrSound();
};

}  // namespace skein::testing

#endif  // SKEIN_TESTING_CODEC_CHECKS_H_
