# Generates C++ from proto/ into the build tree; the results are private to our libraries.

find_program(SKEIN_PROTOC protoc REQUIRED)
find_program(SKEIN_GRPC_PLUGIN grpc_cpp_plugin REQUIRED)
set(SKEIN_GEN_DIR "${PROJECT_BINARY_DIR}/gen")
file(MAKE_DIRECTORY "${SKEIN_GEN_DIR}")

set(SKEIN_PROTO_SOURCES "")
function(skein_proto name)
  set(proto "${PROJECT_SOURCE_DIR}/proto/skein/v1/${name}.proto")
  set(base "${SKEIN_GEN_DIR}/skein/v1/${name}")
  set(out "${base}.pb.cc" "${base}.pb.h")
  set(args --cpp_out "${SKEIN_GEN_DIR}")
  if("GRPC" IN_LIST ARGN)
    list(APPEND out "${base}.grpc.pb.cc" "${base}.grpc.pb.h")
    list(APPEND args --grpc_out "${SKEIN_GEN_DIR}" "--plugin=protoc-gen-grpc=${SKEIN_GRPC_PLUGIN}")
  endif()
  add_custom_command(
    OUTPUT ${out}
    COMMAND "${SKEIN_PROTOC}" -I "${PROJECT_SOURCE_DIR}/proto" ${args} "${proto}"
    DEPENDS "${proto}" "${PROJECT_SOURCE_DIR}/proto/skein/v1/tensor.proto"
            "${PROJECT_SOURCE_DIR}/proto/skein/v1/run.proto"
    VERBATIM)
  set(SKEIN_PROTO_SOURCES ${SKEIN_PROTO_SOURCES} ${out} PARENT_SCOPE)
endfunction()
skein_proto(tensor)
skein_proto(run)
skein_proto(data_plane GRPC)
skein_proto(control GRPC)
skein_proto(runs GRPC)

add_library(skein_proto STATIC ${SKEIN_PROTO_SOURCES})
# Generated files share names: not for a unity build.
set_target_properties(skein_proto PROPERTIES EXPORT_NAME proto UNITY_BUILD OFF)
# Generated code is included as a system header and built without our warnings.
target_include_directories(skein_proto SYSTEM PUBLIC $<BUILD_INTERFACE:${SKEIN_GEN_DIR}>)
target_link_libraries(skein_proto PUBLIC protobuf::libprotobuf gRPC::grpc++)
if(SKEIN_SANITIZE)
  target_compile_options(skein_proto PRIVATE -fsanitize=${SKEIN_SANITIZE})
  target_link_options(skein_proto PUBLIC $<BUILD_INTERFACE:-fsanitize=${SKEIN_SANITIZE}>)
endif()
