// Tokens, connection strings and the encodings in them.
#include "../../examples/azure/sas_token.hpp"

#include <string>
#include <vector>

#include "../../examples/azure/connection_string.hpp"
#include "../catch.hpp"

namespace {

std::string decoded64(std::string_view text) {
  std::string bytes;
  return azure::from_base64(text, bytes) ? bytes : "refused";
}
std::string decoded_percent(std::string_view text) {
  std::string plain;
  return azure::percent_decoded(text, plain) ? plain : "refused";
}

}  // namespace

TEST_CASE("base64 is what RFC 4648 shows", "[sas]") {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    CHECK(azure::to_base64(bytes) == text);
    CHECK(decoded64(text) == bytes);
  }
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  CHECK(decoded64(azure::to_base64(all)) == all);
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "=", "====", "Zm9v=", "Zm 9v", "Zm9v\n",
                           "Zg==Zg==", "Zh==", "Zm9=", "Zm-_", "Z===", "Zm9v===="}) {
    INFO(text);
    CHECK(decoded64(text) == "refused");
  }
}

TEST_CASE("percent-encoding leaves letters, digits and four others", "[sas]") {
  CHECK(azure::percent_encoded("aZ09-._~") == "aZ09-._~");
  CHECK(azure::percent_encoded("a/b c%\xC3\xA9!") == "a%2Fb%20c%25%C3%A9%21");
  CHECK(decoded_percent("a%2fb%2F+%00") == std::string("a/b/+\0", 6));
  for (const char* text : {"%", "%2", "a%", "%zz", "%2g", "%%20"})
    CHECK(decoded_percent(text) == "refused");
}

