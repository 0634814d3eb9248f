/// Where a hub keeps its twins: what a store must offer, one in memory, and one over any table of
/// bytes.
///
/// A store of your own over a database is a table with three functions, and twin_cache does the
/// rest:
///     struct my_table {
///       json::error load(const twin_id& id, text_buffer& bytes, std::uint64_t& revision);
///       json::error store(const twin_id& id, std::string_view bytes, std::uint64_t expected,
///                         std::uint64_t& revision);
///       json::error remove(const twin_id& id, std::uint64_t expected);
///     };
///     twin_cache<my_table> store(table);
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <string_view>  // std::string_view
#include <type_traits>  // std::is_same_v, std::void_t
#include <utility>      // std::declval

#include "../base/text_buffer.hpp"
#include "detail/id_table.hpp"
#include "stored.hpp"
#include "twin.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

// The requirement twin_store. One who writes to twins (hub/hub_session.hpp) asks of a Store:
//
//   typename Store::twin_type                    a basic_twin
//
//   json::result<twin_type*> find(const twin_id&)
//     The twin, loaded if need be. It may be written to; the pointer is valid until the next call
//     of the store. Errors: not_found; whatever else went wrong.
//
//   json::error commit(const twin_id&)
//     Makes what was written to the twin since find() durable. When this returns without an error,
//     it will be there after a power loss. Errors: precondition_failed when somebody else has
//     stored or removed the twin since it was loaded; not_found when it was not even found;
//     whatever else went wrong. After an error the store has forgotten what was written: the next
//     find() gives what is stored, whether or not that has the write in it.
//
//   json::error create(const new_identity&, timestamp now, outcome&)
//     Makes a twin and makes it durable. Errors: of basic_twin::create(); already_exists.
//
//   json::error remove(const twin_id&)
//     Errors: not_found; precondition_failed as for commit(), and what is live is forgotten then.
//
// Threads: a store is called by one thread at a time, find() included, unless it says otherwise.
// A twin that find() has returned belongs to the store, so the rule holds as long as that is in
// use. synchronized_store (twin/synchronized_store.hpp) makes any store safe for several threads.
//
// testing/store_contract.hpp tests all of this on any store (docs/testing.md).

