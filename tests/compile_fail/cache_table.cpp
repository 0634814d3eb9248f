// expect: twin_table: the table needs json::error store(const twin_id&, std::string_view bytes,
// std::uint64_t expected, std::uint64_t& revision)
#include <devicetwin/devicetwin.hpp>

struct my_table {
  devicetwin::json::error load(const devicetwin::twin_id&, devicetwin::text_buffer&,
                               std::uint64_t&);
  devicetwin::json::error store(const devicetwin::twin_id&,
                                std::string_view);  // compares with nothing
  devicetwin::json::error remove(const devicetwin::twin_id&, std::uint64_t);
};

int main() {
  my_table table;
  devicetwin::twin_cache<my_table> store(table);
}
