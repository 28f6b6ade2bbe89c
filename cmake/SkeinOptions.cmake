# Settings for our own targets only; nothing here reaches a consumer.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(SKEIN_CCACHE ccache)
if(SKEIN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The sloppiness lets ccache work with precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      "${CMAKE_COMMAND};-E;env;CCACHE_SLOPPINESS=pch_defines,time_macros;${SKEIN_CCACHE}")
endif()
find_program(SKEIN_MOLD mold)
if(SKEIN_MOLD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_link_options(-fuse-ld=mold)
endif()

add_library(skein_options INTERFACE)
# GCC 12 sees overlaps that are not there in operator+(const char*, string) (GCC PR 105651), and
# uninitialized members in the alternatives that a std::variant does not hold (GCC PR 80635).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(skein_options INTERFACE -Wno-restrict -Wno-maybe-uninitialized)
endif()
target_compile_options(skein_options INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor
                       -Woverloaded-virtual -Wno-missing-field-initializers
                       $<$<BOOL:${SKEIN_WERROR}>:-Werror>)
if(SKEIN_SANITIZE)
  target_compile_options(skein_options INTERFACE -fsanitize=${SKEIN_SANITIZE}
                         -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(skein_options INTERFACE -fsanitize=${SKEIN_SANITIZE})
endif()

# One of our libraries: skein::<name>, with include/ public and src/ private.
function(skein_add_library name)
  add_library(skein_${name} STATIC)
  add_library(skein::${name} ALIAS skein_${name})
  set_target_properties(skein_${name} PROPERTIES EXPORT_NAME ${name})
  target_compile_features(skein_${name} PUBLIC cxx_std_20)
  target_include_directories(
    skein_${name}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(skein_${name} PRIVATE $<BUILD_INTERFACE:skein_options>)
endfunction()
