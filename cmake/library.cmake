# The target that users link: multiprocessing::multiprocessing, headers only.
include(CheckLinkerFlag)

find_package(Threads REQUIRED)
find_package(fmt 9 REQUIRED)
if(POLICY CMP0167)
  cmake_policy(SET CMP0167 NEW)
endif()
find_package(Boost 1.75 REQUIRED)  # headers only: PFR, Interprocess

file(GLOB_RECURSE multiprocessing_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/*.hpp)

add_library(multiprocessing INTERFACE)
add_library(multiprocessing::multiprocessing ALIAS multiprocessing)
target_sources(multiprocessing INTERFACE
  FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${multiprocessing_headers})
target_compile_features(multiprocessing INTERFACE cxx_std_20)
target_link_libraries(multiprocessing INTERFACE Threads::Threads fmt::fmt Boost::headers ${CMAKE_DL_LIBS}
  $<$<PLATFORM_ID:Windows>:bcrypt>)

# A child recognises the image of its parent by the build id; some distributions' compilers do not ask for one.
check_linker_flag(CXX "LINKER:--build-id" MULTIPROCESSING_LINKER_HAS_BUILD_ID)
if(MULTIPROCESSING_LINKER_HAS_BUILD_ID)
  target_link_options(multiprocessing INTERFACE "LINKER:--build-id")
endif()
