// Writes what the fuzz targets begin with, a folder for each target: fuzz_seeds DIRECTORY

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "fuzz/payload_pipelines.h"
#include "skein/tensor/safetensors.h"
#include "transport/frame_limits.h"
#include "transport/frame_proto.h"
#include "unit/tensor/sample_pickles.h"
#include "unit/transport/sample_frames.h"

namespace skein {
namespace {

class Folder {
 public:
  explicit Folder(const std::filesystem::path& path) : path_(path) {
    std::filesystem::create_directories(path_);
  }
  void Add(const std::string& bytes) {
    const auto file = path_ / ("seed-" + std::to_string(count_++));
    std::ofstream(file, std::ios::binary) << bytes;
  }

 private:
  const std::filesystem::path path_;
  int count_ = 0;
};

// What is beyond a bound that the fuzzer would seldom meet: large numbers, long texts.
std::vector<v1::Frame> HostileFrames() {
  std::vector<v1::Frame> frames(3);
  frames[0].mutable_chunk()->set_offset(Manifest::kMaxBytes + 1);
  frames[0].mutable_chunk()->set_data("x");
  frames[1].mutable_task_failed()->set_kind(v1::TASK_KIND_TRAIN);
  frames[1].mutable_task_failed()->set_round(1);
  frames[1].mutable_task_failed()->set_reason(std::string(kMaxTextBytes + 1, 'r'));
  frames[2].mutable_cancel()->set_reason(std::string(kMaxTextBytes + 1, 'r'));
  return frames;
}

void FrameSeeds(Folder folder) {
  v1::Frame close;
  close.mutable_close()->set_code(10);
  close.mutable_close()->set_message("battery is low");
  std::vector<std::string> messages = {close.SerializeAsString()};
  for (const Frame& frame : SampleFrames()) {
    messages.push_back(FrameToProto(frame).SerializeAsString());
  }
  for (const v1::Frame& hostile : HostileFrames()) {
    messages.push_back(hostile.SerializeAsString());
  }
  // Chunks whose length leaves a field out, and whose payload is longer than what is there.
  messages.push_back("\x32\x02\x08\x01\x22\x01x");
  messages.push_back(std::string("\x32\x03\x22\x09x", 5));
  for (const std::string& message : messages) {
    folder.Add(std::string(1, '\0') + message);  // one slice
    folder.Add("\x03\x01\x05\x09" + message);    // several, cut through the first fields
  }
}

// Manifests that are beyond one bound each.
void HostileManifests(Folder& folder) {
  const auto add = [&](const std::vector<std::vector<int64_t>>& shapes, size_t name_bytes) {
    v1::Manifest manifest;
    for (const std::vector<int64_t>& shape : shapes) {
      v1::TensorInfo* tensor = manifest.add_tensors();
      tensor->set_name(std::string(name_bytes, 't') + std::to_string(manifest.tensors_size()));
      tensor->set_dtype(v1::DTYPE_F32);
      tensor->set_role(v1::TENSOR_ROLE_PARAMETER);
      tensor->mutable_shape()->Add(shape.begin(), shape.end());
    }
    folder.Add(std::string(3, '\0') + manifest.SerializeAsString());
  };
  constexpr int64_t kHalf = int64_t{1} << 32;
  add({{kHalf, kHalf}}, 1);                                   // wraps to no elements at all
  add({{kHalf * 256, 2}}, 1);                                 // 8 TiB
  add({{kHalf * 128}, {kHalf * 128}, {kHalf * 128}}, 1);      // together
  add({std::vector<int64_t>(Manifest::kMaxDims + 1, 1)}, 1);  // dimensions
  add({{1}}, Manifest::kMaxNameBytes);                        // name
  add({{-1}}, 1);
}

void ManifestSeeds(Folder folder) {
  v1::Frame frame = FrameToProto(OfferFrame{1, SampleManifest(), UpdateHeader{}});
  const v1::Manifest manifest = frame.offer().manifest();
  const auto repeat = [&](uint8_t place, uint8_t times, const std::string& piece,
                          const std::string& rest) {
    const uint8_t head[] = {place, times, static_cast<uint8_t>(piece.size())};
    folder.Add(std::string(std::begin(head), std::end(head)) + piece + rest);
  };
  repeat(0, 0, "", manifest.SerializeAsString());
  // A few of each kind of thing that may be repeated, and as many as there is room for.
  constexpr uint8_t kMany = 224 + 17;  // 2^17
  for (const uint8_t times : {uint8_t{2}, kMany}) {
    repeat(0, times, std::string("\x0a\x00", 2), "");           // tensors of a manifest
    repeat(1, times, std::string("\x18\x01", 2), "");           // dimensions of a tensor
    repeat(2, times, std::string("\x1a\x00", 2), "");           // scales of a plan
    repeat(3, times, std::string("\x3a\x03\x0a\x01x", 5), "");  // metrics of an update
    repeat(5, times, std::string("\x78\x01", 2), "");           // fields that nobody knows
  }
  HostileManifests(folder);
}

void SafetensorsSeeds(Folder folder) {
  const auto add = [&](const std::string& header, size_t bytes) {
    folder.Add(header + std::string(bytes, 'x'));
  };
  const auto json = [&](const std::string& text, size_t bytes) {
    const uint64_t length = text.size();
    add(std::string(reinterpret_cast<const char*>(&length), sizeof(length)) + text, bytes);
  };
  const Manifest manifest = SampleManifest();
  add(SafetensorsHeader(manifest), manifest.total_bytes());
  // Beyond one bound each: where data begins and ends, what the file has, numbers, a list.
  json(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[1,5]}})", 4);
  json(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,3]}})", 4);
  json(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", 3);
  json(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,18446744073709551620]}})", 4);
  json(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4,4]}})", 4);
  json(R"({"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}})",
       1);
  for (const uint64_t length : {uint64_t{99}, uint64_t{1} << 40, ~uint64_t{0}}) {
    add(std::string(reinterpret_cast<const char*>(&length), sizeof(length)) + "{}", 0);
  }
  json("{}", 0);
  json(R"({"a":{"dtype":"U8","shape":[2,2],"data_offsets":[0,4]}})", 4);
  json(R"({"__metadata__":{"format":"pt"}, "b":{"data_offsets":[2,4],"shape":[],"dtype":"F16"},)"
       R"("\u00e9\ud83d\ude00\n":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}  )",
       4);
}

