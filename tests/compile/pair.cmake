# Compiles SOURCE with -DACCEPT, which must succeed, and with -DREJECT, which must fail. The first line with an error
# must hold the sentence of the line "// reject: <sentence>" in SOURCE, so that it is what a user reads first.
#   cmake -DCOMPILER=… -DFLAGS=<file> -DSOURCE=… -P pair.cmake
cmake_minimum_required(VERSION 3.25)

file(STRINGS ${SOURCE} sentence REGEX "^// reject: ")
list(LENGTH sentence count)
if(NOT count EQUAL 1)
  message(FATAL_ERROR "${SOURCE}: ${count} lines \"// reject: <sentence>\" instead of one")
endif()
string(REPLACE "// reject: " "" sentence "${sentence}")

function(compile mode)
  execute_process(COMMAND ${COMPILER} -std=c++20 -fsyntax-only -D${mode} @${FLAGS} ${SOURCE}
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  set(result ${result} PARENT_SCOPE)
  set(output "${output}" PARENT_SCOPE)
endfunction()

compile(ACCEPT)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "the good half does not compile:\n${output}")
endif()
compile(REJECT)
if(result EQUAL 0)
  message(FATAL_ERROR "the bad half compiles")
endif()
string(REGEX MATCH "[^\n]*error:[^\n]*" first "${output}")
string(FIND "${first}" "${sentence}" place)
if(place EQUAL -1)
  message(FATAL_ERROR "the first error is not \"${sentence}\" but\n${first}\n\nAll of it:\n${output}")
endif()
