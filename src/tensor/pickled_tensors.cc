#include "tensor/pickled_tensors.h"

#include <cstring>
#include <iterator>
#include <limits>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "skein/base/names.h"
#include "skein/base/status.h"

namespace skein {
namespace {

// A pickle can name a text or a shape again and again, which then are as many copies.
constexpr size_t kMaxStorageNameBytes = 64;

absl::Status Malformed() { return absl::InvalidArgumentError("is damaged"); }

// The opcodes of Python's pickletools that torch.save and torch::pickle_save write.
enum Opcode : uint8_t {
  kMark = '(',
  kEmptyTuple = ')',
  kStop = '.',
  kBinFloat = 'G',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNone = 'N',
  kBinPersId = 'Q',
  kReduce = 'R',
  kBinUnicode = 'X',
  kEmptyList = ']',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kSetItems = 'u',
  kEmptyDict = '}',
  kProto = 0x80,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kShortBinUnicode = 0x8c,
};

// What is on the stack. `at` is the number itself, or where in the machine's lists the rest is.
struct Object {
  enum class Kind {
    kMark,
    kNone,
    kInt,
    kReal,
    kText,
    kTuple,
    kList,
    kDict,
    kGlobal,
    kStorage,
    kTensor
  };
  Kind kind = Kind::kNone;
  int64_t at = 0;
};
using Kind = Object::Kind;

std::optional<DType> DTypeOfStorage(std::string_view name) {
  static constexpr std::pair<std::string_view, DType> kStorages[] = {
      {"BoolStorage", DType::kBool},     {"ByteStorage", DType::kUint8},
      {"CharStorage", DType::kInt8},     {"ShortStorage", DType::kInt16},
      {"IntStorage", DType::kInt32},     {"LongStorage", DType::kInt64},
      {"HalfStorage", DType::kFloat16},  {"BFloat16Storage", DType::kBFloat16},
      {"FloatStorage", DType::kFloat32}, {"DoubleStorage", DType::kFloat64},
  };
  for (const auto& [storage, dtype] : kStorages) {
    if (storage == name) return dtype;
  }
  return std::nullopt;
}

// Whether all elements lie within a storage of so many.
bool LiesWithin(const PickledTensor& tensor) {
  if (tensor.offset < 0 || tensor.storage_elements > std::numeric_limits<int64_t>::max()) {
    return false;
  }
  const auto elements = static_cast<int64_t>(tensor.storage_elements);
  if (tensor.offset > elements) return false;
  bool empty = false;
  for (size_t i = 0; i < tensor.shape.size(); ++i) {
    if (tensor.shape[i] < 0 || tensor.strides[i] < 0) return false;
    empty = empty || tensor.shape[i] == 0;
  }
  if (empty) return true;
  int64_t last = tensor.offset;
  for (size_t i = 0; i < tensor.shape.size(); ++i) {
    int64_t step = 0;
    if (__builtin_mul_overflow(tensor.shape[i] - 1, tensor.strides[i], &step) ||
        __builtin_add_overflow(last, step, &last)) {
      return false;
    }
  }
  return last < elements;
}

// Or a small file could say that it has any number of elements.
bool IsNoLargerThanItsStorage(const PickledTensor& tensor) {
  uint64_t elements = 1;
  for (const int64_t size : tensor.shape) {
    if (__builtin_mul_overflow(elements, static_cast<uint64_t>(size), &elements)) return false;
  }
  return elements <= tensor.storage_elements;
}

// Runs a pickle. Lists only grow, so that an object stays what it is however often it is copied.
class Machine {
 public:
  explicit Machine(std::span<const std::byte> pickle)
      : text_(reinterpret_cast<const char*>(pickle.data()), pickle.size()) {}

  absl::StatusOr<std::vector<PickledTensor>> Run() {
    while (!stopped_) SKEIN_RETURN_IF_ERROR(Step());
    SKEIN_ASSIGN_OR_RETURN(const Object top, Pop());
    if (top.kind != Kind::kDict) return absl::InvalidArgumentError("holds no dict");
    std::vector<PickledTensor> tensors;
    for (const auto& [key, value] : dicts_[Index(top)]) {
      if (key.kind != Kind::kText) {
        return absl::InvalidArgumentError("its dict has keys that are no names");
      }
      const std::string name(texts_[Index(key)].substr(0, Manifest::kMaxNameBytes + 1));
      if (name.size() > Manifest::kMaxNameBytes) {
        return absl::InvalidArgumentError("the name " + QuoteName(name) + " is too long");
      }
      if (value.kind != Kind::kTensor) {
        return absl::InvalidArgumentError(QuoteName(name) + " is no tensor");
      }
      tensors.push_back(tensors_[Index(value)]);
      tensors.back().name = name;
    }
    return tensors;
  }

