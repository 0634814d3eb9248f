# devicetwin_batches(TARGET): compiles the files of a test program several at a time (CMake's unity builds), where
# DEVICETWIN_TEST_BATCHES asks for it. The templates that the files share are compiled once for each batch, not for each file.
#
# Each file stays as if it were alone. The headers of all files are included before the first one, and then each file is
# included inside a namespace of its own, so two files may have helpers of one name. A file that needs the global namespace,
# or that defines macros, is compiled alone.
function(devicetwin_batches target)
  if(NOT DEVICETWIN_TEST_BATCHES)
    return()
  endif()
  if(CMAKE_VERSION VERSION_LESS 3.20)
    message(STATUS "${target}: each file is compiled alone, batches need CMake 3.20")
    return()
  endif()

  get_target_property(sources ${target} SOURCES)
  set(includes "")
  foreach(source ${sources})
    get_filename_component(path ${source} ABSOLUTE)
    get_filename_component(folder ${path} DIRECTORY)
    # What a file includes may change with the file.
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
    file(STRINGS ${path} alone REGEX "^(namespace [a-z_:]+ {|template <>|#define|#undef)")
    if(alone OR source MATCHES "^contract/")
      set_source_files_properties(${source} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    else()
      file(STRINGS ${path} lines REGEX "^#include ")
      list(TRANSFORM lines REPLACE "\"(\\.|[a-z_]+\\.hpp)" "\"${folder}/\\1")
      list(APPEND includes ${lines})
    endif()
  endforeach()

  list(REMOVE_DUPLICATES includes)
  list(JOIN includes "\n" includes)
  set(header ${CMAKE_CURRENT_BINARY_DIR}/${target}_includes.hpp)
  file(GENERATE OUTPUT ${header} CONTENT "#pragma once\n${includes}\n")
  set_target_properties(${target} PROPERTIES
    UNITY_BUILD ON
    UNITY_BUILD_BATCH_SIZE ${DEVICETWIN_TEST_BATCHES}
    UNITY_BUILD_UNIQUE_ID devicetwin_file
    UNITY_BUILD_CODE_BEFORE_INCLUDE "#include \"${header}\"\nnamespace devicetwin_file {"
    UNITY_BUILD_CODE_AFTER_INCLUDE "}")
endfunction()