void PickleSeeds(Folder folder) {
  using namespace pickle;
  const std::string tensor = Tensor().Pickled();
  folder.Add(File(DictOf("weight", tensor)));
  folder.Add(File("}" + Text("one") + tensor + "s"));
  folder.Add(File(Global("collections", "OrderedDict") + ")Rq\1(" + Text("a") + tensor + "q\2" +
                  Text("b") + "h\2u" + DictOf("_metadata", "}") + "b"));
  folder.Add(File(DictOf(
      "p", Global("torch._utils", "_rebuild_parameter") + Tuple({tensor, "\x88", "}"}) + "R")));
  folder.Add(File(DictOf("lr", Int(1))));
  Tensor large;
  large.offset = std::string("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f");
  folder.Add(File(DictOf("w", large.Pickled())));
}

void PayloadSeeds(Folder folder) {
  const PayloadPipelines pipelines;
  BufferPool buffers;
  for (size_t i = 0; i < pipelines.size(); ++i) {
    const CodecPipeline& pipeline = pipelines[i];
    const PackedTensors model = PayloadPipelines::Numbers(i);
    const auto add = [&](const absl::StatusOr<EncodedTensors>& encoded) {
      Require(encoded.ok(), "a seed can be encoded");
      const std::string payload(reinterpret_cast<const char*>(encoded->bytes.data()),
                                encoded->bytes.size());
      const char which = static_cast<char>(i);
      folder.Add(std::string{which, '\0'} + payload);
      folder.Add(std::string{which, '\1'} + payload.substr(pipelines.HeadOf(i).size()));
    };
    if (pipeline.has_delta()) {
      add(pipeline.EncodeDelta(model, pipelines.base(), {}, buffers));
    } else {
      add(pipeline.Encode(model, {}, buffers));
    }
  }
}

}  // namespace
}  // namespace skein

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fuzz_seeds DIRECTORY\n");
    return 2;
  }
  const std::filesystem::path directory = argv[1];
  skein::FrameSeeds(skein::Folder(directory / "frame"));
  skein::ManifestSeeds(skein::Folder(directory / "manifest"));
  skein::SafetensorsSeeds(skein::Folder(directory / "safetensors"));
  skein::PickleSeeds(skein::Folder(directory / "pickle"));
  skein::PayloadSeeds(skein::Folder(directory / "payload"));
  return 0;
}
