# The tests of a build for Windows that runs under Wine: which suites, and each as one CTest entry, since the start of
# a process costs there.
#
# What Windows cannot do, and so what is left out:
#   *_posix_test.cpp         fork, signals and their masks, descriptors, /proc, control groups
#   kill_*_test.cpp, *storm_test.cpp  a child killed after every single instruction, or many at random: the harness
#                            forks its children and steps through them by ptrace. Killed owners, putters, getters and
#                            workers are in the suites, ended by TerminateProcess.
#   cases tagged [posix]     they start a program of POSIX
#   cases tagged [fork]      their children inherit what a lambda has captured, or they are about fork itself
#   cases tagged [give_back]  pages that were committed once stay so; the heap uses them again
# What differs: kill() and terminate() both read as -SIGTERM, interrupt() throws NotImplementedError, abort() exits
# with 3, statuses have 32 bits.
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
