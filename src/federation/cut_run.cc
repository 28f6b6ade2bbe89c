#include "federation/cut_run.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "federation/run_directory.h"
#include "federation/run_recorder.h"
#include "skein/base/status.h"
#include "skein/control/run_store.h"

namespace skein {

absl::StatusOr<RecordedResult> ConcludeCutRun(const std::string& directory,
                                              const std::string& run_id,
                                              const std::string& reason) {
  const std::string file = directory + "/control.db";
  if (!std::filesystem::exists(file)) return absl::NotFoundError(file + ": there is no such file");
  SKEIN_ASSIGN_OR_RETURN(const std::unique_ptr<RunStore> store, OpenSqliteStore(file));
  SKEIN_ASSIGN_OR_RETURN(std::optional<RunRecord> run, store->GetRun(run_id));
  SKEIN_ASSIGN_OR_RETURN(const std::vector<RoundRecord> rounds, store->Rounds(run_id));
  RunResult result{.status = "failed", .reason = reason, .directory = directory};
  for (const RoundRecord& round : rounds) {
    if (round.state != "committed") continue;
    ++result.rounds;
    result.contributions += round.contributors.Count();
    if (!round.digest.empty()) result.model_digest = round.digest;
  }
  if (run) {
    run->status = result.status;
    run->reason = result.reason;
    SKEIN_RETURN_IF_ERROR(store->PutRun(*run));
  }
  SKEIN_RETURN_IF_ERROR(WriteFileAtomically(directory + "/result.json", ToJson(result) + '\n'));
  return RecordedResult{result.status, result.reason, result.rounds, result.model_digest};
}

}  // namespace skein
