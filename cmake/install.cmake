# Installs the headers and a package for find_package(multiprocessing).
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/multiprocessing)
install(TARGETS multiprocessing EXPORT multiprocessing FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT multiprocessing NAMESPACE multiprocessing:: FILE multiprocessing-targets.cmake DESTINATION ${package_dir})

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/multiprocessing-config.cmake.in
  ${PROJECT_BINARY_DIR}/multiprocessing-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/multiprocessing-config-version.cmake
  COMPATIBILITY SameMajorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/multiprocessing-config.cmake ${PROJECT_BINARY_DIR}/multiprocessing-config-version.cmake
  DESTINATION ${package_dir})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
