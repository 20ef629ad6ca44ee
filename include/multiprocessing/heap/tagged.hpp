// SPDX-License-Identifier: MIT
// multiprocessing/heap/tagged.hpp — a shared object whose first word says what it is.
// Layer 2 (heap).
#pragma once

#include <multiprocessing/detail/hash.hpp>
#include <multiprocessing/detail/type_name.hpp>
#include <multiprocessing/errors.hpp>
#include <multiprocessing/heap/ring.hpp>
#include <multiprocessing/heap/shared.hpp>

#include <new>
#include <string>
#include <type_traits>
#include <utility>

namespace multiprocessing::heap {

/// The first word of an object's body: a hash of what follows, and in the lowest four bits flags
/// that say with what part it begins, so that the part can travel as a handle of its own.
/// One program image has one spelling of a type, so all processes of a tree agree.
template <class Body>
constexpr std::uint64_t tag_of() {
    auto const hash = detail::fnv1a(detail::type_name<Body>(), sizeof(Body)) & ~std::uint64_t{15};
    if constexpr (requires { Body::tag_flags; })
        return hash | Body::tag_flags;
    else
        return hash;
}

/// Whether an object of that tag may be used as a Body: it is one, or begins with one.
template <class Body>
constexpr bool tag_fits(std::uint64_t tag) {
    if constexpr (requires { Body::tag_part; })
        return (tag & Body::tag_part) != 0;
    else
        return tag == tag_of<Body>();
}

/// A handle of an object {tag, Body, further bytes}. Body is plain data that is valid when
/// zero-filled or as its default constructor leaves it; it stands 8 bytes behind a multiple of 16.
/// The pointer is kept beside the reference, so that the object is one load away.
/// Sharing: as Shared.
template <class Body>
class Tagged {
public:
    static_assert(
        std::is_trivially_destructible_v<Body> && alignof(Body) <= 8,
        "the body of a shared object must need no destructor and no more alignment than a word");

    Tagged() = default;

    /// A new object with `links` links and so many zeroed bytes behind the body, which `init` may
    /// fill in: init(Header&, Body&).
    template <class Init>
    static Tagged make(std::uint32_t links, std::uint64_t further, Init init) {
        return Tagged{Shared::make(Kind::plain, links, room + further, [&](std::byte* start) {
            *reinterpret_cast<std::uint64_t*>(start) = tag_of<Body>();
            auto* const body = new (start + 8) Body;
            init(*reinterpret_cast<Header*>(start - Header::body_offset(links)), *body);
        })};
    }
    static Tagged make() {
        return make(0, 0, [](Header&, Body&) {});
    }

    /// An object that arrived in a message, as what `name` calls it.
    /// Errors: UnpicklingError when it is something else.
    static Tagged from(Shared shared, char const* name) {
        if (!is(shared))
            throw UnpicklingError(std::string("the shared object in the message is not a ") + name);
        return Tagged{std::move(shared)};
    }

    /// Whether it is one of these.
    static bool is(Shared const& shared) {
        auto const& header = shared.header();
        return header.kind == Kind::plain && header.size >= room &&
               tag_fits<Body>(*shared.template body<std::uint64_t>());
    }

    Tagged(Tagged const&) = default;
    Tagged& operator=(Tagged const&) = default;
    Tagged(Tagged&& other) noexcept
        : shared_(std::move(other.shared_)), body_(std::exchange(other.body_, nullptr)) {}
    Tagged& operator=(Tagged&& other) noexcept {
        shared_ = std::move(other.shared_);
        body_ = std::exchange(other.body_, nullptr);
        return *this;
    }
    ~Tagged() = default;

    Body& operator*() const { return *body_; }
    Body* operator->() const { return body_; }
    Shared const& shared() const { return shared_; }
    explicit operator bool() const { return body_ != nullptr; }
    bool operator==(Tagged const& other) const { return body_ == other.body_; }

private:
    static constexpr std::uint64_t room = 8 + (std::is_empty_v<Body> ? 0 : sizeof(Body));

    explicit Tagged(Shared shared)
        : shared_(std::move(shared)),
          body_(reinterpret_cast<Body*>(shared_.template body<std::byte>() + 8)) {}

    Shared shared_;
    Body* body_ = nullptr;
};

}  // namespace multiprocessing::heap
