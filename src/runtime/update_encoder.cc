#include "runtime/update_encoder.h"

#include <utility>

#include "skein/base/status.h"

namespace skein {

UpdateEncoder::UpdateEncoder(std::shared_ptr<const CodecPipeline> pipeline, CodecContext sender,
                             std::string errors_path, std::shared_ptr<BufferPool> buffers)
    : pipeline_(std::move(pipeline)),
      sender_(sender),
      buffers_(std::move(buffers)),
      errors_path_(std::move(errors_path)),
      errors_(errors_path_) {}

absl::StatusOr<OutboundTensors> UpdateEncoder::Encode(Seq seq, PackedTensors update) {
  if (pipeline_ == nullptr) return OutboundTensors(std::move(update), "");
  CodecContext context = sender_;
  context.round = seq;
  const Manifest& manifest = update.manifest();
  EncodedTensors payload;
  if (pipeline_->keeps_error()) {
    SKEIN_ASSIGN_OR_RETURN(CodecState errors, ErrorsBefore(seq, manifest));
    SKEIN_ASSIGN_OR_RETURN(payload, pipeline_->Encode(update, context, *buffers_, &errors));
    SKEIN_RETURN_IF_ERROR(errors.Commit());
    SKEIN_RETURN_IF_ERROR(errors_.Stage(seq, errors.errors()));
  } else {
    SKEIN_ASSIGN_OR_RETURN(payload, pipeline_->Encode(update, context, *buffers_));
  }
  return OutboundTensors::OfPayload(std::move(payload), pipeline_->form(), std::nullopt, manifest,
                                    "");
}

absl::StatusOr<CodecState> UpdateEncoder::ErrorsBefore(Seq seq, const Manifest& update) const {
  absl::StatusOr<PackedTensors> errors = errors_.Before(seq);
  if (errors.ok() && !errors->has_value()) return CodecState(update);
  auto state = errors.ok() ? CodecState::FromErrors(*std::move(errors), update) : errors.status();
  if (errors.ok() && !state.ok() && !errors_path_.empty()) {
    state = Annotate(state.status(), errors_path_);
  }
  // Not the update's fault.
  if (absl::IsInvalidArgument(state.status())) {
    return absl::FailedPreconditionError(Message(state.status()) +
                                         "; remove the file, and the worker owes nothing");
  }
  return state;
}

std::string CodecErrorsPath(const std::string& directory, const std::string& run,
                            const std::string& node) {
  return WorkerStatePath(directory, run + "/codec-errors", node);
}

}  // namespace skein
