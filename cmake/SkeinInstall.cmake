# cmake --install and find_package(skein CONFIG).
