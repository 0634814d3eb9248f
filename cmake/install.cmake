include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/devicetwin)

install(DIRECTORY include/devicetwin DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.hpp")
install(TARGETS devicetwin EXPORT devicetwin)
install(EXPORT devicetwin NAMESPACE devicetwin:: DESTINATION ${package_dir}
  FILE devicetwinTargets.cmake)
install(FILES cmake/devicetwinConfig.cmake cmake/rapidjson.cmake DESTINATION ${package_dir})

# While the version is 0.x, a new minor version may break its users.
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(compatibility SameMinorVersion)
else()
  set(compatibility SameMajorVersion)
endif()
write_basic_package_version_file(${PROJECT_BINARY_DIR}/devicetwinConfigVersion.cmake
  COMPATIBILITY ${compatibility} ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/devicetwinConfigVersion.cmake DESTINATION ${package_dir})

# The prefix is relative to the file: an installed tree can be moved.
set(pkgconfig_dir ${CMAKE_INSTALL_DATADIR}/pkgconfig)
file(RELATIVE_PATH pkgconfig_prefix /prefix/${pkgconfig_dir} /prefix)
string(REGEX REPLACE "/$" "" pkgconfig_prefix "${pkgconfig_prefix}")
configure_file(cmake/devicetwin.pc.in ${PROJECT_BINARY_DIR}/devicetwin.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/devicetwin.pc DESTINATION ${pkgconfig_dir})

if(TARGET devicetwin_tool)
  install(TARGETS devicetwin_tool RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
