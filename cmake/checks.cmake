# Mechanical checks of the source tree as CTest entries (label "check"): cheap, they compile nothing.
function(multiprocessing_add_check name)
  add_test(NAME check.${name}
    COMMAND ${CMAKE_COMMAND} -DROOT=${PROJECT_SOURCE_DIR} ${ARGN} -P ${PROJECT_SOURCE_DIR}/cmake/check-${name}.cmake)
  set_tests_properties(check.${name} PROPERTIES LABELS check TIMEOUT 120
    SKIP_REGULAR_EXPRESSION "SKIPPED: ")
endfunction()
multiprocessing_add_check(layers)
multiprocessing_add_check(os-names)
multiprocessing_add_check(sizes)
multiprocessing_add_check(mirror)
multiprocessing_add_check(readme)
multiprocessing_add_check(conformance)
multiprocessing_add_check(windows)