 private:
  using Items = std::vector<Object>;

  static size_t Index(const Object& object) { return static_cast<size_t>(object.at); }

  template <typename List, typename Item>
  void Push(Kind kind, List& list, Item&& item) {
    list.push_back(std::forward<Item>(item));
    stack_.push_back({kind, static_cast<int64_t>(list.size() - 1)});
  }

  absl::StatusOr<Object> Pop() {
    if (stack_.empty() || stack_.back().kind == Kind::kMark) return Malformed();
    const Object top = stack_.back();
    stack_.pop_back();
    return top;
  }
  absl::StatusOr<Items> PopSome(size_t count) {
    Items items(count);
    for (size_t i = count; i-- > 0;) {
      SKEIN_ASSIGN_OR_RETURN(items[i], Pop());
    }
    return items;
  }
  absl::StatusOr<Items> PopToMark() {
    size_t begin = stack_.size();
    while (begin > 0 && stack_[begin - 1].kind != Kind::kMark) --begin;
    if (begin == 0) return Malformed();
    Items items(stack_.begin() + static_cast<std::ptrdiff_t>(begin), stack_.end());
    stack_.resize(begin - 1);
    return items;
  }

  absl::StatusOr<std::string_view> Take(size_t bytes) {
    if (bytes > text_.size()) return Malformed();
    const std::string_view taken = text_.substr(0, bytes);
    text_.remove_prefix(bytes);
    return taken;
  }
  // Little-endian; numbers of fewer than 8 bytes are without sign.
  absl::StatusOr<uint64_t> TakeNumber(size_t bytes) {
    SKEIN_ASSIGN_OR_RETURN(const std::string_view taken, Take(bytes));
    uint64_t number = 0;
    std::memcpy(&number, taken.data(), bytes);
    return number;
  }
  absl::StatusOr<std::string_view> TakeLine() {
    const size_t end = text_.find('\n');
    if (end == text_.npos) return Malformed();
    SKEIN_ASSIGN_OR_RETURN(const std::string_view line, Take(end + 1));
    return line.substr(0, end);
  }

  absl::Status Step() {
    SKEIN_ASSIGN_OR_RETURN(const uint64_t opcode, TakeNumber(1));
    switch (opcode) {
      case kProto:
        return TakeNumber(1).status();
      case kStop:
        stopped_ = true;
        return absl::OkStatus();
      case kMark:
        stack_.push_back({Kind::kMark});
        return absl::OkStatus();
      case kNone:
        stack_.push_back({Kind::kNone});
        return absl::OkStatus();
      case kNewTrue:
      case kNewFalse:
        stack_.push_back({Kind::kInt, opcode == kNewTrue ? 1 : 0});
        return absl::OkStatus();
      case kBinInt1:
        return PushInt(1);
      case kBinInt2:
        return PushInt(2);
      case kBinInt: {
        SKEIN_ASSIGN_OR_RETURN(const uint64_t number, TakeNumber(4));
        stack_.push_back({Kind::kInt, static_cast<int32_t>(number)});
        return absl::OkStatus();
      }
      case kLong1:
        return PushLong();
      case kBinFloat:
        stack_.push_back({Kind::kReal});  // no tensor needs its value
        return Take(8).status();
      case kBinUnicode:
        return PushText(4);
      case kShortBinUnicode:
        return PushText(1);
      case kEmptyTuple:
        Push(Kind::kTuple, tuples_, Items());
        return absl::OkStatus();
      case kTuple1:
      case kTuple2:
      case kTuple3: {
        SKEIN_ASSIGN_OR_RETURN(Items items, PopSome(opcode - kTuple1 + 1));
        Push(Kind::kTuple, tuples_, std::move(items));
        return absl::OkStatus();
      }
      case kTuple: {
        SKEIN_ASSIGN_OR_RETURN(Items items, PopToMark());
        Push(Kind::kTuple, tuples_, std::move(items));
        return absl::OkStatus();
      }
      case kEmptyList:  // what is in it is of no interest: it is no tensor
        stack_.push_back({Kind::kList});
        return absl::OkStatus();
      case kAppend:
        return Pop().status();
      case kAppends:
        return PopToMark().status();
      case kEmptyDict:
        Push(Kind::kDict, dicts_, Pairs());
        return absl::OkStatus();
      case kSetItem: {
        SKEIN_ASSIGN_OR_RETURN(const Items items, PopSome(2));
        return SetItems(items);
      }
      case kSetItems: {
        SKEIN_ASSIGN_OR_RETURN(const Items items, PopToMark());
        return SetItems(items);
      }
      case kBinPut:
        return Put(1);
      case kLongBinPut:
        return Put(4);
      case kBinGet:
        return Get(1);
      case kLongBinGet:
        return Get(4);
      case kGlobal:
        return PushGlobal();
      case kBinPersId:
        return PushStorage();
      case kReduce:
        return Call();
      case kBuild:
        return Build();
      default:
        return absl::InvalidArgumentError("holds more than tensors");
    }
  }

