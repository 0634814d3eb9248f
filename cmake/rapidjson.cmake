# devicetwin_find_rapidjson(<out>) puts RapidJSON's include directories into <out>, or nothing when
# there is no RapidJSON. Used by the build and, after installation, by find_package(devicetwin).
#
# Taken in this order:
#   1. DEVICETWIN_RAPIDJSON_DIR, a source tree or an include directory;
#   2. a target that the including project made already;
#   3. an installed package. Release 1.1.0 sets RAPIDJSON_INCLUDE_DIRS and has no target, later trees
#      set RapidJSON_INCLUDE_DIRS and have one.

function(devicetwin_find_rapidjson out)
  set(dirs "")
  if(DEVICETWIN_RAPIDJSON_DIR)
    foreach(dir ${DEVICETWIN_RAPIDJSON_DIR}/include ${DEVICETWIN_RAPIDJSON_DIR})
      if(NOT dirs AND EXISTS ${dir}/rapidjson/document.h)
        get_filename_component(dirs ${dir} ABSOLUTE)
      endif()
    endforeach()
    if(NOT dirs)
      message(FATAL_ERROR
        "DEVICETWIN_RAPIDJSON_DIR has no rapidjson/document.h: ${DEVICETWIN_RAPIDJSON_DIR}")
    endif()
    set(${out} ${dirs} PARENT_SCOPE)
    return()
  endif()

  _devicetwin_rapidjson_of_targets(dirs)
  if(NOT dirs)
    find_package(RapidJSON QUIET)
    _devicetwin_rapidjson_of_targets(dirs)
  endif()
  if(NOT dirs AND RapidJSON_FOUND)
    foreach(dir ${RAPIDJSON_INCLUDE_DIRS} ${RapidJSON_INCLUDE_DIRS})
      get_filename_component(dir ${dir} ABSOLUTE)
      list(APPEND dirs ${dir})
    endforeach()
  endif()
  set(${out} "${dirs}" PARENT_SCOPE)
endfunction()

function(_devicetwin_rapidjson_of_targets out)
  foreach(target RapidJSON rapidjson RapidJSON::RapidJSON)
    if(TARGET ${target})
      get_target_property(dirs ${target} INTERFACE_INCLUDE_DIRECTORIES)
      if(EXISTS "${RapidJSON_SOURCE_DIR}/include/rapidjson/document.h")
        set(dirs ${RapidJSON_SOURCE_DIR}/include)  # add_subdirectory: the target names no directory
      endif()
      if(dirs)
        set(${out} "${dirs}" PARENT_SCOPE)
        return()
      endif()
    endif()
  endforeach()
endfunction()