namespace detail {

template <class Store, class = void>
inline constexpr bool store_has_twin_type = false;
template <class Store>
inline constexpr bool store_has_twin_type<Store, std::void_t<typename Store::twin_type>> = true;

template <class Store, class = void>
inline constexpr bool store_finds = false;
template <class Store>
inline constexpr bool store_finds<
    Store, std::void_t<decltype(std::declval<Store&>().find(std::declval<const twin_id&>()))>> =
    std::is_same_v<decltype(std::declval<Store&>().find(std::declval<const twin_id&>())),
                   json::result<typename Store::twin_type*>>;

template <class Store, class = void>
inline constexpr bool store_commits = false;
template <class Store>
inline constexpr bool store_commits<
    Store, std::void_t<decltype(std::declval<Store&>().commit(std::declval<const twin_id&>()))>> =
    std::is_same_v<decltype(std::declval<Store&>().commit(std::declval<const twin_id&>())),
                   json::error>;

template <class Store, class = void>
inline constexpr bool store_creates = false;
template <class Store>
inline constexpr bool store_creates<
    Store, std::void_t<decltype(std::declval<Store&>().create(
               std::declval<const new_identity&>(), timestamp{}, std::declval<outcome&>()))>> =
    std::is_same_v<decltype(std::declval<Store&>().create(std::declval<const new_identity&>(),
                                                          timestamp{}, std::declval<outcome&>())),
                   json::error>;

template <class Store, class = void>
inline constexpr bool store_removes = false;
template <class Store>
inline constexpr bool store_removes<
    Store, std::void_t<decltype(std::declval<Store&>().remove(std::declval<const twin_id&>()))>> =
    std::is_same_v<decltype(std::declval<Store&>().remove(std::declval<const twin_id&>())),
                   json::error>;

template <class Table, class = void>
inline constexpr bool table_loads = false;
template <class Table>
inline constexpr bool
    table_loads<Table, std::void_t<decltype(std::declval<Table&>().load(
                           std::declval<const twin_id&>(), std::declval<text_buffer&>(),
                           std::declval<std::uint64_t&>()))>> =
        std::is_same_v<decltype(std::declval<Table&>().load(std::declval<const twin_id&>(),
                                                            std::declval<text_buffer&>(),
                                                            std::declval<std::uint64_t&>())),
                       json::error>;

template <class Table, class = void>
inline constexpr bool table_stores = false;
template <class Table>
inline constexpr bool table_stores<Table, std::void_t<decltype(std::declval<Table&>().store(
                                              std::declval<const twin_id&>(), std::string_view(),
                                              std::uint64_t{}, std::declval<std::uint64_t&>()))>> =
    std::is_same_v<decltype(std::declval<Table&>().store(std::declval<const twin_id&>(),
                                                         std::string_view(), std::uint64_t{},
                                                         std::declval<std::uint64_t&>())),
                   json::error>;

template <class Table, class = void>
inline constexpr bool table_removes = false;
template <class Table>
inline constexpr bool table_removes<Table, std::void_t<decltype(std::declval<Table&>().remove(
                                               std::declval<const twin_id&>(), std::uint64_t{}))>> =
    std::is_same_v<decltype(std::declval<Table&>().remove(std::declval<const twin_id&>(),
                                                          std::uint64_t{})),
                   json::error>;

/// To be instantiated by who takes a store: says what it lacks.
template <class Store>
struct check_twin_store {
  static_assert(store_has_twin_type<Store>,
                "twin_store: the store needs a type twin_type, a basic_twin");
  static_assert(!store_has_twin_type<Store> || store_finds<Store>,
                "twin_store: the store needs json::result<twin_type*> find(const twin_id&)");
  static_assert(store_commits<Store>,
                "twin_store: the store needs json::error commit(const twin_id&)");
  static_assert(
      store_creates<Store>,
      "twin_store: the store needs json::error create(const new_identity&, timestamp, outcome&)");
  static_assert(store_removes<Store>,
                "twin_store: the store needs json::error remove(const twin_id&)");
};
template <class Table>
struct check_twin_table {
  static_assert(table_loads<Table>,
                "twin_table: the table needs json::error load(const twin_id&, text_buffer& "
                "bytes, std::uint64_t& revision)");
  static_assert(table_stores<Table>,
                "twin_table: the table needs json::error store(const twin_id&, std::string_view "
                "bytes, std::uint64_t expected, "
                "std::uint64_t& revision)");
  static_assert(
      table_removes<Table>,
      "twin_table: the table needs json::error remove(const twin_id&, std::uint64_t expected)");
};

}  // namespace detail

/// Whether a type fulfils the requirement twin_store.
template <class Store>
inline constexpr bool is_twin_store =
    detail::store_has_twin_type<Store>&& detail::store_finds<Store>&& detail::store_commits<Store>&&
        detail::store_creates<Store>&& detail::store_removes<Store>;

/// A store of live twins in memory and nowhere else: what is written is stored, there is nothing to
/// load, and commit() of a twin that is there cannot fail. Its twins live on the memory source that
/// it is given; `rules` must outlive it. Threads: one at a time;
/// synchronized_store lets several share it. Cost: that of finding an id among those that are there
/// (detail/id_table.hpp).
class memory_store {
 public:
  using twin_type = twin;

  explicit memory_store(const dialect& rules = azure, const memory_source& memory = {}) noexcept
      : rules_(&rules), twins_(memory) {}

  json::result<twin*> find(const twin_id& id) noexcept {
    entry* const found = twins_.find(id);
    found_ = found;
    if (found == nullptr) return json::errc::not_found;
    return &found->live;
  }
  json::error commit(const twin_id& id) noexcept {
    const bool there = (found_ != nullptr && found_->id == id) || twins_.find(id) != nullptr;
    return there ? json::errc::ok : json::errc::not_found;
  }
  json::error create(const new_identity& who, timestamp now, outcome& done);
  json::error remove(const twin_id& id) noexcept {
    found_ = nullptr;
    return twins_.erase(id) ? json::errc::ok : json::errc::not_found;
  }

  /// Puts a twin there, in place of one of the same id; the id is that of its identity. Errors:
  /// not_a_twin, invalid_identity, out_of_memory; then nothing has changed.
  json::error put(const twin& t);

