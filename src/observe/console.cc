#include "skein/observe/console.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

#include "observe/event_fields.h"

namespace skein {
namespace {

__attribute__((format(printf, 1, 2))) std::string Format(const char* format, ...) {
  char buffer[256];
  va_list args;
  va_start(args, format);
  std::vsnprintf(buffer, sizeof(buffer), format, args);
  va_end(args);
  return buffer;
}

std::string Bar(double fraction) {
  constexpr int kWidth = 10;
  const int filled = static_cast<int>(std::clamp(fraction, 0.0, 1.0) * kWidth + 1e-9);
  return '[' + std::string(filled, '#') + std::string(kWidth - filled, '-') + ']';
}

std::string Plural(uint64_t count, const std::string& noun) {
  return std::to_string(count) + ' ' + noun + (count == 1 ? "" : "s");
}

std::string Metric(const RoundSummary& round, const std::string& name) {
  if (const auto value = round.Evaluated(name)) return Format("%s %.4f  ", name.c_str(), *value);
  const auto it = round.training.find(name);
  if (it == round.training.end()) return "";
  return Format("train %s %.4f  ", name.c_str(), it->second);
}

constexpr uint64_t kLossesShown = 20;
constexpr double kRedrawSeconds = 0.1;
// Without a barrier: shares of the run's time so far, so that virtual time does not flood a
// terminal.
constexpr double kRedrawShare = 0.001;
constexpr double kLineShare = 0.02;
constexpr double kLineSeconds = 1;
constexpr double kLineSecondsMax = 3600;

// "version  12/960 [#---------] ".
std::string Head(const char* noun, uint64_t number, uint64_t total, double done) {
  const int width = static_cast<int>(std::to_string(total).size());
  return Format("%s %*llu/%llu ", noun, width, static_cast<unsigned long long>(number),
                static_cast<unsigned long long>(total)) +
         Bar(total == 0 ? 0 : done / static_cast<double>(total)) + ' ';
}

std::string Rate(const Pace& pace) {
  const double rate = pace.UpdatesPerSecond();
  return rate < 100 ? Format("%.3g/s", rate) : Format("%.0f/s", rate);
}

// What a line ends with, whatever the round is.
std::string Tail(const RoundSummary& round) {
  std::string text;
  if (!round.bytes.empty()) {
    text += "  root " + FormatBytes(static_cast<double>(round.bytes[0].up)) + " up";
  }
  if (round.left_out > 0) text += "  " + std::to_string(round.left_out) + " left out";
  if (round.rejected > 0) text += "  " + std::to_string(round.rejected) + " rejected";
  return text;
}

}  // namespace

std::string FormatBytes(double bytes) {
  const char* const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
  size_t unit = 0;
  while (bytes >= 999.95 && unit + 1 < std::size(units)) {
    bytes /= 1000;
    ++unit;
  }
  return unit == 0 ? Format("%.0f B", bytes) : Format("%.1f %s", bytes, units[unit]);
}

std::string ProgressLine(const RoundSummary& round, uint64_t total_rounds) {
  const uint64_t workers = round.committed ? round.contributors : round.arrived;
  double done = static_cast<double>(round.round);
  if (!round.committed && round.participants > 0) {
    done += static_cast<double>(workers) / static_cast<double>(round.participants) - 1;
  }
  std::string line = Head("round", round.round, total_rounds, done) + Metric(round, "loss") +
                     Metric(round, "accuracy") +
                     Format("%llu/%llu workers", static_cast<unsigned long long>(workers),
                            static_cast<unsigned long long>(round.participants));
  if (round.committed) line += Format("  %.1f s", round.wall_s);
  return line + Tail(round);
}

std::string VersionLine(const RoundSummary& version, uint64_t total_versions, uint64_t updates,
                        const Pace& pace) {
  const uint64_t done =
      version.round - (version.committed ? 0 : std::min<uint64_t>(version.round, 1));
  std::string line = Head("version", version.round, total_versions, static_cast<double>(done)) +
                     Metric(version, "loss") + Metric(version, "accuracy") +
                     Plural(updates, "update");
  if (!version.committed) return line + Tail(version);
  if (pace.seconds > 0) line += ", " + Rate(pace);
  line += Format("  staleness %.1f, max %llu", pace.MeanStaleness(),
                 static_cast<unsigned long long>(pace.staleness_max));
  if (const auto idle = pace.Idle()) line += Format("  idle %.1f%%", 100 * *idle);
  return line + Format("  %.1f s", pace.seconds) + Tail(version);
}

void ConsoleProgress::OnEvent(const Event& event) {
  pace_.OnEvent(event);
  if (event.type == event::kRoundOpened && rounds_.current().round == 0) {
    began_s_ = shown_s_ = event.time_s;
  }
  for (RoundSummary& concluded : rounds_.OnEvent(event)) {
    OnConcluded(std::move(concluded), event.time_s);
  }
  if (event.type == event::kRunStarted) {
    total_rounds_ = CountField(event.fields, "rounds");
    workers_ = CountField(event.fields, "workers");
    if (options_.out != nullptr) {
      const std::string seed = TextField(event.fields, "seed");  // text beyond 63 bits
      const uint64_t count = CountField(event.fields, "seed");
      *options_.out << TextField(event.fields, "name") << ": "
                    << Plural(CountField(event.fields, "nodes"), "node") << ", "
                    << Plural(workers_, "worker") << ", " << Plural(total_rounds_, "round")
                    << ", seed " << (seed.empty() ? std::to_string(count) : seed) << std::endl;
    }
  } else if (event.type == event::kStopWarned) {
    ShowNotice(TextField(event.fields, "reason"));
  } else if (event.type == event::kNodeLost) {
    ShowLoss(event);
  } else if (event.type == event::kRunEnded) {
    if (unshown_) ShowVersions(event.time_s);
    if (losses_ > kLossesShown) {
      ShowNotice(std::to_string(losses_) + " times in all a node was lost");
    }
    ShowSummary(event);
  } else if (options_.redraw && rounds_.current().round > 0) {
    ShowOpen(event);
  }
}

// Where thousands come and go, they would be all that is seen.
void ConsoleProgress::ShowLoss(const Event& event) {
  if (++losses_ > kLossesShown) return;
  ShowNotice(event.node + " was lost: " + TextField(event.fields, "reason"));
  if (losses_ == kLossesShown) ShowNotice("whoever else is lost is counted at the end");
}

void ConsoleProgress::OnConcluded(RoundSummary round, double now_s) {
  last_ = std::move(round);
  if (!rounds_.has_versions()) return ShowLine(ProgressLine(last_, total_rounds_), /*final=*/true);
  updates_ += last_.updates;
  RoundSummary versions = last_;
  if (unshown_) {
    versions.rejected += unshown_->rejected;
    if (versions.evaluation.empty()) versions.evaluation = std::move(unshown_->evaluation);
    if (!versions.bytes.empty() && !unshown_->bytes.empty()) {
      versions.bytes[0].up += unshown_->bytes[0].up;
    }
  }
  unshown_ = std::move(versions);
  const double gap = std::clamp(kLineShare * RunningFor(now_s), kLineSeconds, kLineSecondsMax);
  if (now_s >= shown_s_ + gap) ShowVersions(now_s);
}

void ConsoleProgress::ShowVersions(double now_s) {
  shown_s_ = now_s;
  ShowLine(VersionLine(*unshown_, total_rounds_, updates_, pace_.Take(now_s)), /*final=*/true);
  unshown_.reset();
}

void ConsoleProgress::ShowOpen(const Event& event) {
  const RoundSummary& open = rounds_.current();
  const bool versions = rounds_.has_versions();
  const double gap =
      std::max(kRedrawSeconds, versions ? kRedrawShare * RunningFor(event.time_s) : 0);
  const bool at_once = !versions && event.type != event::kUpdateAccepted;
  if (!at_once && event.time_s < drawn_s_ + gap) return;
  drawn_s_ = event.time_s;
  ShowLine(versions ? VersionLine(open, total_rounds_, updates_ + open.arrived, {})
                    : ProgressLine(open, total_rounds_),
           /*final=*/false);
}

void ConsoleProgress::ShowLine(const std::string& text, bool final) {
  if (options_.out == nullptr) return;
  if (options_.redraw) *options_.out << '\r' << text << "\x1b[K";
  if (!options_.redraw) *options_.out << text;
  if (final) *options_.out << '\n';
  line_open_ = !final;
  options_.out->flush();
}

void ConsoleProgress::ShowNotice(const std::string& text) {
  std::ostream* stream = options_.out != nullptr ? options_.out : options_.err;
  if (stream == nullptr) return;
  if (line_open_) *stream << "\r\x1b[K";
  line_open_ = false;
  *stream << text << std::endl;
}

void ConsoleProgress::ShowSummary(const Event& event) {
  const std::string status = TextField(event.fields, "status");
  const std::string reason = TextField(event.fields, "reason");
  if (options_.out == nullptr) {
    if (status != "completed") ShowNotice("run " + status + ": " + reason);
    return;
  }
  std::ostream& out = *options_.out;
  if (line_open_) out << '\n';  // a round that was not committed keeps its line
  line_open_ = false;
  out << status;
  if (!reason.empty()) out << ": " << reason;
  const char* noun = rounds_.has_versions() ? "version" : "round";
  out << '\n'
      << "  " << Plural(CountField(event.fields, "rounds"), noun) << " in "
      << Format("%.1f s", NumberField(event.fields, "wall_s").value_or(0));
  if (!rounds_.late_evaluation().empty()) last_.evaluation = rounds_.late_evaluation();
  const std::string digest = TextField(event.fields, "digest");
  if (!digest.empty()) last_.digest = digest;  // of what is stored in the end
  for (const char* metric : {"loss", "accuracy"}) {
    if (const auto value = last_.Evaluated(metric)) out << Format(", %s %.4f", metric, *value);
  }
  out << '\n';
  if (rounds_.has_versions()) ShowPace();
  if (!last_.digest.empty()) out << "  model sha256 " << last_.digest << '\n';
  if (!options_.directory.empty()) {
    out << "  files in " << options_.directory << ": "
        << (last_.digest.empty() ? "" : "model.safetensors, ")
        << "result.json, rounds.csv, events.jsonl, spec.yaml\n";
  }
  if (CountField(event.fields, "rounds") > 0) ShowTraffic(TrafficOf(event));
  out.flush();
}

void ConsoleProgress::ShowPace() {
  const Pace& pace = pace_.total();
  std::ostream& out = *options_.out;
  out << "  " << Plural(pace.updates, "update") << ", " << Rate(pace)
      << Format(", staleness %.1f, max %llu", pace.MeanStaleness(),
                static_cast<unsigned long long>(pace.staleness_max));
  if (const auto idle = pace.Idle()) out << Format(", workers idle %.1f%%", 100 * *idle);
  out << '\n';
}

void ConsoleProgress::ShowTraffic(const std::vector<TierTraffic>& bytes) {
  if (bytes.empty()) return;
  std::ostream& out = *options_.out;
  out << "  traffic with the children of each tier, total:\n";
  for (size_t tier = 0; tier < bytes.size(); ++tier) {
    out << Format("    tier %zu%s %10s up %10s down\n", tier, tier == 0 ? " (root)" : "       ",
                  FormatBytes(static_cast<double>(bytes[tier].up)).c_str(),
                  FormatBytes(static_cast<double>(bytes[tier].down)).c_str());
  }
  const uint64_t lowest =
      options_.lowest_tier_workers > 0 ? options_.lowest_tier_workers : workers_;
  if (bytes.size() < 2 || lowest == 0 || bytes[0].up == 0 || bytes[0].down == 0) return;
  // In a two-tier tree the root would exchange with each worker what a lowest aggregator does now.
  const double scale = static_cast<double>(workers_) / static_cast<double>(lowest);
  const double up = static_cast<double>(bytes.back().up) * scale;
  const double down = static_cast<double>(bytes.back().down) * scale;
  out << "  a two-tier root would see " << FormatBytes(up) << " up, " << FormatBytes(down)
      << " down (computed: " << workers_ << " workers x "
      << FormatBytes((up + down) / static_cast<double>(workers_)) << "), "
      << Format("%.1f and %.1f times as much as this one\n", up / static_cast<double>(bytes[0].up),
                down / static_cast<double>(bytes[0].down));
}

}  // namespace skein
