# Tests that compile or build something of their own: headers alone, accept/reject pairs, one definition, consumers.
set(tests ${PROJECT_SOURCE_DIR}/tests)

# What the compiler must be told to find our headers and those of the libraries below them.
set(flags ${PROJECT_BINARY_DIR}/compile-flags.rsp)
set(folders "$<TARGET_PROPERTY:multiprocessing,INTERFACE_INCLUDE_DIRECTORIES>")
set(folders "$<FILTER:$<REMOVE_DUPLICATES:${folders}>,EXCLUDE,^/usr/include$>")
file(GENERATE OUTPUT ${flags} CONTENT "-I$<JOIN:${folders}, -I>\n")

# Every public header alone.
add_test(NAME headers COMMAND ${tests}/headers/run ${CMAKE_CXX_COMPILER} ${flags} ${PROJECT_SOURCE_DIR}/include)
set_tests_properties(headers PROPERTIES LABELS "compile;headers" TIMEOUT 1200 PROCESSORS 2)

# Accept/reject pairs: tests/compile/<mistake>.cpp.
file(GLOB pairs CONFIGURE_DEPENDS ${tests}/compile/*.cpp)
foreach(source IN LISTS pairs)
  cmake_path(GET source STEM name)
  add_test(NAME compile.${name} COMMAND ${CMAKE_COMMAND} -DCOMPILER=${CMAKE_CXX_COMPILER} -DFLAGS=${flags}
    -DSOURCE=${source} -P ${tests}/compile/pair.cmake)
  set_tests_properties(compile.${name} PROPERTIES LABELS compile TIMEOUT 120)
endforeach()

# Two translation units that include every header, in one program.
set(includes ${multiprocessing_headers})
list(FILTER includes EXCLUDE REGEX "/platform/(posix|win32)/")
list(TRANSFORM includes REPLACE "^${PROJECT_SOURCE_DIR}/include/(.*)$" "#include <\\1>\n")
list(JOIN includes "" includes)
file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/generated/all_headers.hpp CONTENT "#pragma once\n${includes}")
add_executable(odr ${tests}/odr/first.cpp ${tests}/odr/second.cpp)
set_target_properties(odr PROPERTIES UNITY_BUILD OFF)
target_include_directories(odr PRIVATE ${PROJECT_BINARY_DIR}/generated)
target_link_libraries(odr PRIVATE multiprocessing_dev)
add_test(NAME odr COMMAND odr)
set_tests_properties(odr PROPERTIES LABELS compile TIMEOUT 60)

# A user's project, by both roads.
foreach(mode IN ITEMS find_package add_subdirectory)
  add_test(NAME install.${mode} COMMAND ${CMAKE_COMMAND} -DMODE=${mode} -DSOURCE=${PROJECT_SOURCE_DIR}
    -DBUILD=${PROJECT_BINARY_DIR} -DCOMPILER=${CMAKE_CXX_COMPILER} "-DGENERATOR=${CMAKE_GENERATOR}"
    -DSCRATCH=${PROJECT_BINARY_DIR}/install-${mode} -P ${tests}/install/run.cmake)
  set_tests_properties(install.${mode} PROPERTIES LABELS compile TIMEOUT 300)
endforeach()
