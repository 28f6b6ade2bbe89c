# Man pages and completions, which the program makes from the definitions of its commands.

set(SKEIN_HELP_DIR "${PROJECT_BINARY_DIR}/help")
add_custom_command(
  OUTPUT "${SKEIN_HELP_DIR}/made"
  COMMAND "${CMAKE_COMMAND}" -E rm -rf "${SKEIN_HELP_DIR}"
  COMMAND skein_cli help --man-dir "${SKEIN_HELP_DIR}/man1"
  COMMAND gzip -9n "${SKEIN_HELP_DIR}/man1/*.1"
  COMMAND skein_cli help --completion bash > "${SKEIN_HELP_DIR}/skein"
  COMMAND skein_cli help --completion zsh > "${SKEIN_HELP_DIR}/_skein"
  COMMAND "${CMAKE_COMMAND}" -E touch "${SKEIN_HELP_DIR}/made"
  DEPENDS skein_cli
  COMMENT "Making man pages and completions")
add_custom_target(skein_help ALL DEPENDS "${SKEIN_HELP_DIR}/made")

install(DIRECTORY "${SKEIN_HELP_DIR}/man1" DESTINATION "${CMAKE_INSTALL_MANDIR}" COMPONENT runtime)
install(FILES "${SKEIN_HELP_DIR}/skein"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" COMPONENT runtime)
install(FILES "${SKEIN_HELP_DIR}/_skein"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions" COMPONENT runtime)
