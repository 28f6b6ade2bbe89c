#ifndef SKEIN_SRC_OBSERVE_SUMMARIZING_SINK_H_
#define SKEIN_SRC_OBSERVE_SUMMARIZING_SINK_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "skein/observe/event.h"
#include "skein/topology/topology.h"

namespace skein {

// Hands on events of aggregators and of the run as they are, and of workers only how many there
// were: one `workers_summarized` for each parent, with counts, the commonest reasons and
// histograms, before the round is committed, or, where versions follow each other without a
// barrier, once there are as many updates as workers. For runs too large to tell of each worker.
// Not thread-safe.
class SummarizingSink : public EventSink {
 public:
  SummarizingSink(std::shared_ptr<EventSink> inner, std::shared_ptr<const Topology> topology)
      : inner_(std::move(inner)), topology_(std::move(topology)) {}

  void OnEvent(const Event& event) override;

 private:
  // The workers of one parent.
  struct Tally {
    uint64_t started = 0;
    uint64_t lost = 0;
    uint64_t accepted = 0;
    uint64_t samples = 0;
    uint64_t rejected = 0;
    uint64_t left_out = 0;
    std::map<std::string, uint64_t> reasons;
    std::map<int, uint64_t> waits;  // by the power of two of the seconds since the round opened
    std::map<uint64_t, uint64_t> staleness;
  };
  // Whether it was one of a worker's.
  bool Count(const Event& event);
  void Flush(const Event& before);

  const std::shared_ptr<EventSink> inner_;
  const std::shared_ptr<const Topology> topology_;
  std::map<size_t, Tally> tallies_;  // by the parent's index
  uint64_t updates_ = 0;             // counted and not told of
  double opened_s_ = 0;
};

}  // namespace skein

#endif  // SKEIN_SRC_OBSERVE_SUMMARIZING_SINK_H_
