# With CMAKE_UNITY_BUILD, which some presets set since it saves most of the time, the files of a module are compiled as
# one, each in a namespace of its own: two of them may give the same name to different things. Their headers come first,
# outside of it. A file stays alone that says something to the preprocessor, or about a namespace of others.
function(multiprocessing_as_one module)
  set(headers "")
  foreach(source IN LISTS ARGN)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
    file(READ ${source} text)
    if(text MATCHES "\n(template <>|namespace [a-z_:]+ {|extern \"C\"|#define|#undef|#if)")
      set_source_files_properties(${source} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    else()
      string(REGEX MATCHALL "\n#include [^\n]+" includes "${text}")
      list(APPEND headers ${includes})
    endif()
  endforeach()
  list(REMOVE_DUPLICATES headers)
  list(JOIN headers "" headers)
  set(file ${CMAKE_CURRENT_BINARY_DIR}/headers_of_${module}.hpp)
  file(CONFIGURE OUTPUT ${file} CONTENT "#pragma once${headers}\n" @ONLY)
  target_include_directories(test_${module} PRIVATE ${module})
  set_target_properties(test_${module} PROPERTIES UNITY_BUILD_UNIQUE_ID TEST_FILE
    UNITY_BUILD_CODE_BEFORE_INCLUDE "#include \"${file}\"\nnamespace TEST_FILE {" UNITY_BUILD_CODE_AFTER_INCLUDE "}")
endfunction()
