#ifndef SKEIN_TESTS_UNIT_TENSOR_SAMPLE_PICKLES_H_
#define SKEIN_TESTS_UNIT_TENSOR_SAMPLE_PICKLES_H_

#include <cstdint>
#include <string>
#include <vector>

// Pieces of pickles as torch.save writes them.
namespace skein::pickle {

inline std::string Text(const std::string& text) {
  return std::string("X") + static_cast<char>(text.size()) + std::string(3, '\0') + text;
}
inline std::string Int(uint8_t value) { return std::string("K") + static_cast<char>(value); }
inline std::string Global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
inline std::string Tuple(const std::vector<std::string>& items) {
  std::string all = "(";
  for (const std::string& item : items) all += item;
  return all + "t";
}
inline std::string Sizes(const std::vector<uint8_t>& sizes) {
  std::vector<std::string> items;
  for (const uint8_t size : sizes) items.push_back(Int(size));
  return Tuple(items);
}
inline std::string Storage(const std::string& type, uint8_t elements) {
  return Tuple({Text("storage"), Global("torch", type), Text("7"), Text("cuda:0"), Int(elements)}) +
         "Q";
}
// As _rebuild_tensor_v2 takes it; the last of the elements is number 7.
struct Tensor {
  std::string storage = Storage("FloatStorage", 12);
  std::string offset = Int(2);
  std::string shape = Sizes({2, 3});
  std::string strides = Sizes({3, 1});

  std::string Pickled() const {
    return Global("torch._utils", "_rebuild_tensor_v2") +
           Tuple({storage, offset, shape, strides, "\x89",
                  Global("collections", "OrderedDict") + ")R"}) +
           "R";
  }
};
inline std::string File(const std::string& value) { return "\x80\x02" + value + "."; }
inline std::string DictOf(const std::string& name, const std::string& value) {
  return "}(" + Text(name) + value + "u";
}

}  // namespace skein::pickle

#endif  // SKEIN_TESTS_UNIT_TENSOR_SAMPLE_PICKLES_H_
