#include "skein/app/app.h"

// The skein command line with the built-in learners alone.
int main(int argc, char** argv) {
  skein::App app;
  return app.Main(argc, argv);
}
