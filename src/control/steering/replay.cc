#include "control/steering/replay.h"

#include <fstream>
#include <map>
#include <tuple>
#include <utility>

#include "control/steering/steering_events.h"
#include "observe/event_fields.h"
#include "skein/base/status.h"
#include "topology/yaml_reader.h"

namespace skein {
namespace {

class ReplaySteering : public Steering {
 public:
  absl::Status Add(SteeredStep step) {
    const Key key{step.moment, step.round, step.where};
    if (steps_.try_emplace(key, std::move(step.decision)).second) return absl::OkStatus();
    return absl::InvalidArgumentError(std::string(event::kSteered) + ": round " +
                                      std::to_string(step.round) + " was steered twice");
  }

  absl::StatusOr<SteeringDecision> Decide(const SteeringRecord& record) override {
    const auto step = steps_.find(Key{record.moment, record.round, record.where});
    return step == steps_.end() ? SteeringDecision() : step->second;
  }

 private:
  using Key = std::tuple<SteeringRecord::Moment, uint64_t, std::string>;
  std::map<Key, SteeringDecision> steps_;
};

// One line of events.jsonl. JSON is YAML, as far as we write it.
absl::StatusOr<Event> ReadEvent(const std::string& line, const std::string& place) {
  SKEIN_ASSIGN_OR_RETURN(const YamlDocument document, YamlDocument::Parse(line, place));
  SKEIN_ASSIGN_OR_RETURN(const Value value, ToValue(document, document.root()));
  if (value.AsMap() == nullptr) return absl::InvalidArgumentError(place + ": no event");
  Event event;
  event.fields = *value.AsMap();
  event.type = TextField(event.fields, "event");
  event.round = CountField(event.fields, "round");
  event.node = TextField(event.fields, "node");
  for (const char* key : {"time_s", "event", "round", "node"}) event.fields.erase(key);
  return event;
}

}  // namespace

absl::StatusOr<std::shared_ptr<Steering>> MakeReplaySteering(const std::vector<Event>& events) {
  std::map<uint64_t, uint64_t> first_version;  // by change that held for it
  for (const Event& event : events) {
    if (event.type != event::kVersionCommitted) continue;
    first_version.try_emplace(CountField(event.fields, "change"), event.round);
  }
  auto replay = std::make_shared<ReplaySteering>();
  for (const Event& event : events) {
    if (event.type != event::kSteered) continue;
    SKEIN_ASSIGN_OR_RETURN(SteeredStep step, SteeredStepOf(event));
    // The coordinator may have been ahead of what it was told.
    const auto held = first_version.lower_bound(step.change);
    if (step.change != 0 && held != first_version.end()) step.decision.from_version = held->second;
    SKEIN_RETURN_IF_ERROR(replay->Add(std::move(step)));
  }
  return replay;
}

absl::StatusOr<std::vector<Event>> ReadSteeringEvents(const std::string& directory) {
  const std::string path = directory + "/events.jsonl";
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(path + ": cannot be read; give the directory of a run");
  std::vector<Event> events;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    // The others are many, and of no interest.
    const auto names = [&](const char* type) {
      return line.find("\"event\":\"" + std::string(type) + '"') != std::string::npos;
    };
    if (!names(event::kSteered) && !names(event::kVersionCommitted)) continue;
    SKEIN_ASSIGN_OR_RETURN(Event event, ReadEvent(line, path + ":" + std::to_string(number)));
    events.push_back(std::move(event));
  }
  return events;
}

absl::Status RegisterReplay(SteeringRegistry& registry) {
  return registry.Register(
      {.name = "replay",
       .summary = "decides what the events of another run say that was decided",
       .source = "Skein",
       .schema = ParamSchema({{.name = "run",
                               .type = ParamSpec::Type::kString,
                               .required = true,
                               .doc = "directory of the run"}})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<Steering>> {
        SKEIN_ASSIGN_OR_RETURN(const auto events, ReadSteeringEvents(params.String("run")));
        return MakeReplaySteering(events);
      });
}

}  // namespace skein
