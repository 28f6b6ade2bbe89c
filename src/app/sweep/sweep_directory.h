#ifndef SKEIN_SRC_APP_SWEEP_SWEEP_DIRECTORY_H_
#define SKEIN_SRC_APP_SWEEP_SWEEP_DIRECTORY_H_

#include <memory>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "app/sweep/grid.h"
#include "app/sweep/sweep_table.h"
#include "federation/directory_lock.h"

namespace skein::sweep {

// What a sweep is about to do, as sweep.json keeps it: a later call goes on with the same only.
struct Plan {
  std::vector<Axis> grid;
  std::vector<Point> points;
  std::vector<std::string> digests;  // of the resolved spec of each point
};

// The directory of a sweep: sweep.json (the plan), sweep.csv (the table so far) and a run directory
// for each point that has begun. Held by one process at a time, until this object goes.
class SweepDirectory {
 public:
  // Makes it, with the plan in it. AlreadyExists if there is something at `path`.
  static absl::StatusOr<std::unique_ptr<SweepDirectory>> Create(const std::string& path,
                                                                const Plan& plan);
  // Opens one that Create has made. NotFound if there is none; FailedPrecondition if its plan is
  // another, or another process has it.
  static absl::StatusOr<std::unique_ptr<SweepDirectory>> Open(const std::string& path,
                                                              const Plan& plan);

  std::string PathOf(const Point& point) const { return path_ + '/' + point.name; }
  // What earlier calls have made of a point.
  Row Read(const Point& point) const;
  // Moves the run directory of a point that is to run again, if there is one, to .earlier/, with
  // "~1", "~2" and so on after its name, so that nothing is lost.
  absl::Status SetAside(const Point& point) const;
  absl::Status Write(const Table& table) const;

 private:
  SweepDirectory(std::string path, std::unique_ptr<DirectoryLock> lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  const std::string path_;
  const std::unique_ptr<DirectoryLock> lock_;
};

// The sweep of this name under runs/ that began last; NotFound if there is none.
absl::StatusOr<std::string> NewestSweep(const std::string& name);

}  // namespace skein::sweep

#endif  // SKEIN_SRC_APP_SWEEP_SWEEP_DIRECTORY_H_
