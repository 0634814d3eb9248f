# What this project's own targets are compiled with. Nothing here reaches the users of the library.

add_library(devicetwin_options INTERFACE)
target_link_libraries(devicetwin_options INTERFACE devicetwin::devicetwin)

if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
  target_compile_options(devicetwin_options INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wundef
    $<$<CONFIG:Release>:-O2>)  # after the build type's own -O3: the last one counts
  if(DEVICETWIN_WERROR)
    target_compile_options(devicetwin_options INTERFACE -Werror)
  endif()
endif()

# Programs of Catch2 can be built so too: what a failed REQUIRE throws passes through them.
if(DEVICETWIN_NO_EXCEPTIONS)
  target_compile_options(devicetwin_options INTERFACE -fno-exceptions -fno-rtti)
endif()

# Before clang 16, RapidJSON 1.1.0's iterators raise this one in the file that compares them.
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 16)
  target_compile_options(devicetwin_options INTERFACE -Wno-ambiguous-reversed-operator)
endif()

# clang's UBSan sees an offset to a null pointer inside RapidJSON 1.1.0; g++'s does not.
set(sanitize_flags -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  list(APPEND sanitize_flags -fsanitize-ignorelist=${PROJECT_SOURCE_DIR}/cmake/sanitize-ignore.txt)
endif()
if(DEVICETWIN_SANITIZE)
  target_compile_options(devicetwin_options INTERFACE ${sanitize_flags})
  if(NOT CMAKE_BUILD_TYPE STREQUAL "None")  # such a build brings its own flags
    target_compile_options(devicetwin_options INTERFACE -g)
  endif()
  target_link_options(devicetwin_options INTERFACE ${sanitize_flags})
endif()

# The C++ standard: CMAKE_CXX_STANDARD if given, else the lowest supported one.
function(devicetwin_settings target)
  target_link_libraries(${target} PRIVATE devicetwin_options)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF CXX_STANDARD_REQUIRED ON)
  if(NOT CMAKE_CXX_STANDARD)
    set_target_properties(${target} PROPERTIES CXX_STANDARD 17)
  endif()
endfunction()

function(devicetwin_program target)
  add_executable(${target} ${ARGN})
  devicetwin_settings(${target})
endfunction()
