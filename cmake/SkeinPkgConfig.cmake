# skein.pc and skein-worker.pc, for builds that do not use CMake. Like the CMake package, they find
# their files from where they lie themselves: the installed tree may be moved.

set(SKEIN_PC_DIR "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
file(RELATIVE_PATH SKEIN_PC_PREFIX "/${SKEIN_PC_DIR}" "/")
string(REGEX REPLACE "/$" "" SKEIN_PC_PREFIX "${SKEIN_PC_PREFIX}")

# libtorch has no pkg-config file. Where it is not the system's, its place is named.
get_filename_component(torch_dir "${TORCH_LIBRARY}" DIRECTORY)
set(SKEIN_PC_TORCH_LIBS "-ltorch -ltorch_cpu -lc10")
if(NOT torch_dir IN_LIST CMAKE_CXX_IMPLICIT_LINK_DIRECTORIES)
  string(PREPEND SKEIN_PC_TORCH_LIBS "-L${torch_dir} -Wl,-rpath,${torch_dir} ")
endif()
set(SKEIN_PC_TORCH_CFLAGS "${TORCH_CXX_FLAGS}")
foreach(directory IN LISTS TORCH_INCLUDE_DIRS)
  get_filename_component(directory "${directory}" REALPATH)
  if(NOT directory STREQUAL "/usr/include")
    string(APPEND SKEIN_PC_TORCH_CFLAGS " -I${directory}")
  endif()
endforeach()
string(STRIP "${SKEIN_PC_TORCH_CFLAGS}" SKEIN_PC_TORCH_CFLAGS)

foreach(name IN ITEMS skein skein-worker)
  configure_file("${PROJECT_SOURCE_DIR}/cmake/${name}.pc.in" "${PROJECT_BINARY_DIR}/${name}.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${name}.pc" DESTINATION "${SKEIN_PC_DIR}" COMPONENT dev)
endforeach()
