# clang-format 14 has nothing to change (another version formats otherwise, so only this one is asked).
cmake_minimum_required(VERSION 3.25)

find_program(program NAMES clang-format-14 clang-format)
if(program)
  execute_process(COMMAND ${program} --version OUTPUT_VARIABLE version)
endif()
if(NOT version MATCHES "version 14\\.")
  message(NOTICE "SKIPPED: no clang-format 14 found")
  return()
endif()

file(GLOB_RECURSE files ${ROOT}/include/*.hpp ${ROOT}/tests/*.hpp ${ROOT}/tests/*.cpp ${ROOT}/examples/*.cpp
  ${ROOT}/benchmarks/*.hpp ${ROOT}/benchmarks/*.cpp)
execute_process(COMMAND ${program} --dry-run -Werror ${files} RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "run: ${program} -i <the files named above>")
endif()
