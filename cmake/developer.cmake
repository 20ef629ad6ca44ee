# multiprocessing_dev: what our own programs are built with and users never see: warnings, sanitizers, ccache.
add_library(multiprocessing_dev INTERFACE)
target_link_libraries(multiprocessing_dev INTERFACE multiprocessing::multiprocessing)
target_compile_options(multiprocessing_dev INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Werror
  # g++ at -O3 takes "a" + std::to_string(n) for an overlap (12, PR 105651), each call through a pointer to member for
  # one of a virtual function (12), the copy of a vector of four bytes for an overflow (13), and what an empty optional
  # does not hold for a value that is read (12).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow> $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)

if(MULTIPROCESSING_SANITIZE)
  set(sanitizer_flags -fsanitize=${MULTIPROCESSING_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  target_compile_options(multiprocessing_dev INTERFACE ${sanitizer_flags})
  target_link_options(multiprocessing_dev INTERFACE ${sanitizer_flags})
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
