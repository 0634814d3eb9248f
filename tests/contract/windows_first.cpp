// <windows.h> before everything else: for compilers that have it (tests/guards/mingw.sh).
#include <windows.h>
// Keeps the lines apart.
#include <devicetwin/devicetwin.hpp>

#include "no_exceptions.cpp"
