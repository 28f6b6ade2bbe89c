#include "federation/run_service.h"

#include <filesystem>
#include <future>
#include <utility>

#include "control/grpc/service.h"
#include "federation/directory_lock.h"
#include "federation/run_office.h"
#include "skein/base/status.h"

namespace skein {
namespace {

class RunServiceImpl : public RunService {
 public:
  RunServiceImpl(std::unique_ptr<DirectoryLock> lock, std::shared_ptr<RunOffice> office,
                 std::unique_ptr<ControlServer> server)
      : lock_(std::move(lock)), office_(std::move(office)), server_(std::move(server)) {}

  std::string address() const override { return server_->address(); }

  void Shutdown(const std::string& reason) override {
    auto done = std::make_shared<std::promise<void>>();
    office_->Shutdown(reason, [done] { done->set_value(); });
    done->get_future().wait();
  }

 private:
  const std::unique_ptr<DirectoryLock> lock_;
  const std::shared_ptr<RunOffice> office_;
  const std::unique_ptr<ControlServer> server_;  // goes first
};

}  // namespace

absl::StatusOr<std::unique_ptr<RunService>> RunService::Create(Options options, ThreadPool& pool,
                                                               const Registries& registries) {
  // First: an address that is taken leaves no directory behind.
  SKEIN_RETURN_IF_ERROR(CheckControlAddress(options.listen_address, options.insecure));
  std::error_code error;
  // Absolute: coordinators on this machine may have another working directory.
  const std::string directory = std::filesystem::absolute(options.directory, error).string();
  if (!error) std::filesystem::create_directories(directory + "/runs", error);
  if (error) {
    return absl::UnavailableError("cannot create " + options.directory +
                                  "/runs: " + error.message());
  }
  SKEIN_ASSIGN_OR_RETURN(
      auto lock,
      DirectoryLock::Take(directory, "another control plane works in " + directory +
                                         "; end it, or name another directory with --dir"));
  SKEIN_ASSIGN_OR_RETURN(auto store, OpenSqliteStore(directory + "/control.db"));
  auto office =
      std::make_shared<RunOffice>(directory, options.limits, std::move(store), pool, registries);
  SKEIN_RETURN_IF_ERROR(office->Open());
  SKEIN_ASSIGN_OR_RETURN(
      auto server, StartControlServer({office, office, options.listen_address, options.insecure}));
  return std::make_unique<RunServiceImpl>(std::move(lock), std::move(office), std::move(server));
}

}  // namespace skein
