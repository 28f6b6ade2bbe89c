#ifndef SKEIN_TESTING_TRANSPORT_CONFORMANCE_H_
#define SKEIN_TESTING_TRANSPORT_CONFORMANCE_H_

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

struct TransportAddresses {
  std::string free;
  std::string malformed;
};

// Over the threads of a pool, with a time-out; and in virtual time, for transports without threads.
std::unique_ptr<TransportBed> MakeThreadedBed(std::shared_ptr<Transport> transport,
                                              const TransportAddresses& addresses);
std::unique_ptr<TransportBed> MakeSimulatedBed(std::shared_ptr<Transport> transport,
                                               const TransportAddresses& addresses);

struct TransportCase {
  std::string name;
  std::function<std::unique_ptr<TransportBed>()> make_bed;
  friend void PrintTo(const TransportCase& c, std::ostream* out) { *out << c.name; }
};

// What every transport must do, as described in skein/transport/transport.h. To run it over one:
//   INSTANTIATE_TEST_SUITE_P(Mine, TransportConformance, testing::Values(TransportCase{...}));
// Include this header in one source file of a test binary.
class TransportConformance : public ::testing::TestWithParam<TransportCase> {
 protected:
  TransportConformance();
  ~TransportConformance() override;
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

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TransportConformance);

#define SKEIN_TRANSPORT_TEST_(name) \
  TEST_P(TransportConformance, name) { TransportConformance::name(); }
SKEIN_TRANSPORT_TEST_(ExchangesHelloAndWelcome)
SKEIN_TRANSPORT_TEST_(CarriesEveryKindOfFrame)
SKEIN_TRANSPORT_TEST_(DeliversInOrderOneAtATime)
SKEIN_TRANSPORT_TEST_(CarriesLargeTransfersBothWaysIntact)
SKEIN_TRANSPORT_TEST_(ServesManyLinks)
SKEIN_TRANSPORT_TEST_(HoldsBackASenderWhoseReceiverIsBusy)
SKEIN_TRANSPORT_TEST_(ClosesFromTheChild)
SKEIN_TRANSPORT_TEST_(ClosesFromTheParent)
SKEIN_TRANSPORT_TEST_(TellsThePeerWhy)
SKEIN_TRANSPORT_TEST_(DropsWhatIsSentAfterTheEnd)
SKEIN_TRANSPORT_TEST_(ClosesWhenALinkIsDestroyed)
SKEIN_TRANSPORT_TEST_(ClosesLinksWhenTheListenerIsDestroyed)
SKEIN_TRANSPORT_TEST_(ReportsThatNothingListens)
SKEIN_TRANSPORT_TEST_(RefusesALink)
SKEIN_TRANSPORT_TEST_(RefusesAnAddressInUse)
SKEIN_TRANSPORT_TEST_(RefusesAMalformedAddress)
SKEIN_TRANSPORT_TEST_(CountsEncodedBytesOnBothEnds)
SKEIN_TRANSPORT_TEST_(RefusesToSendWhatIsTooLarge)
SKEIN_TRANSPORT_TEST_(MayBeDestroyedInsideAHandler)
SKEIN_TRANSPORT_TEST_(KeepsQuietAfterAClose)
#undef SKEIN_TRANSPORT_TEST_

}  // namespace skein::testing

#endif  // SKEIN_TESTING_TRANSPORT_CONFORMANCE_H_
