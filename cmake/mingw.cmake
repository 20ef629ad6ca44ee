# Toolchain file: 64-bit Windows programs by MinGW-w64 on Linux, run by Wine. The preset "mingw" uses it.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-posix)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)

set(CMAKE_FIND_ROOT_PATH /usr/x86_64-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
foreach(what IN ITEMS LIBRARY INCLUDE PACKAGE)
  set(CMAKE_FIND_ROOT_PATH_MODE_${what} ONLY)
endforeach()

# No DLL of the compiler: Wine would have to be told where they lie.
foreach(kind IN ITEMS EXE SHARED MODULE)
  set(CMAKE_${kind}_LINKER_FLAGS_INIT "-static")
endforeach()

# A test program has more templates than an object file has numbers for sections; and the linker takes time by the
# square of the sections, so that what is not inlined (-O0) costs minutes. At -O1 g++ 12 suspects strings that it has lost sight of.
set(CMAKE_CXX_FLAGS_INIT "-Wa,-mbig-obj")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -Wno-maybe-uninitialized" CACHE STRING "Flags of a debug build: without debug information, which would cost time")

set(CMAKE_CROSSCOMPILING_EMULATOR "${CMAKE_CURRENT_LIST_DIR}/wine;${CMAKE_BINARY_DIR}/wine")
