// The skein command line with learners for Fashion-MNIST:
//   fashion_mnist run examples/fashion_mnist/three_tier.yaml
#include <memory>

#include <skein/skein.h>

#include "fashion_cnn.h"
#include "fashion_data.h"

int main(int argc, char** argv) {
  skein::App app;
  // The workers of one process share the images.
  auto data = std::make_shared<FashionData>();
  app.RegisterLearner("fashion-cnn", MakeFashionCnn(data), FashionCnnOptions());
  app.RegisterLearner("fashion-cnn-dropout", MakeFashionCnn(data), FashionCnnDropoutOptions());
  return app.Main(argc, argv);
}
