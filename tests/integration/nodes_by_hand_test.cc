// A control plane and nodes that are started one by one, as on machines of their own.
#include "integration/program.h"

namespace skein {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class NodesByHandTest : public ProgramTest {
 protected:
  // The control plane of tree:1x2, and where it listens.
  pid_t StartControl(const std::string& learner = "linear") {
    Write("spec.yaml",
          "topology: tree:1x2\nrounds: 2\nseed: 3\nevaluate: both\nlearner: " + learner + "\n");
    const pid_t control = Start({"control", "--spec", work_ / "spec.yaml", "--out", work_ / "run",
                                 "--quiet", "--address-file", work_ / "address"});
    address_ = AwaitAddress();
    return control;
  }
  pid_t StartNode(const std::string& role, const std::string& id) {
    std::vector<std::string> words = {role == "worker" ? "worker" : "aggregator",
                                      "--id",
                                      id,
                                      "--control",
                                      address_,
                                      "--log-level",
                                      "off"};
    if (role == "coordinator") words.insert(words.end(), {"--role", role});
    return Start(std::move(words));
  }
  std::string At() const { return " --control " + address_; }

  std::string address_;
};

TEST_F(NodesByHandTest, MakeTheModelOfOneProcess) {
  const pid_t control = StartControl();
  // In no particular order.
  const pid_t nodes[] = {StartNode("worker", "w1"), StartNode("coordinator", "root"),
                         StartNode("worker", "w0"), StartNode("aggregator", "a0")};
  EXPECT_EQ(WaitForEnd(control), 0);
  for (const pid_t node : nodes) EXPECT_EQ(WaitForEnd(node), 0);
  EXPECT_EQ(Skein("run spec.yaml --out one --quiet").code, 0);
  EXPECT_EQ(ReadAll(work_ / "run/model.safetensors"), ReadAll(work_ / "one/model.safetensors"));
}

TEST_F(NodesByHandTest, AWorkerInPythonIsAsGoodAsAnother) {
  // Three chunks, so that an order of bytes shows.
  const pid_t control = StartControl("{name: echo, params: {elements: 700000, constant: 0.25}}");
  const pid_t nodes[] = {StartNode("coordinator", "root"), StartNode("aggregator", "a0"),
                         StartNode("worker", "w0")};
  const pid_t python =
      Start({PYTHON_WORKER, "--id", "w1", "--control", address_}, "/usr/bin/python3");
  EXPECT_EQ(WaitForEnd(control), 0);
  EXPECT_EQ(WaitForEnd(python), 0);
  for (const pid_t node : nodes) EXPECT_EQ(WaitForEnd(node), 0);
  EXPECT_THAT(ReadAll(work_ / "run/result.json"), HasSubstr("\"contributions\":4"));
  EXPECT_EQ(Skein("run spec.yaml --out one --quiet").code, 0);
  EXPECT_EQ(ReadAll(work_ / "run/model.safetensors"), ReadAll(work_ / "one/model.safetensors"));
}

TEST_F(NodesByHandTest, AreToldWhyTheyMayNotJoin) {
  const pid_t control = StartControl();
  Outcome outcome = Skein("worker --id w7" + At());
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("'w7'"), HasSubstr("did you mean")));
  outcome = Skein("aggregator --id root" + At());
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err,
              HasSubstr("'root' is started as aggregator and the topology has it as coordinator"));
  const pid_t first = StartNode("worker", "w0");
  ASSERT_NE(WaitForEvent(control, {"node_started", "\"w0\""}), "");
  outcome = Skein("worker --id w0" + At());
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("'w0' is connected already"));
  kill(control, SIGTERM);
  EXPECT_EQ(WaitForEnd(control), 1);
  EXPECT_EQ(WaitForEnd(first), 1);
}

TEST_F(NodesByHandTest, EndWhenThereIsNoControlPlane) {
  const Outcome outcome = Skein("worker --id w0 --control 127.0.0.1:1 --no-wait");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("127.0.0.1:1"), HasSubstr("cannot be reached")));
}

}  // namespace
}  // namespace skein
