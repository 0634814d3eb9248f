// expect: twin_store: the store needs json::error commit(const twin_id&)
#include <devicetwin/devicetwin.hpp>

struct my_store {
  using twin_type = devicetwin::twin;
  devicetwin::json::result<devicetwin::twin*> find(const devicetwin::twin_id&);
  void commit(const devicetwin::twin_id&);  // void: nobody would know whether it is stored
  devicetwin::json::error create(const devicetwin::new_identity&, devicetwin::timestamp,
                                 devicetwin::outcome&);
  devicetwin::json::error remove(const devicetwin::twin_id&);
};

int main() {
  my_store store;
  devicetwin::hub_session<my_store> hub(store);
}
