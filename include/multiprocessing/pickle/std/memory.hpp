// SPDX-License-Identifier: MIT
// multiprocessing/pickle/std/memory.hpp — unique_ptr and shared_ptr.
// Layer 3 (pickling). Mirrors no Python file.
#pragma once

#include <multiprocessing/detail/hash.hpp>
#include <multiprocessing/errors.hpp>
#include <multiprocessing/pickle/identity.hpp>
#include <multiprocessing/pickle/reader.hpp>
#include <multiprocessing/pickle/std/optional.hpp>
#include <multiprocessing/pickle/traits.hpp>
#include <multiprocessing/pickle/writer.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

namespace multiprocessing {

/// May be null. Another deleter than the default one needs a pickle of its own.
template <class T>
struct pickle<std::unique_ptr<T>> {
    using pointee = T;
    using parts = detail::Types<T>;
    static constexpr std::uint64_t kind = detail::fnv1a("unique_ptr");
    static constexpr std::size_t min_size = 1;
    static constexpr bool nests = true;

    static void dump(Writer& writer, std::unique_ptr<T> const& pointer) {
        *writer.claim(1) = static_cast<std::byte>(pointer != nullptr);
        if (pointer) {
            detail::put(writer, *pointer);
        }
    }

    static std::unique_ptr<T> load(Reader& reader) {
        if (!detail::get_presence(reader)) {
            return nullptr;
        }
        return std::unique_ptr<T>(new T(detail::get<std::remove_cv_t<T>>(reader)));
    }
};

/// May be null. The first pointer to an object is written with the object, the others as its
/// number, so pointers that share an object share the copy; a pointer inside its own object is
/// refused.
/// Shape: 0 is null, 1 an object that follows, n + 2 the object number n.
template <class T>
struct pickle<std::shared_ptr<T>> {
    using pointee = T;
    using parts = detail::Types<T>;
    using Object = std::remove_cv_t<T>;
    static constexpr std::uint64_t kind = detail::fnv1a("shared_ptr");
    static constexpr std::size_t min_size = 1;
    static constexpr bool nests = true;

    static void dump(Writer& writer, std::shared_ptr<T> const& pointer) {
        if (!pointer) {
            writer.write_size(0);
            return;
        }
        auto& written = writer.shared_written();
        void const* const tag = &detail::type_tag<Object>;
        if (auto const index = written.find(pointer.get(), tag)) {
            if (written.is_open(*index)) {
                throw PicklingError("a std::shared_ptr leads back to the object that holds it");
            }
            writer.write_size(*index + 2);
            return;
        }
        std::size_t const index = written.add(pointer, tag);
        writer.write_size(1);
        detail::put(writer, *pointer);
        written.close(index);
    }

    static std::shared_ptr<T> load(Reader& reader) {
        std::uint64_t const number = reader.read_size();
        if (number == 0) {
            return nullptr;
        }
        void const* const tag = &detail::type_tag<Object>;
        if (number == 1) {
            std::size_t const index = reader.shared_read().size();
            reader.shared_read().push_back({nullptr, tag, true});
            auto object = std::make_shared<Object>(detail::get<Object>(reader));
            reader.shared_read()[index] = {object, tag, false};
            return object;
        }
        if (number - 2 >= reader.shared_read().size()) {
            reader.fail("a shared_ptr names an object that did not come before");
        }
        detail::SharedEntry const& entry =
            reader.shared_read()[static_cast<std::size_t>(number - 2)];
        if (entry.open || entry.tag != tag) {
            reader.fail(entry.open ? "a shared_ptr leads back to the object that holds it"
                                   : "a shared_ptr names an object of another type");
        }
        return std::const_pointer_cast<T>(std::static_pointer_cast<T const>(entry.object));
    }
};

}  // namespace multiprocessing
