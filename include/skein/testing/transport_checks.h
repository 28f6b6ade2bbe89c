#ifndef SKEIN_TESTING_TRANSPORT_CHECKS_H_
#define SKEIN_TESTING_TRANSPORT_CHECKS_H_

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include <gtest/gtest.h>

#include "skein/transport/transport.h"

namespace skein::testing {

// Where a test of a transport runs: the transport, executors, and a way to wait.
class TransportBed {
 public:
  virtual ~TransportBed() = default;
  virtual Transport& transport() = 0;
  virtual std::shared_ptr<Executor> NewExecutor() = 0;
  // An address to listen on that is free, and one that Listen must refuse as malformed ("" if
  // every address is well-formed).
  virtual std::string free_address() const = 0;
  virtual std::string malformed_address() const = 0;
  // Lets the executors work until done() is true; false if it does not become true in good time.
  virtual bool WaitFor(const std::function<bool()>& done) = 0;
  // Something that a done() looks at has changed. Any thread.
  virtual void Notify() = 0;
};

// Addresses of a bed: one that is free, and one that Listen must refuse (see TransportBed).
struct TransportAddresses {
  std::string free;
  std::string malformed;
};

// Over the threads of a pool, with a time-out; and in virtual time, for transports without threads.
std::unique_ptr<TransportBed> MakeThreadedBed(std::shared_ptr<Transport> transport,
                                              const TransportAddresses& addresses);
std::unique_ptr<TransportBed> MakeSimulatedBed(std::shared_ptr<Transport> transport,
                                               const TransportAddresses& addresses);

// A transport under test.
struct TransportCase {
  std::string name;
  std::function<std::unique_ptr<TransportBed>()> make_bed;
  friend void PrintTo(const TransportCase& c, std::ostream* out) { *out << c.name; }
};

// The fixture of the suites, one check a method; transport_conformance.h makes tests of them.
class TransportChecks : public ::testing::TestWithParam<TransportCase> {
 protected:
  TransportChecks();
  ~TransportChecks() override;
  void SetUp() override;
  void TearDown() override;
  struct World;
  std::unique_ptr<World> world_;

  void ExchangesHelloAndWelcome();
  void CarriesEveryKindOfFrame();
  void DeliversInOrderOneAtATime();
  void CarriesLargeTransfersBothWaysIntact();
  void ServesManyLinks();
  void HoldsBackASenderWhoseReceiverIsBusy();
  void ClosesFromTheChild();
  void ClosesFromTheParent();
  void TellsThePeerWhy();
  void DropsWhatIsSentAfterTheEnd();
  void ClosesWhenALinkIsDestroyed();
  void ClosesLinksWhenTheListenerIsDestroyed();
  void ReportsThatNothingListens();
  void RefusesALink();
  void RefusesAnAddressInUse();
  void RefusesAMalformedAddress();
  void CountsEncodedBytesOnBothEnds();
  void RefusesToSendWhatIsTooLarge();
  void MayBeDestroyedInsideAHandler();
  void KeepsQuietAfterAClose();
};

}  // namespace skein::testing

#endif  // SKEIN_TESTING_TRANSPORT_CHECKS_H_
