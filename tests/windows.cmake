# The tests of a build for Windows that runs under Wine: which suites, and each as one CTest entry, since the start of
# a process costs there.
# What is left out, and why: tests/windows.md.
set(left_out
  forkserver    # that start method forks
  fuzz          # needs clang's libFuzzer
  support_self) # tests the harness that steps through another process by ptrace
list(REMOVE_ITEM modules ${left_out})

add_test(NAME wine.prefix COMMAND ${CMAKE_CROSSCOMPILING_EMULATOR} wineboot --init)
set_tests_properties(wine.prefix PROPERTIES FIXTURES_SETUP wine TIMEOUT 300)

function(multiprocessing_suite_under_wine module)
  add_test(NAME wine.${module} COMMAND test_${module} ~[.]~[fork]~[posix]~[give_back])
  set_tests_properties(wine.${module} PROPERTIES
    LABELS ${module} FIXTURES_REQUIRED wine TIMEOUT 300)
endfunction()
