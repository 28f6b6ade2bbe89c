#ifndef SKEIN_SRC_FEDERATION_TORCH_THREADS_H_
#define SKEIN_SRC_FEDERATION_TORCH_THREADS_H_

namespace skein {

// Lets libtorch use one thread for what this thread computes. The setting is one of the thread:
// without it each training thread would start as many helpers as there are cores.
void UseOneTorchThread();

}  // namespace skein

#endif  // SKEIN_SRC_FEDERATION_TORCH_THREADS_H_
