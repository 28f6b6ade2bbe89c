# cmake --install and find_package(skein CONFIG).
#
# One export file for each component, so that a device that asks for skein::worker alone need not
# have SQLite. What find_package must look up for each stands in skeinConfig.cmake.in.

include(CMakePackageConfigHelpers)
set(SKEIN_CMAKE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/skein")

if(SKEIN_WITH_TORCH)
  set(SKEIN_MAIN_COMPONENT skein)
  set(SKEIN_TARGETS_worker skein_proto skein_core skein_worker)
  set(SKEIN_TARGETS_skein skein_control skein_skein)
else()
  set(SKEIN_MAIN_COMPONENT control)
  set(SKEIN_TARGETS_worker skein_proto skein_core)
  set(SKEIN_TARGETS_control skein_control)
endif()
set(SKEIN_TARGETS_testing skein_testing)
set(SKEIN_COMPONENTS worker ${SKEIN_MAIN_COMPONENT} testing)

foreach(component IN LISTS SKEIN_COMPONENTS)
  install(TARGETS ${SKEIN_TARGETS_${component}} EXPORT skein-${component}
          ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT dev)
  install(EXPORT skein-${component} NAMESPACE skein:: FILE skein-${component}-targets.cmake
          DESTINATION "${SKEIN_CMAKE_DIR}" COMPONENT dev)
endforeach()

foreach(program IN ITEMS skein skein_cli)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT runtime)
  endif()
endforeach()

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/skein" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        COMPONENT dev FILES_MATCHING PATTERN "*.h")
# The schema, for whoever joins from another language.
install(DIRECTORY "${PROJECT_SOURCE_DIR}/proto/skein"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/skein/proto" COMPONENT dev FILES_MATCHING PATTERN "*.proto")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT dev)
# To try the program on, and a learner to begin one's own program with.
install(DIRECTORY "${PROJECT_SOURCE_DIR}/examples/specs" "${PROJECT_SOURCE_DIR}/examples/topologies"
        DESTINATION "${CMAKE_INSTALL_DOCDIR}/examples" COMPONENT runtime OPTIONAL
        FILES_MATCHING PATTERN "*.yaml" PATTERN "*.json" PATTERN "*.csv")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/examples/quickstart"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/libskein-dev/examples" COMPONENT dev)

configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/skeinConfig.cmake.in" "${PROJECT_BINARY_DIR}/skeinConfig.cmake"
  INSTALL_DESTINATION "${SKEIN_CMAKE_DIR}" NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/skeinConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/skeinConfig.cmake"
              "${PROJECT_BINARY_DIR}/skeinConfigVersion.cmake"
        DESTINATION "${SKEIN_CMAKE_DIR}" COMPONENT dev)
