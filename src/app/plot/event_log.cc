#include "app/plot/event_log.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

#include "skein/base/status.h"

namespace skein::plot {
namespace {

using Json = nlohmann::json;

constexpr int kMaxDepth = 16;  // events are flat, but for a list or map in a field

absl::StatusOr<Value> ToValue(const Json& json, int depth) {
  if (depth > kMaxDepth) return absl::InvalidArgumentError("it nests too deeply");
  switch (json.type()) {
    case Json::value_t::boolean:
      return Value(json.get<bool>());
    case Json::value_t::number_integer:
      return Value(json.get<int64_t>());
    case Json::value_t::number_unsigned: {
      const auto number = json.get<uint64_t>();
      const bool fits = number <= uint64_t{std::numeric_limits<int64_t>::max()};
      return fits ? Value(number) : Value(static_cast<double>(number));
    }
    case Json::value_t::number_float:
      return Value(json.get<double>());
    case Json::value_t::string:
      return Value(json.get<std::string>());
    case Json::value_t::array: {
      ValueList list;
      for (const Json& item : json) {
        SKEIN_ASSIGN_OR_RETURN(Value value, ToValue(item, depth + 1));
        list.push_back(std::move(value));
      }
      return Value(std::move(list));
    }
    case Json::value_t::object: {
      ValueMap map;
      for (const auto& [key, item] : json.items()) {
        SKEIN_ASSIGN_OR_RETURN(map[key], ToValue(item, depth + 1));
      }
      return Value(std::move(map));
    }
    default:
      return Value();
  }
}

absl::Status Lacks(const std::string& what) {
  return absl::InvalidArgumentError("not an event: it has no " + what);
}

}  // namespace

absl::StatusOr<Event> ParseEvent(const std::string& line) {
  Json json;
  try {
    json = Json::parse(line);
  } catch (const Json::parse_error& error) {
    return absl::InvalidArgumentError("not JSON, at column " + std::to_string(error.byte));
  } catch (const Json::exception&) {
    return absl::InvalidArgumentError("not JSON: a number is out of range");
  }
  SKEIN_ASSIGN_OR_RETURN(Value value, ToValue(json, 0));
  auto* fields = std::get_if<ValueMap>(&value.data);
  if (fields == nullptr) return absl::InvalidArgumentError("not an event: it is no JSON object");

  Event event;
  const auto time = json.find("time_s");
  if (time == json.end() || !time->is_number()) return Lacks("number 'time_s'");
  const auto type = json.find("event");
  if (type == json.end() || !type->is_string()) return Lacks("text 'event'");
  const auto round = json.find("round");
  if (round == json.end() || !round->is_number_unsigned()) return Lacks("count 'round'");
  const auto node = json.find("node");
  if (node == json.end() || !node->is_string()) return Lacks("text 'node'");
  event.time_s = time->get<double>();
  event.type = type->get<std::string>();
  event.round = round->get<uint64_t>();
  event.node = node->get<std::string>();
  for (const char* own : {"time_s", "event", "round", "node"}) fields->erase(own);
  event.fields = std::move(*fields);
  return event;
}

absl::Status ReadEvents(const std::string& directory,
                        const std::function<void(const Event&)>& visit) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::is_directory(directory, error)) {
    return absl::NotFoundError(directory + ": no such run directory");
  }
  const std::string path = (fs::path(directory) / "events.jsonl").string();
  const bool regular = fs::is_regular_file(path, error);  // to open a pipe would wait
  std::ifstream file(regular ? path : "");
  if (!file) {
    return absl::NotFoundError(directory + ": not a run directory, it has no events.jsonl");
  }
  const bool ended = fs::exists(fs::path(directory) / "result.json", error);
  std::string line;
  for (uint64_t number = 1; std::getline(file, line); ++number) {
    const absl::StatusOr<Event> event = ParseEvent(line);
    if (event.ok()) {
      visit(*event);
    } else if (ended || !file.eof()) {
      return Annotate(event.status(), path + ':' + std::to_string(number));
    }
  }
  if (file.bad()) return absl::UnavailableError(path + ": cannot be read");
  return absl::OkStatus();
}

}  // namespace skein::plot
