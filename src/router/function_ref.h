// A function that is lent for the length of a call: two words, no heap. What it was made from must
// outlive it.
#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace weir::router {

template <class Signature>
class FunctionRef;

template <class R, class... Arguments>
class FunctionRef<R(Arguments...)> {
public:
    template <class F>
        requires std::is_invocable_r_v<R, F&, Arguments...> &&
                     (!std::same_as<std::remove_cvref_t<F>, FunctionRef>) &&
                     std::is_object_v<std::remove_reference_t<F>>
    FunctionRef(F&& function)  // NOLINT: a lambda is an argument as it stands
        : object_(const_cast<void*>(static_cast<const void*>(std::addressof(function)))),
          call_([](void* object, Arguments... arguments) -> R {
              return (*static_cast<std::remove_reference_t<F>*>(object))(
                  std::forward<Arguments>(arguments)...);
          }) {}

    R operator()(Arguments... arguments) const {
        return call_(object_, std::forward<Arguments>(arguments)...);
    }

private:
    void* object_;
    R (*call_)(void*, Arguments...);
};

}  // namespace weir::router
