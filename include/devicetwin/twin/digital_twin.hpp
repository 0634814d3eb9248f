/// The digital twin: what an application sees of a device that follows the conventions of IoT Plug
/// and Play. It has the properties of both sections side by side, those of a component together
/// (docs/digital-twin.md).
///
///     std::string text;
///     if (auto e = devicetwin::write_digital_twin(t, text)) …
///     // {"$dtId":"greenhouse-07","thermostat":{"target":21.5,"$metadata":{"target":{…
#pragma once

#include <string_view>  // std::string_view

#include "../base/text_buffer.hpp"
#include "../json/arena.hpp"
#include "../json/read.hpp"
#include "../json/write.hpp"
#include "detail/digital_event.hpp"
#include "detail/digital_patch.hpp"
#include "detail/digital_sender.hpp"
#include "detail/emit_section.hpp"
#include "outcome.hpp"
#include "twin.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

namespace functions {

/// Sends the digital twin of a twin to a RapidJSON handler: `$dtId`, the reported properties with
/// the value in effect, the components, and `$metadata` with what is desired, what the device
/// answered, and when it reported. Errors: not_a_twin before there is a twin; out_of_memory,
/// handler_stopped, and what the handler says; events may have been sent before. Cost: both
/// sections.
template <class Memory, class Handler>
json::error emit_digital_twin(const basic_twin<Memory>& t, Handler& handler);

/// The same as text, appended to anything json::write() takes. On an error it is as it was.
template <class Memory, class Output>
json::error write_digital_twin(const basic_twin<Memory>& t, Output& out, unsigned indent = 0);

/// Appends the digital twin change event of a write to anything json::write() takes: a JSON Patch
/// (RFC 6902) that turns the digital twin from before the write into that of `t`. Each operation is
/// `add`, which also replaces what is there (RFC 6902, section 4.1), or `remove`. Appends nothing
/// when the write changed nothing that a digital twin shows.
///
/// `done` is the outcome of the last write of `t`. Errors: precondition_failed when its versions are
/// not those of `t`; not_a_twin, out_of_memory. On an error `out` is as it was. Cost: both sections.
template <class Memory, class Output>
json::error write_digital_twin_event(const basic_twin<Memory>& t, const outcome& done, Output& out);

/// Applies a JSON Patch (RFC 6902) on the digital twin of `t` to desired, in one step: all
/// operations, or none. `patch` is JSON text, a document or a value. Everything else is as for
/// basic_twin::service_patch(), which does the writing: `now`, `if_match`, versions, notification,
/// event, and the outcome, of the caller's or returned.
///
/// Operations are `add`, `replace` and `remove`; the first two are the same here. Paths are `/p`,
/// `/c` and `/c/p`. A property replaces the desired one as a whole. A component is an object with
/// the member `"$metadata":{}`, and replaces all desired properties of that component. What is not
/// desired can be removed, too; that does nothing. A component whose last desired property goes is
/// not desired any more (docs/digital-twin.md, "Patches").
///
/// Errors: of reading; not_a_json_patch; unsupported_operation; invalid_pointer; forbidden_name,
/// name_too_long and reserved_member for names that are not those of the Digital Twins Definition
/// Language; null_forbidden, array_forbidden, and depth_exceeded beyond five levels; not_conformant
/// for a property that is written as a component, or the other way round. error::operation() is the
/// index of the operation, and the pointer is its place in the digital twin, or in the patch for
/// not_a_json_patch. Errors of service_patch(); where they are about desired as a whole, the pointer
/// is /properties/desired. Cost: n operations cost n * log(n), and what service_patch() costs.
template <class Memory, class Input = std::string_view>
json::error patch_digital_twin(basic_twin<Memory>& t, const Input& patch, timestamp now,
                               outcome& done, std::string_view if_match = {});
template <class Memory, class Input = std::string_view>
json::result<outcome> patch_digital_twin(basic_twin<Memory>& t, const Input& patch, timestamp now,
                                         std::string_view if_match = {});

}  // namespace functions

