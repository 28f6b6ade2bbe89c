#ifndef SKEIN_TESTING_TRANSPORT_CONFORMANCE_H_
#define SKEIN_TESTING_TRANSPORT_CONFORMANCE_H_

#include "skein/testing/transport_checks.h"

namespace skein::testing {

// What every transport must do, as described in skein/transport/transport.h. To run it over one,
// include this header in one source file of a test binary, with
//   INSTANTIATE_TEST_SUITE_P(Mine, TransportConformance, ::testing::Values(TransportCase{...}));
// and AddressConformance too if not every text is an address of it.

class TransportConformance : public TransportChecks {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TransportConformance);

class AddressConformance : public TransportChecks {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(AddressConformance);

#define SKEIN_TRANSPORT_TEST_(name) \
  TEST_P(TransportConformance, name) { TransportChecks::name(); }
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
SKEIN_TRANSPORT_TEST_(CountsEncodedBytesOnBothEnds)
SKEIN_TRANSPORT_TEST_(RefusesToSendWhatIsTooLarge)
SKEIN_TRANSPORT_TEST_(MayBeDestroyedInsideAHandler)
SKEIN_TRANSPORT_TEST_(KeepsQuietAfterAClose)
#undef SKEIN_TRANSPORT_TEST_

TEST_P(AddressConformance, RefusesAMalformedAddress) {
  TransportChecks::RefusesAMalformedAddress();
}

}  // namespace skein::testing

#endif  // SKEIN_TESTING_TRANSPORT_CONFORMANCE_H_
