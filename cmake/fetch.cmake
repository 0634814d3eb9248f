# Dependencies fetched when DEVICETWIN_FETCH_DEPENDENCIES is ON, each pinned to one revision.

include(FetchContent)

# Only RapidJSON's headers are used, its own build files are not read.
function(devicetwin_fetch_rapidjson out)
  FetchContent_Declare(rapidjson
    GIT_REPOSITORY https://github.com/Tencent/rapidjson.git
    GIT_TAG 24b5e7a8b27f42fa16b96fc70aade9106cf7102f
    GIT_SUBMODULES ""
    SOURCE_SUBDIR include)  # a directory without a CMakeLists.txt
  if(CMAKE_VERSION VERSION_LESS 3.18)
    FetchContent_GetProperties(rapidjson)
    if(NOT rapidjson_POPULATED)
      FetchContent_Populate(rapidjson)
    endif()
  else()
    FetchContent_MakeAvailable(rapidjson)
  endif()
  set(${out} ${rapidjson_SOURCE_DIR}/include PARENT_SCOPE)
endfunction()

# A macro: FetchContent sets variables that the caller needs.
macro(devicetwin_fetch_catch2)
  FetchContent_Declare(Catch2
    GIT_REPOSITORY https://github.com/catchorg/Catch2.git
    GIT_TAG v3.7.1)
  FetchContent_MakeAvailable(Catch2)
  list(APPEND CMAKE_MODULE_PATH ${catch2_SOURCE_DIR}/extras)
endmacro()

macro(devicetwin_fetch_benchmark)
  set(BENCHMARK_ENABLE_TESTING OFF CACHE BOOL "" FORCE)
  FetchContent_Declare(benchmark
    GIT_REPOSITORY https://github.com/google/benchmark.git
    GIT_TAG v1.9.1)
  FetchContent_MakeAvailable(benchmark)
endmacro()