// ---------------------------------------------------------------------------------------------

namespace functions {

template <class Memory, class Handler>
json::error emit_digital_twin(const basic_twin<Memory>& t, Handler& handler) {
  static_assert(json::core::is_handler<Handler>,
                "emit_digital_twin: the last argument is a RapidJSON handler");
  if (!t.identity().IsObject()) return json::errc::not_a_twin;
  const auto& state = detail::twin_access::state(t);
  detail::digital_sender<Handler> sender(state.desired, state.reported, handler, t.memory());
  const json::arena_value* model = detail::find_member(t.identity(), "modelId");
  return sender.twin(
      {t.device_id(), t.module_id(),
       model != nullptr && model->IsString() ? json::core::text_of(*model) : std::string_view()});
}

template <class Memory, class Output>
json::error write_digital_twin(const basic_twin<Memory>& t, Output& out, unsigned indent) {
  static_assert(base::is_output<Output>,
                "devicetwin: the output needs append(const char*, std::size_t), size() and "
                "resize(std::size_t)");
  return detail::write_events(out, indent,
                              [&](auto& writer) { return emit_digital_twin(t, writer); });
}

template <class Memory, class Output>
json::error write_digital_twin_event(const basic_twin<Memory>& t, const outcome& done,
                                     Output& out) {
  static_assert(base::is_output<Output>,
                "devicetwin: the output needs append(const char*, std::size_t), size() and "
                "resize(std::size_t)");
  if (!t.identity().IsObject()) return json::errc::not_a_twin;
  if (!done.wrote(part::desired) && !done.wrote(part::reported)) return {};
  if (done.version != t.version() || done.desired_version != t.desired_version() ||
      done.reported_version != t.reported_version())
    return json::errc::precondition_failed;
  const part written = done.wrote(part::desired) ? part::desired : part::reported;
  const auto& state = detail::twin_access::state(t);
  const memory_source working = t.memory();
  json::document before(working);
  if (json::error e =
          detail::values_before(done, written, state.properties(written).values(), before, working))
    return e;
  return detail::write_events(out, 0, [&](json::text_writer& writer) {
    return detail::digital_event(state.desired, state.reported, written, before.root(), writer,
                                 working)
        .write();
  });
}

template <class Memory, class Input>
json::error patch_digital_twin(basic_twin<Memory>& t, const Input& patch, timestamp now,
                               outcome& done, std::string_view if_match) {
  static_assert(json::core::stands_for_text<Input> || json::core::stands_for_value<Input>,
                "patch_digital_twin: the patch is JSON text, a json::document, or a RapidJSON "
                "document or value");
  done.clear();
  const memory_source working = t.memory();
  json::document operations(working), made(working);
  if constexpr (json::core::stands_for_text<Input>) {
    json::read_options options;
    options.big_integers = t.rules().big_integers;
    options.memory = working;
    if (json::error e = json::read(patch, operations, options)) return e;
  } else if constexpr (json::core::stands_for_value<Input>) {
    if (json::error e = operations.assign(patch)) return e;
  }
  if (!t.identity().IsObject()) return json::errc::not_a_twin;
  if (!etag_matches(if_match, t.etag())) return json::errc::precondition_failed;
  if (json::error e = detail::make_service_patch(operations.root(), t.rules(), t.desired(),
                                                 t.reported(), made, working))
    return e;
  return t.service_patch(made, now, done, if_match);
}

template <class Memory, class Input>
json::result<outcome> patch_digital_twin(basic_twin<Memory>& t, const Input& patch, timestamp now,
                                         std::string_view if_match) {
  outcome done(t.memory());
  if (json::error e = patch_digital_twin(t, patch, now, done, if_match)) return e;
  return json::result<outcome>(static_cast<outcome&&>(done));
}

}  // namespace functions

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
