// Writes what the fuzz targets begin with, a folder for each target: fuzz_seeds DIRECTORY

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "skein/tensor/safetensors.h"
#include "transport/frame_proto.h"
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

void FrameSeeds(Folder folder) {
  v1::Frame close;
  close.mutable_close()->set_code(10);
  close.mutable_close()->set_message("battery is low");
  std::vector<std::string> messages = {close.SerializeAsString()};
  for (const Frame& frame : SampleFrames()) {
    messages.push_back(FrameToProto(frame).SerializeAsString());
  }
  for (const std::string& message : messages) {
    folder.Add(std::string(1, '\0') + message);  // one slice
    folder.Add("\x03\x01\x05\x09" + message);    // several, cut through the first fields
  }
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
  // A few of each kind of thing that may be repeated; the fuzzer finds out about many.
  repeat(0, 2, std::string("\x0a\x00", 2), "");           // tensors of a manifest
  repeat(1, 2, std::string("\x18\x01", 2), "");           // dimensions of a tensor
  repeat(2, 2, std::string("\x1a\x00", 2), "");           // scales of a plan
  repeat(3, 2, std::string("\x3a\x03\x0a\x01x", 5), "");  // metrics of an update
  repeat(5, 2, std::string("\x78\x01", 2), "");           // fields that nobody knows
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
  json("{}", 0);
  json(R"({"a":{"dtype":"U8","shape":[2,2],"data_offsets":[0,4]}})", 4);
  json(R"({"__metadata__":{"format":"pt"}, "b":{"data_offsets":[2,4],"shape":[],"dtype":"F16"},)"
       R"("\u00e9\ud83d\ude00\n":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}  )",
       4);
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
  return 0;
}
