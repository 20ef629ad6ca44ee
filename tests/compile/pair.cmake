# Compiles SOURCE with -DACCEPT, which must succeed, and with -DREJECT, which must fail and print the sentence that
# stands in its line "// reject: <sentence>".   cmake -DCOMPILER=… -DFLAGS=<file> -DSOURCE=… -P pair.cmake
cmake_minimum_required(VERSION 3.25)

file(STRINGS ${SOURCE} sentences REGEX "^// reject: ")
if(NOT sentences)
  message(FATAL_ERROR "${SOURCE}: no line \"// reject: <sentence>\"")
endif()

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
foreach(sentence IN LISTS sentences)
  string(REPLACE "// reject: " "" sentence "${sentence}")
  string(FIND "${output}" "${sentence}" place)
  if(place EQUAL -1)
    message(FATAL_ERROR "the bad half fails without the sentence \"${sentence}\":\n${output}")
  endif()
endforeach()
