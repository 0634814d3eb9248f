/// One request of the service side on its way.
#pragma once

#include <string>

namespace hub {

/// A request, and the answer that it is to get.
struct http_call {
  std::string method;         ///< GET, PUT, PATCH or DELETE
  std::string target;         ///< the path and what follows it, as it was sent
  std::string authorization;  ///< the header's value; empty when there is none
  std::string if_match;
  std::string body;

  int status = 500;
  std::string reply;          ///< JSON, or nothing
  std::string etag;           ///< without quotes; empty for none

  enum { waiting, taken, answered, given_up } state = waiting;
};

}  // namespace hub
