#include "real_text.hpp"

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "random_source.hpp"

// The mix is about that of public collections of posts:
//   strings  two thirds of the bytes; the text of a message has 60 to 700. Six messages in ten are in
//            scripts of two or three bytes a character; escape sequences are where people and their
//            programs put them: line breaks, quotes, slashes of addresses, \\u for some characters
//   numbers  ids of 18 digits, as numbers and as strings; coordinates of 17 digits; an exponent
//   shape    a message is an object of twelve members, with two objects and arrays in arrays. A name
//            stands once per message: the same few names again and again

namespace bench {
namespace {

struct script {
  const char* language;
  const char* words[6];
};
// clang-format off
const script scripts[] = {
    {"en", {"pressure", "has", "been", "rising", "since", "midnight"}},
    {"de", {"Der", "Füllstand", "der", "Anlage", "überschreitet", "das"}},
    {"fr", {"la", "pompe", "a", "été", "arrêtée", "à"}},
    {"vi", {"nhiệt", "độ", "của", "máy", "đang", "tăng"}},
    {"ru", {"насос", "остановлен", "проверьте", "давление", "и", "клапан"}},
    {"el", {"η", "αντλία", "σταμάτησε", "ελέγξτε", "την", "πίεση"}},
    {"ar", {"توقفت", "المضخة", "تحقق", "من", "الضغط", "اليوم"}},
    {"he", {"המשאבה", "נעצרה", "בדוק", "את", "הלחץ", "שוב"}},
    {"hi", {"पंप", "बंद", "हो", "गया", "है", "दबाव"}},
    {"ja", {"ポンプが停止しました", "圧力を", "確認して", "ください", "温度は", "正常です"}},
    {"zh", {"水泵已停止运行", "请检查", "压力和阀门", "温度", "正常", "今天"}},
    {"ko", {"펌프가", "멈췄습니다", "압력을", "확인하세요", "온도는", "정상입니다"}},
};
const char* const asides[] = {"\\n", "\\\"sic\\\"", "https:\\/\\/t.example\\/", "\\u2026", "\\ud83d\\ude80",
                              "🚰", "😀", "\\t-", "é", "—"};
// clang-format on

std::string words(random_source& random, const script& in, std::uint32_t bytes) {
  std::string out;
  const bool spaced = in.language != scripts[9].language && in.language != scripts[10].language;
  while (out.size() < bytes) {
    if (!out.empty() && spaced) out += ' ';
    out += in.words[random.below(6)];
    if (random.below(25) == 0) out += asides[random.below(10)];
    if (random.below(40) == 0) out += ". ";
  }
  return out;
}

std::string digits(random_source& random, std::uint32_t count) {
  std::string out(1, static_cast<char>('1' + random.below(9)));
  while (out.size() < count) out += static_cast<char>('0' + random.below(10));
  return out;
}

std::string coordinates(random_source& random) {
  std::string out = random.percent(50) ? "[-" : "[";
  out += digits(random, 2) + "." + digits(random, 15) + ",";
  out += digits(random, 3) + "." + digits(random, 14) + "]";
  return out;
}

const script& pick_script(random_source& random) {
  return scripts[random.percent(40) ? random.below(4) : 4 + random.below(8)];
}

// A message without its text, from behind that on.
std::string rest_of_message(random_source& random, const std::string& id, const script& in) {
  std::string out = ",\"id\":" + id + ",\"id_str\":\"" + id + "\",\"lang\":\"" + in.language;
  out += "\",\"truncated\":";
  out += random.percent(20) ? "true" : "false";
  out += ",\"author\":{\"id\":" + digits(random, 10) + ",\"name\":\"" + words(random, in, 12);
  out += "\",\"description\":\"" + words(random, in, random.between(20, 250));
  out += "\",\"followers\":" + digits(random, random.between(1, 6)) + ",\"verified\":false";
  out += ",\"url\":\"http:\\/\\/t.example\\/" + digits(random, 8) + "\"}";
  out += ",\"place\":{\"type\":\"Polygon\",\"coordinates\":[[";
  for (std::uint32_t i = random.between(2, 5); i != 0; --i)
    out += coordinates(random) + (i == 1 ? "" : ",");
  out += "]]},\"entities\":{\"tags\":[";
  for (std::uint32_t i = random.below(4); i != 0; --i) {
    const std::uint32_t start = random.below(100);
    out += "{\"text\":\"" + words(random, in, 6) + "\",\"indices\":[" + std::to_string(start) + ",";
    out += std::to_string(start + 9) + "]}" + (i == 1 ? "" : ",");
  }
  out += "],\"urls\":[],\"mentions\":[]},\"count\":" + std::to_string(random.below(100));
  return out + ",\"score\":" + digits(random, 1) + "." + digits(random, 15) + "e-3}";
}

struct message {
  std::string name, text, rest;
  std::string value() const { return "{\"text\":\"" + text + "\"" + rest; }
};

message make_message(random_source& random, std::uint32_t number) {
  const script& in = pick_script(random);
  const std::string id = digits(random, 14) + std::to_string(1000 + number);
  std::string text = words(random, in, random.between(60, random.percent(20) ? 700 : 250));
  return {"m" + id, std::move(text), rest_of_message(random, id, in)};
}

std::string text_of(const std::vector<message>& messages) {
  std::string out = "{\"messages\":{";
  for (const message& one : messages) {
    if (out.back() != '{') out += ',';
    out += "\"" + one.name + "\":" + one.value();
  }
  return out + "},\"search\":{\"completed_in\":0.087,\"count\":100}}";
}

}  // namespace

pair_texts make_real_texts(std::string_view document, std::string_view changes) {
  const std::uint32_t count = document == "real-4k"     ? 4
                              : document == "real-40k"  ? 42
                              : document == "real-400k" ? 420
                                                        : 0;
  const bool one = changes == "p1", five = changes == "p5";
  if (count == 0 || (changes != "p0" && !one && !five))
    throw std::invalid_argument("no such text: " + std::string(document));
  random_source random(1401);
  std::vector<message> from;
  for (std::uint32_t i = 0; i != count; ++i) from.push_back(make_message(random, i));
  std::vector<message> to = from;
  std::string forward, backward;
  const auto say = [](std::string& patch, const std::string& name, const std::string& value) {
    patch += (patch.empty() ? "\"" : ",\"") + name + "\":" + value;
  };
  for (std::uint32_t i = 0; i != (five ? 3u : one ? 1u : 0u); ++i) {
    message& changed = to[(i + 1) * count / 4];
    const std::string before = changed.text;
    changed.text += words(random, pick_script(random), 30);
    say(forward, changed.name, "{\"text\":\"" + changed.text + "\"}");
    say(backward, changed.name, "{\"text\":\"" + before + "\"}");
  }
  if (five) {
    say(forward, to[0].name, "null");
    say(backward, to[0].name, to[0].value());
    to.erase(to.begin());
    to.push_back(make_message(random, count));
    say(forward, to.back().name, to.back().value());
    say(backward, to.back().name, "null");
  }
  const auto patch = [](const std::string& members) {
    return members.empty() ? "{}" : "{\"messages\":{" + members + "}}";
  };
  return {text_of(from), text_of(to), patch(forward), patch(backward)};
}

}  // namespace bench
