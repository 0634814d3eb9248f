include(${CMAKE_CURRENT_LIST_DIR}/rapidjson.cmake)
devicetwin_find_rapidjson(_devicetwin_rapidjson)

if(_devicetwin_rapidjson)
  if(NOT TARGET devicetwin::devicetwin)
    include(${CMAKE_CURRENT_LIST_DIR}/devicetwinTargets.cmake)
    target_include_directories(devicetwin::devicetwin SYSTEM INTERFACE ${_devicetwin_rapidjson})
  endif()
else()
  set(devicetwin_FOUND FALSE)
  set(devicetwin_NOT_FOUND_MESSAGE
    "RapidJSON was not found: install it (apt-get install rapidjson-dev) or set DEVICETWIN_RAPIDJSON_DIR.")
endif()
unset(_devicetwin_rapidjson)
