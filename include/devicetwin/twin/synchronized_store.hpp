/// A store for several threads: a wrapper that makes any store safe.
///
///     memory_store twins;                       // shared by all threads
///     std::mutex mutex;                         // and so is this
///     // in each thread:
///     synchronized_store<memory_store, std::mutex> mine(twins, mutex);
///     hub_session<synchronized_store<memory_store, std::mutex>> hub(mine);
///
/// docs/hub.md, "Threads", has a whole program.
#pragma once

#include <type_traits>  // std::is_same_v

#include "../base/memory.hpp"
#include "../base/text_buffer.hpp"
#include "store.hpp"
#include "stored.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

/// One thread's access to a store that several threads share: a twin_store itself. Each thread has
/// an object of its own, all of them over the same store and the same mutex. While they exist,
/// nobody calls the store but they. `Mutex` has lock() and unlock(), as std::mutex has; the store's
/// twins are of the type devicetwin::twin.
///
/// find() hands out a copy of the twin, so threads write to different copies at the same time, and
/// the mutex is held only while a twin is copied or stored. commit() compares and swaps: when
/// the stored twin is not the one that find() copied, it returns precondition_failed and stores
/// nothing. So no write is lost, whatever the store does between the two, such as loading the twin
/// anew. hub_session then tries the write again (hub_options::write_attempts).
///
/// An object of this class is not for several threads at once. The copies live on `memory`, which
/// is used outside the mutex: one for each thread, or one that is safe for threads, as the default
/// is. Cost beside the store's: find() copies the twin twice, commit() writes it twice as
/// text and copies it once.
template <class Store, class Mutex>
class synchronized_store {
  static_assert(sizeof(detail::check_twin_store<Store>) != 0);  // says what a store lacks
  static_assert(!detail::store_has_twin_type<Store> ||
                    std::is_same_v<typename Store::twin_type, twin>,
                "synchronized_store: the store's twin_type must be devicetwin::twin");

 public:
  using twin_type = twin;

  /// `store` and `mutex` must outlive this object.
  synchronized_store(Store& store, Mutex& mutex, const memory_source& memory = {}) noexcept
      : store_(store),
        mutex_(mutex),
        found_(azure, heap_memory(memory)),
        copy_(azure, heap_memory(memory)),
        found_text_(memory),
        stored_text_(memory) {}
  synchronized_store(const synchronized_store&) = delete;
  synchronized_store& operator=(const synchronized_store&) = delete;

  /// A copy of the twin, valid until the next call of this object. Errors: of the store;
  /// out_of_memory.
  json::result<twin*> find(const twin_id& id);
  /// Stores the copy that the last find() returned, once. Errors: not_found when that was of
  /// another id or was stored already; precondition_failed when the twin in the store has changed
  /// or gone since; of the store; out_of_memory. The copy is forgotten in any case.
  json::error commit(const twin_id& id);
  /// As the store's. Errors: of the store.
  json::error create(const new_identity& who, timestamp now, outcome& done);
  /// As the store's. When the last call was find() of this id, precondition_failed says that the
  /// twin has changed since. Errors: of the store; out_of_memory.
  json::error remove(const twin_id& id);

 private:
  /// Holds the mutex as long as it lives.
  class lock {
   public:
    explicit lock(Mutex& mutex) : mutex_(mutex) { mutex_.lock(); }
    ~lock() { mutex_.unlock(); }
    lock(const lock&) = delete;
    lock& operator=(const lock&) = delete;

   private:
    Mutex& mutex_;
  };

  /// Whether the copy is of this id. It is forgotten.
  bool take(const twin_id& id) noexcept {
    const bool held = held_;
    held_ = false;
    return held && found_.device_id() == id.device && found_.module_id() == id.module;
  }
  /// Finds the twin in the store, which must be as it was when it was copied. The mutex is held;
  /// found_text_ is written.
  json::result<twin*> find_unchanged(const twin_id& id) {
    const json::result<twin*> now = store_.find(id);
    if (!now) return now;
    stored_text_.resize(0);
    if (json::error e = write_stored(**now, stored_text_)) return e;
    if (stored_text_.view() != found_text_.view()) return json::errc::precondition_failed;
    return now;
  }
  json::error write_found() {
    found_text_.resize(0);
    return write_stored(found_, found_text_);
  }

  Store& store_;
  Mutex& mutex_;
  bool held_ = false;        ///< found_ and copy_ are of the last find()
  twin found_;               ///< as it was in the store
  twin copy_;                ///< as it was handed out
  text_buffer found_text_;   ///< the stored form of found_
  text_buffer stored_text_;  ///< of what is in the store now
};

// ---------------------------------------------------------------------------------------------

template <class Store, class Mutex>
json::result<twin*> synchronized_store<Store, Mutex>::find(const twin_id& id) {
  held_ = false;
  {
    const lock held(mutex_);
    const auto found = store_.find(id);
    if (!found) return found.error();
    if (json::error e = found_.assign(**found)) return e;
  }
  if (json::error e = copy_.assign(found_)) return e;
  held_ = true;
  return &copy_;
}

template <class Store, class Mutex>
json::error synchronized_store<Store, Mutex>::commit(const twin_id& id) {
  if (!take(id)) return json::errc::not_found;
  if (json::error e = write_found()) return e;
  const lock held(mutex_);
  const auto now = find_unchanged(id);
  if (!now) {
    const bool is_gone = now.error().code() == json::errc::not_found;
    return is_gone ? json::error(json::errc::precondition_failed) : now.error();
  }
  if (json::error e = (*now)->assign(copy_)) return e;
  return store_.commit(id);
}

template <class Store, class Mutex>
json::error synchronized_store<Store, Mutex>::create(const new_identity& who, timestamp now,
                                                     outcome& done) {
  held_ = false;
  const lock held(mutex_);
  return store_.create(who, now, done);
}

template <class Store, class Mutex>
json::error synchronized_store<Store, Mutex>::remove(const twin_id& id) {
  const bool was_found = take(id);
  if (was_found) {
    if (json::error e = write_found()) return e;
  }
  const lock held(mutex_);
  if (was_found) {
    const auto now = find_unchanged(id);
    if (!now) return now.error();
  }
  return store_.remove(id);
}

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
