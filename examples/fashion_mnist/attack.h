#ifndef FASHION_MNIST_ATTACK_H_
#define FASHION_MNIST_ATTACK_H_

#include <memory>
#include <vector>

#include <skein/skein.h>

#include "fashion_data.h"

// Workers that harm the federation, to see what a strategy withstands: learner params
//   {attack: label-flip | sign-flip, attackers: 0.2, attackers_where: spread | first}
struct Attack {
  enum class Kind { kNone, kLabelFlip, kSignFlip };
  Kind kind = Kind::kNone;
  double scale = 1;  // of a flipped change

  // What the worker does: kNone if it is not one of the attackers.
  static Attack Of(const skein::WorkerContext& context);
  static std::vector<skein::ParamSpec> Params();
};

// Class c is called 9 - c (Tolpegin et al. 2020 flip single classes; here all are).
void FlipLabels(Images& images);

// A learner that goes the other way: what it sends is x - scale (y - x), where y is what `honest`
// makes of the model x.
std::unique_ptr<skein::Learner> FlippingSigns(std::unique_ptr<skein::Learner> honest, double scale);

#endif  // FASHION_MNIST_ATTACK_H_
