# Unity builds (CMAKE_UNITY_BUILD, on in most presets): sources are compiled several at a time, in a
# third or a quarter of the time that they take one by one. Names local to a file meet those of others then.

# skein_compile_alone(TARGET a.cc ...): sources whose local names stand in another file of their
# group, too. The remedy for a "redefinition" in a unity file, where no better name is at hand.
function(skein_compile_alone target)
  set_source_files_properties(${ARGN} TARGET_DIRECTORY ${target}
                              PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# skein_group_sources(TARGET), after its last source: about ten sources a group. A path alone says
# which group, so that a new file does not move others, whose names would meet then.
function(skein_group_sources target)
  if(NOT CMAKE_UNITY_BUILD)
    return()
  endif()
  get_target_property(sources ${target} SOURCES)
  get_target_property(folder ${target} SOURCE_DIR)
  list(LENGTH sources count)
  set(groups 1)
  while(count GREATER "${groups}0")  # ten times as many
    math(EXPR groups "2 * ${groups}")
  endwhile()
  foreach(source IN LISTS sources)
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY "${folder}")
    cmake_path(RELATIVE_PATH source BASE_DIRECTORY "${PROJECT_SOURCE_DIR}" OUTPUT_VARIABLE name)
    string(MD5 digest "${name}")
    string(SUBSTRING "${digest}" 0 4 digits)
    math(EXPR group "0x${digits} % ${groups}")
    set_source_files_properties("${source}" TARGET_DIRECTORY ${target}
                                PROPERTIES UNITY_GROUP ${group})
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD_MODE GROUP)
endfunction()
