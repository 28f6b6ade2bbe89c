#include "skein/observe/event.h"

#include <gtest/gtest.h>

#include "skein/observe/fan_out.h"

namespace skein {
namespace {

TEST(ToJsonLine, StartsWithTheCommonFieldsInOrder) {
  const Event event{1.25, event::kUpdateAccepted, 3, "w7", {{"samples", 60}, {"parent", "a0"}}};
  EXPECT_EQ(ToJsonLine(event), R"({"time_s":1.25,"event":"update_accepted","round":3,"node":"w7",)"
                               R"("parent":"a0","samples":60})");
}

TEST(ToJsonLine, EscapesWhatNodesSay) {
  const Event event{0, event::kNodeLost, 0, "a\"b", {{"reason", "line\nbreak"}}};
  EXPECT_EQ(ToJsonLine(event),
            R"({"time_s":0,"event":"node_lost","round":0,"node":"a\"b","reason":"line\nbreak"})");
}

TEST(ToJsonLine, RoundsTimeToMicroseconds) {
  EXPECT_EQ(ToJsonLine({0.1234567891, "x", 0, "", {}}),
            R"({"time_s":0.123457,"event":"x","round":0,"node":""})");
}

class Counter : public EventSink {
 public:
  void OnEvent(const Event&) override { ++count; }
  int count = 0;
};

TEST(FanOutSink, GivesEveryEventToEachSinkAndSkipsNull) {
  auto a = std::make_shared<Counter>();
  auto b = std::make_shared<Counter>();
  FanOutSink sink({a, nullptr, b});
  sink.OnEvent({});
  sink.OnEvent({});
  EXPECT_EQ(a->count, 2);
  EXPECT_EQ(b->count, 2);
}

}  // namespace
}  // namespace skein