  std::size_t size() const noexcept { return twins_.size(); }
  /// Shows each twin, in the order of their ids, to `visit(const twin_id&, twin&)`, which must not
  /// create or remove any.
  template <class Visit>
  void for_each(Visit&& visit) {
    twins_.for_each([&](entry& e) { visit(static_cast<const twin_id&>(e.id), e.live); });
  }

 private:
  struct entry {
    twin_id id;
    twin live;
  };
  json::error add(const twin_id& id, twin& made);

  const dialect* rules_;
  detail::id_table<entry> twins_;
  const entry* found_ = nullptr;  ///< by the last find(): mostly what is committed next
};

// The requirement twin_table: bytes by id, compared and stored in one step, so that several may use
// one table. A revision is any number but 0, another one after each store(); 0 says that there is
// no twin.
//
//   json::error load(const twin_id&, text_buffer& bytes, std::uint64_t& revision)
//     Appends the bytes. Errors: not_found; whatever else went wrong.
//
//   json::error store(const twin_id&, std::string_view bytes, std::uint64_t expected,
//                     std::uint64_t& revision)
//     When the stored revision is the expected one (0: there is none), puts the bytes there,
//     durable when this returns, and says their revision. Errors: precondition_failed when it is
//     another; whatever else went wrong.
//
//   json::error remove(const twin_id&, std::uint64_t expected)
//     Errors: precondition_failed, not_found; whatever else went wrong.
//
// Threads: one twin_cache calls its table one call after the other. Where several caches share a
// table, in threads of their own, its functions must be safe to be called at once.

/// A store over a table of bytes, with the twins last used kept live: a message to one of them
/// costs no load. The bytes are the stored form of twin/stored.hpp. `table` and `rules` must
/// outlive it. Bytes that are no stored twin, or the twin of another id, are `damaged`: find() says
/// so, and nothing overwrites them. find() does not ask the table for a twin that is live; where
/// others write to the table, too, a read may be as old as the twin's last load, and commit()
/// tells. Threads: not for several at once; give each thread a cache of its own over one table, or
/// all of them a synchronized_store over one cache.
template <class Table>
class twin_cache {
 public:
  using twin_type = twin;

  /// At most `max_live` twins are kept live, 1 at least.
  explicit twin_cache(Table& table, const dialect& rules = azure, const memory_source& memory = {},
                      std::size_t max_live = 4096) noexcept
      : table_(table),
        rules_(&rules),
        max_live_(max_live == 0 ? 1 : max_live),
        bytes_(memory),
        live_(memory) {
    static_cast<void>(detail::check_twin_table<Table>());
  }

  json::result<twin*> find(const twin_id& id);
  json::error commit(const twin_id& id);
  json::error create(const new_identity& who, timestamp now, outcome& done);
  json::error remove(const twin_id& id);

  /// Forgets a live twin, so that the next find() loads it; all of them.
  void forget(const twin_id& id) noexcept {
    if (entry* e = live_.find(id)) drop(e);
  }
  void forget_all() noexcept {
    while (newest_ != nullptr) drop(newest_);
  }
  std::size_t live() const noexcept { return live_.size(); }

 private:
  struct entry {
    twin_id id;
    twin live;
    std::uint64_t revision = 0;
    entry* newer = nullptr;  ///< used after this one
    entry* older = nullptr;
  };
  void link(entry* e) noexcept {
    e->newer = nullptr;
    e->older = newest_;
    (newest_ == nullptr ? oldest_ : newest_->newer) = e;
    newest_ = e;
  }
  void unlink(entry* e) noexcept {
    (e->newer == nullptr ? newest_ : e->newer->older) = e->older;
    (e->older == nullptr ? oldest_ : e->older->newer) = e->newer;
  }
  void drop(entry* e) noexcept {
    unlink(e);
    live_.erase(e->id);
  }
  /// An entry of an id that is not live, with an empty twin, not in the table yet.
  entry* make(const twin_id& id) noexcept {
    while (live_.size() >= max_live_) drop(oldest_);
    return detail::make_node<entry>(live_.memory(), id, twin(*rules_, heap_memory(live_.memory())));
  }
  json::error keep(entry* e) noexcept {
    if (!live_.insert(e)) {
      detail::drop_node(live_.memory(), e);
      return json::errc::out_of_memory;
    }
    link(e);
    return {};
  }
  json::error add(const twin_id& id, twin& made);
  json::error store(entry& e) {
    bytes_.resize(0);
    if (json::error failure = write_stored(e.live, bytes_)) return failure;
    return table_.store(e.id, bytes_.view(), e.revision, e.revision);
  }