  absl::Status PushInt(size_t bytes) {
    SKEIN_ASSIGN_OR_RETURN(const uint64_t number, TakeNumber(bytes));
    stack_.push_back({Kind::kInt, static_cast<int64_t>(number)});
    return absl::OkStatus();
  }
  // Two's complement, as short as can be.
  absl::Status PushLong() {
    SKEIN_ASSIGN_OR_RETURN(const uint64_t bytes, TakeNumber(1));
    if (bytes > 8) return absl::InvalidArgumentError("holds more than tensors");
    SKEIN_ASSIGN_OR_RETURN(uint64_t number, TakeNumber(bytes));
    if (bytes > 0 && bytes < 8 && ((number >> (8 * bytes - 1)) & 1) != 0) {
      number |= ~uint64_t{0} << (8 * bytes);
    }
    stack_.push_back({Kind::kInt, static_cast<int64_t>(number)});
    return absl::OkStatus();
  }
  absl::Status PushText(size_t length_bytes) {
    SKEIN_ASSIGN_OR_RETURN(const uint64_t length, TakeNumber(length_bytes));
    SKEIN_ASSIGN_OR_RETURN(const std::string_view text, Take(length));
    Push(Kind::kText, texts_, text);
    return absl::OkStatus();
  }
  absl::Status PushGlobal() {
    SKEIN_ASSIGN_OR_RETURN(const std::string_view module, TakeLine());
    SKEIN_ASSIGN_OR_RETURN(const std::string_view name, TakeLine());
    Push(Kind::kGlobal, globals_, std::pair(module, name));
    return absl::OkStatus();
  }

  absl::Status SetItems(const Items& items) {
    if (stack_.empty() || stack_.back().kind != Kind::kDict || items.size() % 2 != 0) {
      return Malformed();
    }
    Pairs& dict = dicts_[Index(stack_.back())];
    for (size_t i = 0; i < items.size(); i += 2) dict.emplace_back(items[i], items[i + 1]);
    return absl::OkStatus();
  }

  absl::Status Put(size_t key_bytes) {
    SKEIN_ASSIGN_OR_RETURN(const uint64_t key, TakeNumber(key_bytes));
    if (stack_.empty() || stack_.back().kind == Kind::kMark) return Malformed();
    memo_[key] = stack_.back();
    return absl::OkStatus();
  }
  absl::Status Get(size_t key_bytes) {
    SKEIN_ASSIGN_OR_RETURN(const uint64_t key, TakeNumber(key_bytes));
    const auto it = memo_.find(key);
    if (it == memo_.end()) return Malformed();
    stack_.push_back(it->second);
    return absl::OkStatus();
  }

