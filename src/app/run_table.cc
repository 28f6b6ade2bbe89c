#include "app/run_table.h"

#include "app/text_table.h"
#include "skein/base/value.h"

namespace skein {
namespace {

Value ToValue(const RunInfo& run) {
  const SubmissionRecord& record = run.record;
  return ValueMap{{"run", record.run_id},
                  {"name", record.name},
                  {"status", record.status},
                  {"reason", record.reason},
                  {"waits", run.waits},
                  {"nodes", record.nodes},
                  {"rounds", record.rounds},
                  {"submitted", record.submitted},
                  {"started", record.started},
                  {"ended", record.ended},
                  {"model_digest", record.model_digest}};
}

}  // namespace

std::string ToJson(const RunInfo& run) { return ToJson(ToValue(run)); }

std::string ToJson(const std::vector<RunInfo>& runs) {
  ValueList list;
  for (const RunInfo& run : runs) list.push_back(ToValue(run));
  return ToJson(Value(std::move(list)));
}

std::string ToTable(const std::vector<RunInfo>& runs) {
  TextColumn id{false, {"run"}}, status{false, {"status"}}, rounds{true, {"rounds"}};
  TextColumn nodes{true, {"nodes"}}, submitted{false, {"submitted"}}, why{false, {""}};
  for (const RunInfo& run : runs) {
    const SubmissionRecord& record = run.record;
    id.cells.push_back(record.run_id);
    status.cells.push_back(record.status);
    rounds.cells.push_back(std::to_string(record.rounds));
    nodes.cells.push_back(std::to_string(record.nodes));
    submitted.cells.push_back(record.submitted);
    why.cells.push_back(run.waits.empty() ? record.reason : run.waits);
  }
  return TextTable({id, status, rounds, nodes, submitted, why});
}

}  // namespace skein