  Table& table_;
  const dialect* rules_;
  std::size_t max_live_;
  text_buffer bytes_;
  detail::id_table<entry> live_;
  entry* newest_ = nullptr;
  entry* oldest_ = nullptr;
};

// ---------------------------------------------------------------------------------------------

inline json::error memory_store::create(const new_identity& who, timestamp now, outcome& done) {
  done.clear();
  const twin_id id{who.device_id, who.module_id};
  if (twins_.find(id) != nullptr) return json::errc::already_exists;
  twin made(*rules_, heap_memory(twins_.memory()));
  if (json::error e = made.create(who, now, done)) return e;
  json::error failure = add(id, made);
  if (failure) done.clear();
  return failure;
}

inline json::error memory_store::add(const twin_id& id, twin& made) {
  entry* e = detail::make_node<entry>(twins_.memory(), id, static_cast<twin&&>(made));
  if (e == nullptr) return json::errc::out_of_memory;
  if (twins_.insert(e)) return {};
  detail::drop_node(twins_.memory(), e);
  return json::errc::out_of_memory;
}

inline json::error memory_store::put(const twin& t) {
  const twin_id id{t.device_id(), t.module_id()};
  if (!t.identity().IsObject()) return json::errc::not_a_twin;
  if (check_id(id) != json::errc::ok) return json::errc::invalid_identity;
  twin copy(*rules_, heap_memory(twins_.memory()));
  if (json::error e = copy.assign(t)) return e;
  if (entry* found = twins_.find(id)) {
    found->live.swap(copy);
    return {};
  }
  return add(id, copy);
}

template <class Table>
json::result<twin*> twin_cache<Table>::find(const twin_id& id) {
  if (entry* found = live_.find(id)) {
    unlink(found);
    link(found);
    return &found->live;
  }
  bytes_.resize(0);
  std::uint64_t revision = 0;
  if (json::error e = table_.load(id, bytes_, revision)) return e;
  entry* made = make(id);
  if (made == nullptr) return json::errc::out_of_memory;
  made->revision = revision;
  json::error failure = load_stored(bytes_.view(), made->live);
  // Bytes that are another twin's have a right checksum, too.
  if (!failure && (made->live.device_id() != id.device || made->live.module_id() != id.module))
    failure = json::errc::damaged;
  if (failure) {
    detail::drop_node(live_.memory(), made);
    return failure;
  }
  if (json::error e = keep(made)) return e;
  return &made->live;
}

template <class Table>
json::error twin_cache<Table>::commit(const twin_id& id) {
  entry* found = live_.find(id);
  if (found == nullptr) return json::errc::not_found;
  json::error failure = store(*found);
  if (failure) drop(found);
  return failure;
}

template <class Table>
json::error twin_cache<Table>::create(const new_identity& who, timestamp now, outcome& done) {
  done.clear();
  const twin_id id{who.device_id, who.module_id};
  if (live_.find(id) != nullptr) return json::errc::already_exists;
  twin made(*rules_, heap_memory(live_.memory()));
  if (json::error e = made.create(who, now, done)) return e;
  json::error failure = add(id, made);
  if (failure) done.clear();
  return failure;
}

template <class Table>
json::error twin_cache<Table>::add(const twin_id& id, twin& made) {
  entry* e = make(id);
  if (e == nullptr) return json::errc::out_of_memory;
  e->live.swap(made);
  if (json::error failure = keep(e)) return failure;
  json::error failure = store(*e);
  if (failure) drop(e);
  return failure.code() == json::errc::precondition_failed ? json::error(json::errc::already_exists)
                                                           : failure;
}

template <class Table>
json::error twin_cache<Table>::remove(const twin_id& id) {
  entry* e = live_.find(id);
  std::uint64_t revision = 0;
  if (e != nullptr) {
    revision = e->revision;
    drop(e);
  } else {
    bytes_.resize(0);
    if (json::error failure = table_.load(id, bytes_, revision)) return failure;
  }
  return table_.remove(id, revision);
}

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
