#include "control/grpc/runs_proto.h"

#include "transport/wire_text.h"

namespace skein {

v1::Run ToProto(const RunInfo& run) {
  v1::Run proto;
  proto.set_id(WireText(run.record.run_id));
  proto.set_name(WireText(run.record.name));
  proto.set_status(WireText(run.record.status));
  proto.set_reason(WireText(run.record.reason));
  proto.set_waits(WireText(run.waits));
  proto.set_nodes(run.record.nodes);
  proto.set_rounds(run.record.rounds);
  proto.set_submitted(WireText(run.record.submitted));
  proto.set_started(WireText(run.record.started));
  proto.set_ended(WireText(run.record.ended));
  proto.set_model_digest(WireText(run.record.model_digest));
  return proto;
}

RunInfo FromProto(const v1::Run& proto) {
  RunInfo run;
  run.record.run_id = proto.id();
  run.record.name = proto.name();
  run.record.status = proto.status();
  run.record.reason = proto.reason();
  run.waits = proto.waits();
  run.record.nodes = proto.nodes();
  run.record.rounds = proto.rounds();
  run.record.submitted = proto.submitted();
  run.record.started = proto.started();
  run.record.ended = proto.ended();
  run.record.model_digest = proto.model_digest();
  return run;
}

}  // namespace skein
