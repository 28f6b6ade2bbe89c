# Debian packages by CPack, one a component; scripts/package.sh makes them.
#   skein         the program, man pages, completions, examples of specs
#   libskein-dev  headers, static libraries, CMake package, pkg-config files, the schema

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME skein)
set(CPACK_PACKAGE_VENDOR "The Skein authors")
set(CPACK_PACKAGE_CONTACT "The Skein authors <maintainers@skein.invalid>")
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL runtime dev)
set(CPACK_STRIP_FILES ON)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME skein)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION science)
set(CPACK_DEBIAN_RUNTIME_DESCRIPTION
    "Workers train a model on data that stays with them, a tree of aggregators
of any depth adds up what they learn, and a control plane schedules the
rounds. This program runs a whole federation in one process, or any one
node of a real one over gRPC, with the learners that ship with it.")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
# The reference BLAS, which libtorch is content with, would make it crawl.
set(CPACK_DEBIAN_RUNTIME_PACKAGE_RECOMMENDS "libopenblas0-openmp")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SUGGESTS "bash-completion, libskein-dev")

# Whoever links the static libraries links what they need, of the version that they were built with
# or a later one.
set(needed "")
find_program(SKEIN_DPKG_QUERY dpkg-query)
foreach(package IN ITEMS libabsl-dev libgrpc++-dev libprotobuf-dev libspdlog-dev libsqlite3-dev
                         libssl-dev libtorch-dev libyaml-cpp-dev libzstd-dev zlib1g-dev)
  set(version "")
  if(SKEIN_DPKG_QUERY)
    execute_process(COMMAND "${SKEIN_DPKG_QUERY}" -W -f "\${source:Upstream-Version}" "${package}"
                    OUTPUT_VARIABLE version ERROR_QUIET)
  endif()
  list(APPEND needed "${package}")
  if(version)
    # Debian counts zlib and spdlog from an epoch on, which the upstream version lacks.
    execute_process(COMMAND "${SKEIN_DPKG_QUERY}" -W -f "\${Version}" "${package}"
                    OUTPUT_VARIABLE whole ERROR_QUIET)
    string(REGEX MATCH "^[0-9]+:" epoch "${whole}")
    string(APPEND needed " (>= ${epoch}${version})")
  endif()
endforeach()
# The CMake packages of gRPC and protobuf want the compilers there, whoever looks for them.
list(APPEND needed protobuf-compiler protobuf-compiler-grpc)
list(JOIN needed ", " needed)
set(CPACK_DEBIAN_DEV_PACKAGE_NAME libskein-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "${needed}")
set(CPACK_DEBIAN_DEV_PACKAGE_RECOMMENDS "g++, cmake, pkg-config, libgtest-dev, libgmock-dev")
set(CPACK_DEBIAN_DEV_PACKAGE_SUGGESTS "skein")
set(CPACK_DEBIAN_DEV_DESCRIPTION
    "For programs that train in a federation: one class, a learner, makes the
whole skein command line with that learner in it, or a worker on a device.
Headers, static libraries, a CMake package, pkg-config files, a test kit
in virtual time, and the schema of the wire for other languages.")

# What Debian expects to find with each package.
file(WRITE "${PROJECT_BINARY_DIR}/debian/changelog"
     "skein (${PROJECT_VERSION}) unstable; urgency=medium\n\n  * See CHANGELOG.md in the sources.\n\n"
     " -- The Skein authors <maintainers@skein.invalid>  Thu, 01 Jan 1970 00:00:00 +0000\n")
execute_process(COMMAND gzip -9nfk "${PROJECT_BINARY_DIR}/debian/changelog")
foreach(pair IN ITEMS "runtime=skein" "dev=libskein-dev")
  string(REPLACE "=" ";" pair "${pair}")
  list(GET pair 0 component)
  list(GET pair 1 package)
  install(FILES "${PROJECT_BINARY_DIR}/debian/changelog.gz" "${PROJECT_SOURCE_DIR}/cmake/debian/copyright"
          DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/${package}" COMPONENT ${component})
endforeach()

include(CPack)
