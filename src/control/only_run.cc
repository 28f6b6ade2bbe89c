#include "control/only_run.h"

#include <utility>

namespace skein {
namespace {

class OnlyRun : public ControlReceiver {
 public:
  OnlyRun(std::shared_ptr<ControlPlane> plane, std::string run_id)
      : plane_(std::move(plane)), run_id_(std::move(run_id)) {}

  void OnMessage(std::shared_ptr<ControlSession> session, NodeMessage message) override {
    if (std::holds_alternative<EnlistMsg>(message)) return session->Send(EnlistedMsg{run_id_});
    if (std::holds_alternative<NodeEndedMsg>(message)) return;  // the node has told why
    plane_->OnMessage(std::move(session), std::move(message));
  }
  void OnSessionClosed(std::shared_ptr<ControlSession> session, absl::Status status) override {
    plane_->OnSessionClosed(std::move(session), std::move(status));
  }

 private:
  const std::shared_ptr<ControlPlane> plane_;
  const std::string run_id_;
};

}  // namespace

std::shared_ptr<ControlReceiver> MakeOnlyRun(std::shared_ptr<ControlPlane> plane,
                                             std::string run_id) {
  return std::make_shared<OnlyRun>(std::move(plane), std::move(run_id));
}

}  // namespace skein
