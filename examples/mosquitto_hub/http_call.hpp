/// One request to the hub's HTTP side, and its answer.
#pragma once

#include <string>

namespace hub {

/// A request and the answer that the hub makes for it.
struct http_call {
  std::string method;         ///< as it was sent, known or not; but HEAD is told as GET
  std::string target;         ///< path and query, as they were sent; starts with '/'
  std::string authorization;  ///< the header's value; empty when there is none
  std::string if_match;       ///< the header's value; empty without one; several are joined by ", "
  std::string body;

  int status = 500;
  std::string reply;       ///< JSON; empty for an answer without a body
  std::string etag;        ///< the ETag header, without quotes; empty for none
  std::string error_code;  ///< the iothub-errorcode header; empty for none
  std::string allow;       ///< the Allow header, which an answer 405 needs; empty for none
};

}  // namespace hub
