#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "skein/base/thread_pool.h"
#include "skein/testing/sim_executor.h"
#include "skein/testing/transport_checks.h"

namespace skein::testing {
namespace {

constexpr auto kTimeout = std::chrono::seconds(60);

class Bed : public TransportBed {
 public:
  Bed(std::shared_ptr<Transport> transport, TransportAddresses addresses)
      : transport_(std::move(transport)), addresses_(std::move(addresses)) {}
  Transport& transport() override { return *transport_; }
  std::string free_address() const override { return addresses_.free; }
  std::string malformed_address() const override { return addresses_.malformed; }

 protected:
  std::shared_ptr<Transport> transport_;

 private:
  const TransportAddresses addresses_;
};

class ThreadedBed final : public Bed {
 public:
  using Bed::Bed;
  // The transport ends while its executors still work, as in a program.
  ~ThreadedBed() override { transport_.reset(); }

  std::shared_ptr<Executor> NewExecutor() override { return pool_.NewExecutor(); }
  bool WaitFor(const std::function<bool()>& done) override {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kTimeout, done);
  }
  void Notify() override {
    // The lock makes sure that a waiter is not between its check and its sleep.
    { std::lock_guard lock(mutex_); }
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  ThreadPool pool_{4};
};

class SimulatedBed final : public Bed {
 public:
  using Bed::Bed;
  std::shared_ptr<Executor> NewExecutor() override { return simulation_.NewExecutor(); }
  bool WaitFor(const std::function<bool()>& done) override {
    return simulation_.RunUntil(done, kTimeout);
  }
  void Notify() override {}

 private:
  Simulation simulation_;
};

}  // namespace

std::unique_ptr<TransportBed> MakeThreadedBed(std::shared_ptr<Transport> transport,
                                              const TransportAddresses& addresses) {
  return std::make_unique<ThreadedBed>(std::move(transport), addresses);
}

std::unique_ptr<TransportBed> MakeSimulatedBed(std::shared_ptr<Transport> transport,
                                               const TransportAddresses& addresses) {
  return std::make_unique<SimulatedBed>(std::move(transport), addresses);
}

}  // namespace skein::testing
