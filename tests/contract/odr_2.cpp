// Linked together with odr_1.cpp: a function in a header that lacks `inline` fails to link.
#include "devicetwin/devicetwin.hpp"
