// SPDX-License-Identifier: MIT
// tests/object/canon.hpp — Objects in the neutral text of the golden vectors, and the vectors.
#pragma once

#include <multiprocessing/object.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace vectors {

namespace mp = multiprocessing;

inline std::string hex(std::string_view bytes) {
    std::string text;
    for (auto const byte : bytes)
        fmt::format_to(std::back_inserter(text), "{:02x}", static_cast<unsigned char>(byte));
    return text;
}

inline std::string unhex(std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2)
        bytes += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
    return bytes;
}

/// None is N, ints are i5, floats f and 16 hex digits, text s and bytes b and bytearrays y in hex;
/// [list], (tuple), {k:v}, S{set}, Z{frozenset} with sorted entries; @n is the container n levels
/// from the outermost that holds this; g is a global, x an instance: x(arguments)+state+[items].
class Canon {
public:
    std::string of(mp::Object const& x);

private:
    std::string real(double value) {
        if (value != value) return "fnan";
        return fmt::format("f{:016x}", std::bit_cast<std::uint64_t>(value));
    }
    std::string join(std::vector<std::string> parts, bool sorted = false) {
        if (sorted) std::sort(parts.begin(), parts.end());
        return fmt::format("{}", fmt::join(parts, ","));
    }
    template <class Range>
    std::string all(Range const& range, bool sorted = false) {
        std::vector<std::string> parts;
        for (auto const& x : range) parts.push_back(of(x));
        return join(std::move(parts), sorted);
    }
    std::string pairs(std::vector<mp::Object> const& flat) {
        std::vector<std::pair<std::string, std::string>> parts;
        for (std::size_t i = 0; i < flat.size(); i += 2)
            parts.emplace_back(of(flat[i]), of(flat[i + 1]));
        std::sort(parts.begin(), parts.end());
        std::vector<std::string> text;
        for (auto const& [key, value] : parts) text.push_back(key + ":" + value);
        return join(text);
    }
    std::string container(mp::Object const& x);
    std::string instance(mp::Instance const& x);

    std::vector<mp::Object> open_;
};

inline std::string name_of(mp::Global const& global) {
    return fmt::format("{}.{}", global.module(), global.name());
}

inline std::string Canon::of(mp::Object const& x) {
    using Kind = mp::ObjectKind;
    switch (x.kind()) {
    case Kind::none: return "N";
    case Kind::boolean: return x.to<bool>() ? "T" : "F";
    case Kind::integer:
    case Kind::big_integer: return "i" + x.repr();
    case Kind::real: return real(x.to<double>());
    case Kind::complex: {
        auto const& parts = mp::detail::node_as<mp::detail::ComplexNode>(x).value;
        return "c(" + real(parts.real) + "," + real(parts.imag) + ")";
    }
    case Kind::text: return "s" + hex(mp::detail::chars_of(x));
    case Kind::bytes: return "b" + hex(mp::detail::chars_of(x));
    case Kind::byte_array: return "y" + hex(mp::detail::chars_of(x));
    case Kind::global: return "g" + name_of(mp::Global::of(x));
    default: break;
    }
    for (std::size_t depth = 0; depth < open_.size(); ++depth)
        if (open_[depth].is_same(x)) return fmt::format("@{}", depth);
    open_.push_back(x);
    auto text = container(x);
    open_.pop_back();
    return text;
}

inline std::string Canon::container(mp::Object const& x) {
    using Kind = mp::ObjectKind;
    switch (x.kind()) {
    case Kind::list: return "[" + all(x) + "]";
    case Kind::tuple: return "(" + all(x) + ")";
    case Kind::set: return "S{" + all(x, true) + "}";
    case Kind::frozen_set: return "Z{" + all(x, true) + "}";
    case Kind::dict: {
        std::vector<mp::Object> flat;
        for (auto&& [key, value] : mp::Dict::of(x).items()) {
            flat.push_back(key);
            flat.push_back(value);
        }
        return "{" + pairs(flat) + "}";
    }
    default: return instance(mp::Instance::of(x));
    }
}

inline std::string Canon::instance(mp::Instance const& x) {
    auto text = "x" + name_of(x.global()) + "(" + all(x.arguments()) + ")";
    if (auto const state = x.state()) text += "+" + of(*state);
    if (!x.items().empty()) text += "+[" + all(x.items()) + "]";
    if (!x.pairs().empty()) text += "+{" + pairs(x.pairs()) + "}";
    return text;
}

inline std::string canon(mp::Object const& x) { return Canon().of(x); }

using Row = std::map<std::string, std::string>;

/// Tab-separated rows by the names of their columns. MULTIPROCESSING_TEST_VECTORS names another
/// folder, with more of them.
inline std::vector<Row> rows(std::string const& name) {
    char const* const other = std::getenv("MULTIPROCESSING_TEST_VECTORS");
    auto const here = std::filesystem::path(__FILE__).parent_path();
    auto const folder = other != nullptr ? std::filesystem::path(other) : here / "vectors";
    std::ifstream file(folder / name, std::ios::binary);
    auto const split = [](std::string const& line) {
        std::vector<std::string> cells(1);
        for (char const c : line) {
            if (c == '\t') cells.emplace_back();
            else cells.back() += c;
        }
        return cells;
    };
    std::string line;
    std::getline(file, line);
    auto const head = split(line);
    std::vector<Row> all;
    while (std::getline(file, line)) {
        auto const cells = split(line);
        Row row;
        for (std::size_t i = 0; i < std::min(head.size(), cells.size()); ++i)
            row[head[i]] = cells[i];
        all.push_back(std::move(row));
    }
    return all;
}

}  // namespace vectors