TEST_CASE("a token is made and recognised", "[sas]") {
  const std::string key = azure::to_base64("a key of 16 byte");
  const std::string text = azure::make_sas_token("hub.example/devices/pump 7", key, 1'772'433'677);
  // The signature was computed with: printf 'hub.example%%2Fdevices%%2Fpump%%207\n1772433677' |
  //   openssl dgst -sha256 -mac HMAC -macopt key:'a key of 16 byte' -binary | base64
  CHECK(text ==
        "SharedAccessSignature "
        "sr=hub.example%2Fdevices%2Fpump%207&sig=%2F4qIFAYGdG8FaxIBVnfJSsAI%2FL6kmYqfp4U4pJj1M58%"
        "3D&se=1772433677");
  azure::sas_token token;
  REQUIRE(azure::parse_sas_token(text, token));
  CHECK(token.resource == "hub.example/devices/pump 7");
  CHECK(token.expiry == 1'772'433'677);
  CHECK(token.policy.empty());
  CHECK(azure::is_signed_with(token, key));
  CHECK(!azure::is_signed_with(token, azure::to_base64("a key of 16 bytf")));
  CHECK(!azure::is_signed_with(token, ""));
  CHECK(!azure::is_signed_with(token, "not base64"));
  CHECK(azure::make_sas_token("r", "not base64", 1).empty());

  REQUIRE(azure::parse_sas_token(azure::make_sas_token("hub", key, 5, "a policy"), token));
  CHECK(token.policy == "a policy");
  CHECK(azure::is_signed_with(token, key));

  // Other spellings of the resource are other texts to sign, and fields come in any order.
  azure::sas_token lower = token;
  lower.signed_resource = "hub.example%2fdevices%2fpump%207";
  CHECK(!azure::is_signed_with(lower, key));
  REQUIRE(azure::parse_sas_token(
      "SharedAccessSignature se=5&sig=" +
          text.substr(text.find("&sig=") + 5, text.find("&se=") - text.find("&sig=") - 5) +
          "&sr=hub",
      token));
  CHECK(!azure::is_signed_with(token, key));
}

TEST_CASE("whatever of a token is changed, it is not recognised", "[sas]") {
  const std::string key = azure::to_base64("a key of 16 byte");
  const std::string text = azure::make_sas_token("hub/devices/pump-7", key, 1'772'433'677, "p");
  azure::sas_token token;
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const char c : {'a', 'B', '0', '%', '&', '=', '/', ' ', '\0'}) {
      std::string changed = text;
      if (changed[i] == c) continue;
      changed[i] = c;
      INFO(changed);
      const bool accepted =
          azure::parse_sas_token(changed, token) && azure::is_signed_with(token, key);
      // The policy only names the key; a digit of an escape may be in either case.
      CHECK(
          (!accepted || (token.resource == "hub/devices/pump-7" && token.expiry == 1'772'433'677 &&
                         changed.find("&skn=p") == std::string::npos)));
    }
    CHECK(!(azure::parse_sas_token(text.substr(0, i), token) && azure::is_signed_with(token, key) &&
            token.policy == "p"));
  }
}

TEST_CASE("what is no token is refused", "[sas]") {
  azure::sas_token token;
  const std::string signature(44, 'A');
  const std::string sig = "A" + std::string(42, 'A') + "%3D";
  REQUIRE(azure::parse_sas_token("SharedAccessSignature sr=a&sig=" + sig + "&se=1", token));
  for (const std::string& text : std::vector<std::string>{
           "", "SharedAccessSignature", "SharedAccessSignature ", "sr=a&sig=" + sig + "&se=1",
           "SharedAccessSignature sr=a&se=1", "SharedAccessSignature sr=a&sig=" + sig,
           "SharedAccessSignature sig=" + sig + "&se=1",
           "SharedAccessSignature sr=a&sr=a&sig=" + sig + "&se=1",
           "SharedAccessSignature sr=a&sig=" + sig + "&se=1&se=2",
           "SharedAccessSignature sr=a&sig=" + sig + "&se=",
           "SharedAccessSignature sr=a&sig=" + sig + "&se=-1",
           "SharedAccessSignature sr=a&sig=" + sig + "&se=1x",
           "SharedAccessSignature sr=a&sig=" + sig + "&se=1234567890123456789",
           "SharedAccessSignature sr=a&sig=" + signature + "&se=1",
           "SharedAccessSignature sr=a&sig=AAAA&se=1",
           "SharedAccessSignature sr=%&sig=" + sig + "&se=1",
           "SharedAccessSignature sr=a&sig=" + sig + "&se=1&more=1",
           "SharedAccessSignature sr&sig=" + sig + "&se=1"}) {
    INFO(text);
    CHECK(!azure::parse_sas_token(text, token));
  }
}

TEST_CASE("a connection string is taken apart", "[sas]") {
  azure::connection_string c;
  CHECK(
      azure::parse_connection_string("HostName=hub.example;DeviceId=pump-7;SharedAccessKey=YWI=", c)
          .empty());
  CHECK(c.host == "hub.example");
  CHECK(c.port == 8883);
  CHECK(c.device == "pump-7");
  CHECK(c.module.empty());
  CHECK(c.key == "YWI=");
  CHECK(azure::parse_connection_string(
            "SharedAccessKey=YWI=;ModuleId=m;X=y;DeviceId=d;HostName=localhost:1883;", c)
            .empty());
  CHECK(c.host == "localhost");
  CHECK(c.port == 1883);
  CHECK(c.module == "m");
  const auto problem = [&](std::string_view text) {
    return azure::parse_connection_string(text, c);
  };
  CHECK(problem("") == "the connection string has no HostName");
  CHECK(problem("HostName=h") == "the connection string has no DeviceId");
  CHECK_THAT(problem("HostName=h;DeviceId=d"), matchers::ContainsSubstring("SharedAccessKey"));
  CHECK_THAT(
      problem("HostName=h;DeviceId=d;SharedAccessKey=secret!"),
      matchers::ContainsSubstring("SharedAccessKey") && !matchers::ContainsSubstring("secret"));
  for (const char* host : {"h:", "h:0", "h:65536", "h:1x", "h:99999999999999999999", ":1"}) {
    INFO(host);
    CHECK(!problem(std::string("HostName=") + host + ";DeviceId=d;SharedAccessKey=YWI=").empty());
  }
}