  // ("storage", its class, its name, a device, how many elements)
  absl::Status PushStorage() {
    SKEIN_ASSIGN_OR_RETURN(const Object id, Pop());
    if (id.kind != Kind::kTuple) return Malformed();
    const Items& items = tuples_[Index(id)];
    if (items.size() < 5 || items[0].kind != Kind::kText || texts_[Index(items[0])] != "storage" ||
        items[1].kind != Kind::kGlobal || items[2].kind != Kind::kText ||
        items[4].kind != Kind::kInt || items[4].at < 0) {
      return Malformed();
    }
    const auto& [module, name] = globals_[Index(items[1])];
    const auto dtype = DTypeOfStorage(name);
    if (module != "torch" || !dtype) {
      return absl::InvalidArgumentError("has elements of " + QuoteName(name) +
                                        ", which cannot travel");
    }
    PickledTensor storage;
    storage.storage = texts_[Index(items[2])].substr(0, kMaxStorageNameBytes);
    storage.dtype = *dtype;
    storage.storage_elements = static_cast<uint64_t>(items[4].at);
    Push(Kind::kStorage, tensors_, std::move(storage));
    return absl::OkStatus();
  }

  absl::Status Call() {
    SKEIN_ASSIGN_OR_RETURN(const Items call, PopSome(2));
    if (call[0].kind != Kind::kGlobal || call[1].kind != Kind::kTuple) return Malformed();
    const auto& [module, name] = globals_[Index(call[0])];
    const Items& arguments = tuples_[Index(call[1])];
    if (module == "collections" && name == "OrderedDict" && arguments.empty()) {
      Push(Kind::kDict, dicts_, Pairs());
      return absl::OkStatus();
    }
    if (module == "torch._utils" && name == "_rebuild_tensor_v2") return PushTensor(arguments);
    // A parameter is its tensor; a type tag of torch::pickle_save says what is plain.
    if ((module == "torch._utils" && name == "_rebuild_parameter") ||
        (module == "torch.jit._pickle" && name == "restore_type_tag")) {
      if (arguments.empty()) return Malformed();
      stack_.push_back(arguments[0]);
      return absl::OkStatus();
    }
    return absl::InvalidArgumentError("holds a " + QuoteName(name) + " of " + QuoteName(module));
  }

  // (storage, offset, sizes, strides, requires_grad, hooks)
  absl::Status PushTensor(const Items& arguments) {
    if (arguments.size() < 4 || arguments[0].kind != Kind::kStorage ||
        arguments[1].kind != Kind::kInt) {
      return Malformed();
    }
    PickledTensor tensor = tensors_[Index(arguments[0])];
    tensor.offset = arguments[1].at;
    SKEIN_ASSIGN_OR_RETURN(tensor.shape, Sizes(arguments[2]));
    SKEIN_ASSIGN_OR_RETURN(tensor.strides, Sizes(arguments[3]));
    if (tensor.shape.size() != tensor.strides.size() || !LiesWithin(tensor)) return Malformed();
    if (!IsNoLargerThanItsStorage(tensor)) {
      return absl::InvalidArgumentError("has a tensor that repeats its elements; save its clone()");
    }
    Push(Kind::kTensor, tensors_, std::move(tensor));
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<int64_t>> Sizes(const Object& object) const {
    if (object.kind != Kind::kTuple) return Malformed();
    const Items& items = tuples_[Index(object)];
    if (items.size() > Manifest::kMaxDims) return Malformed();
    std::vector<int64_t> sizes;
    for (const Object& item : items) {
      if (item.kind != Kind::kInt) return Malformed();
      sizes.push_back(item.at);
    }
    return sizes;
  }

  // Attributes of an ordered dict (state_dict() has versions of modules there) say nothing to us.
  absl::Status Build() {
    SKEIN_RETURN_IF_ERROR(Pop().status());
    if (stack_.empty() || stack_.back().kind != Kind::kDict) {
      return absl::InvalidArgumentError("holds more than tensors");
    }
    return absl::OkStatus();
  }

  using Pairs = std::vector<std::pair<Object, Object>>;

  std::string_view text_;  // what is left of it
  bool stopped_ = false;
  Items stack_;
  std::unordered_map<uint64_t, Object> memo_;
  std::vector<std::string_view> texts_;
  std::vector<std::pair<std::string_view, std::string_view>> globals_;
  std::vector<Items> tuples_;
  std::vector<Pairs> dicts_;
  std::vector<PickledTensor> tensors_;  // and storages, without shape
};

}  // namespace

absl::StatusOr<std::vector<PickledTensor>> ReadPickledTensors(std::span<const std::byte> pickle) {
  return Machine(pickle).Run();
}

}  // namespace skein
