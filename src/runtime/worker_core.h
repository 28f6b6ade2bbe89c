#ifndef SKEIN_SRC_RUNTIME_WORKER_CORE_H_
#define SKEIN_SRC_RUNTIME_WORKER_CORE_H_

#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <absl/status/status.h>

#include "skein/base/time.h"
#include "skein/transport/frame.h"

namespace skein {

// What happens to a worker.
namespace worker_event {
struct LinkUp {};  // welcomed by the parent
struct TaskArrived {
  Task task;
};
struct ModelArrived {
  VersionRef version;
};
struct ModelGone {};  // the shell has let go of it, while nothing was worked on
// The learner has returned from the started task; InvalidArgument: with something that is no
// update.
struct WorkEnded {
  uint64_t start = 0;
  absl::Status status;
};
struct UpdateAnswered {  // the parent took the update, or will not
  Seq seq = 0;
  absl::Status status;
};
struct Cancelled {
  uint64_t round = 0;
  uint32_t local_round = 0;
};
struct Committed {
  uint64_t round = 0;
};
struct Tick {};
}  // namespace worker_event

using WorkerEvent =
    std::variant<worker_event::LinkUp, worker_event::TaskArrived, worker_event::ModelArrived,
                 worker_event::ModelGone, worker_event::WorkEnded, worker_event::UpdateAnswered,
                 worker_event::Cancelled, worker_event::Committed, worker_event::Tick>;

// What its shell is to do.
namespace worker_action {
struct StartWork {  // train or evaluate; `start` comes back in WorkEnded
  uint64_t start = 0;
  Task task;
};
struct CancelWork {};   // raise the learner's flag
struct AbandonWork {};  // it does not listen: let go of its thread and learner
struct OfferUpdate {
  Seq seq = 0;
};
struct DropUpdate {  // and withdraw its offer
  Seq seq = 0;
  bool counts = false;  // as far as is known here: the parent has it, and nobody took it back
};
struct SendEvaluation {
  Task task;
};
struct SendFailed {
  TaskFailedFrame what;
};
struct WakeAt {
  Time when{0};
};
}  // namespace worker_action

using WorkerAction =
    std::variant<worker_action::StartWork, worker_action::CancelWork, worker_action::AbandonWork,
                 worker_action::OfferUpdate, worker_action::DropUpdate,
                 worker_action::SendEvaluation, worker_action::SendFailed, worker_action::WakeAt>;

// The decisions of a worker: what to train when, which updates to keep. Pure, as AggregatorCore is.
// A worker does one task at a time; a newer task cancels an older one. An update is kept until it
// is answered and its round committed, or it is refused or cancelled, so that it can be sent again;
// two at most.
class WorkerCore {
 public:
  enum class Phase {
    kIdle,
    kAwaitingModel,  // has a task, not the model it starts from
    kWorking,        // the learner runs
    kStopping,       // the learner was told to stop and has not returned yet
    kStuck,          // it never did; this worker takes no more tasks
  };
  struct Transition {
    Phase from;
    Phase to;
    const char* why;
  };
  static std::span<const Transition> Transitions();

  // `cancel_grace`: how long a cancelled learner may take to return.
  explicit WorkerCore(Duration cancel_grace) : cancel_grace_(cancel_grace) {}

  std::vector<WorkerAction> Handle(const WorkerEvent& event, Time now);

  Phase phase() const { return phase_; }
  size_t kept() const { return kept_.size(); }
  // Of the updates that are kept, those that the parent has.
  std::vector<Seq> answered() const;

 private:
  struct Kept {
    Seq seq = 0;
    uint64_t round = 0;
    uint32_t local_round = 0;
    uint32_t attempt = 0;
    bool answered = false;   // the parent has it
    bool committed = false;  // its round is over; whether it counts, the answer says
  };

  void On(const worker_event::LinkUp& e);
  void On(const worker_event::TaskArrived& e);
  void On(const worker_event::ModelArrived& e);
  void On(const worker_event::ModelGone& e);
  void On(const worker_event::WorkEnded& e);
  void On(const worker_event::UpdateAnswered& e);
  void On(const worker_event::Cancelled& e);
  void On(const worker_event::Committed& e);
  void On(const worker_event::Tick& e);

  void Enter(Phase to);
  void Begin();     // the task in hand, if its model is here
  void StopWork();  // asks the learner to return
  void Keep(const Task& task);
  void SendFailure(const Task& task, const std::string& reason, bool bad_update = false);
  template <typename T>
  void Do(T action) {
    actions_.emplace_back(std::move(action));
  }

  Duration cancel_grace_;
  Phase phase_ = Phase::kIdle;
  std::optional<Task> task_;  // in hand: awaited, running, or to run once the old one has stopped
  std::optional<VersionRef> model_;
  std::vector<Kept> kept_;
  uint64_t starts_ = 0;
  Task running_;         // what the learner was given last
  bool wanted_ = false;  // its result is still wanted
  Time stop_by_{0};
  Time now_{0};
  std::vector<WorkerAction> actions_;
};

}  // namespace skein

#endif  // SKEIN_SRC_RUNTIME_WORKER_CORE_H_
