#include <devicetwin/sync/topic.hpp>
#include "../support/text.hpp"
