#ifndef SKEIN_TESTS_SUPPORT_XML_H_
#define SKEIN_TESTS_SUPPORT_XML_H_

#include <expat.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace skein {

struct XmlElement {
  std::string name;
  std::map<std::string, std::string> attributes;
  std::string text;  // directly within it
};

// The elements of a document in the order of their begins; fails the test if it is not well-formed.
inline std::vector<XmlElement> ParseXml(const std::string& document) {
  struct State {
    std::vector<XmlElement> elements;
    std::vector<size_t> open;
  } state;
  const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser(
      XML_ParserCreate(nullptr), &XML_ParserFree);
  XML_SetUserData(parser.get(), &state);
  XML_SetElementHandler(
      parser.get(),
      [](void* data, const char* name, const char** attributes) {
        auto& s = *static_cast<State*>(data);
        s.open.push_back(s.elements.size());
        s.elements.push_back({name, {}, ""});
        for (; *attributes != nullptr; attributes += 2) {
          s.elements.back().attributes[attributes[0]] = attributes[1];
        }
      },
      [](void* data, const char*) { static_cast<State*>(data)->open.pop_back(); });
  XML_SetCharacterDataHandler(parser.get(), [](void* data, const char* text, int length) {
    auto& s = *static_cast<State*>(data);
    if (!s.open.empty()) s.elements[s.open.back()].text.append(text, static_cast<size_t>(length));
  });
  const auto size = static_cast<int>(document.size());
  if (XML_Parse(parser.get(), document.data(), size, 1) != XML_STATUS_OK) {
    ADD_FAILURE() << "line " << XML_GetCurrentLineNumber(parser.get()) << ": "
                  << XML_ErrorString(XML_GetErrorCode(parser.get())) << '\n'
                  << document.substr(0, 2000);
  }
  return state.elements;
}

// The texts that the drawing shows.
inline std::vector<std::string> TextsOf(const std::string& svg) {
  std::vector<std::string> texts;
  for (const XmlElement& element : ParseXml(svg)) {
    if (element.name == "text") texts.push_back(element.text);
  }
  return texts;
}

}  // namespace skein

#endif  // SKEIN_TESTS_SUPPORT_XML_H_
