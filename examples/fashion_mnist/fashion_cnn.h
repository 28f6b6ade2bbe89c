#ifndef FASHION_MNIST_FASHION_CNN_H_
#define FASHION_MNIST_FASHION_CNN_H_

#include <memory>

#include <skein/skein.h>

#include "fashion_data.h"

// Learners that train a convolutional network of 28,794 parameters on a worker's part of
// Fashion-MNIST and evaluate it on the test images.
skein::LearnerFactory MakeFashionCnn(std::shared_ptr<FashionData> data);

// What the plain learner takes: lr, momentum, batch_size, epochs, and attack (attack.h).
skein::LearnerOptions FashionCnnOptions();

// The same with `dropout`, which draws from libtorch's global generator: such workers train one at
// a time in a process.
skein::LearnerOptions FashionCnnDropoutOptions();

#endif  // FASHION_MNIST_FASHION_CNN_H_
