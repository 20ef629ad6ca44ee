// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/detail/pe.hpp — reads the headers of an executable or DLL.
// Layer 1 (platform). Mirrors no Python file.
#pragma once

#include <multiprocessing/detail/hash.hpp>
#include <multiprocessing/platform/module.hpp>
#include <multiprocessing/platform/win32/detail/api.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>

namespace multiprocessing::platform::inline win32::detail {

struct PeSection {
    std::uint32_t memory_bytes = 0;
    std::uint32_t address = 0;  // from the start of the module in memory
    std::uint32_t file_bytes = 0;
    std::uint32_t file_offset = 0;
    std::uint32_t flags = 0;

    [[nodiscard]] bool is_code() const noexcept { return (flags & 0x2000'0000) != 0; }
    [[nodiscard]] bool is_writable() const noexcept { return (flags & 0x8000'0000) != 0; }
};

/// The headers in a file or in memory: the loader changes only the address they wish for.
class PeHeaders {
public:
    enum class Place { memory, file };

    /// Of a module that stays loaded meanwhile.
    static PeHeaders of_loaded(module_t module) noexcept {
        auto const* const start = reinterpret_cast<std::byte const*>(module);
        PeHeaders headers({start, 4096}, Place::memory);  // the first page is there in any case
        if (!headers.is_valid()) return headers;
        return {{start, headers.number(headers.optional_ + 56)}, Place::memory};  // SizeOfImage
    }

    PeHeaders(std::span<std::byte const> bytes, Place place) noexcept
        : bytes_(bytes), place_(place) {
        std::size_t const pe = number(0x3c);
        if (number<std::uint16_t>(0) != 0x5a4d || number(pe) != 0x4550) return;
        constexpr std::uint16_t x86_64 = 0x8664;
        constexpr std::uint16_t pe32_plus = 0x20b;
        optional_ = pe + 24;
        valid_ = number<std::uint16_t>(pe + 4) == x86_64 &&
                 number<std::uint16_t>(optional_) == pe32_plus;
        if (!valid_) return;
        sections_ = optional_ + number<std::uint16_t>(pe + 20);
        section_count_ = number<std::uint16_t>(pe + 6);
    }

    /// Whether these are the headers of a 64-bit module.
    [[nodiscard]] bool is_valid() const noexcept { return valid_; }

    [[nodiscard]] std::size_t section_count() const noexcept { return section_count_; }
    [[nodiscard]] PeSection section(std::size_t index) const noexcept {
        std::size_t const at = sections_ + index * 40;
        return {number(at + 8), number(at + 12), number(at + 16), number(at + 20), number(at + 36)};
    }
    /// Empty if there is none of this name, of at most eight characters.
    [[nodiscard]] PeSection section(std::string_view name) const noexcept {
        for (std::size_t index = 0; index < section_count_; ++index) {
            auto const field = part(sections_ + index * 40, 8);
            std::string_view text(reinterpret_cast<char const*>(field.data()), field.size());
            if (text.substr(0, text.find('\0')) == name) return section(index);
        }
        return {};
    }

    /// From the build id that the linker left; else from the time of linking and the sizes.
    [[nodiscard]] Fingerprint fingerprint() const noexcept {
        if (!valid_) return {};
        std::uint64_t hash = multiprocessing::detail::fnv1a_offset;
        auto const add = [&hash](std::uint64_t value) {
            hash = multiprocessing::detail::fnv1a(value, hash);
        };
        auto const id = build_id();
        for (std::size_t at = 0; at + 4 <= id.size(); at += 4) {
            std::uint32_t word = 0;
            std::memcpy(&word, id.data() + at, sizeof word);
            add(word);
        }
        if (id.empty()) {
            add(number(optional_ - 16));  // time stamp
            for (unsigned const at : {4u, 8u, 12u, 16u, 56u, 64u}) add(number(optional_ + at));
            for (std::size_t index = 0; index < section_count_; ++index) {
                PeSection const s = section(index);
                for (std::uint32_t const field : {s.memory_bytes, s.address, s.file_bytes, s.flags})
                    add(field);
            }
        }
        return Fingerprint{hash == 0 ? 1 : hash};
    }

private:
    [[nodiscard]] std::span<std::byte const> part(std::size_t at,
                                                  std::size_t bytes) const noexcept {
        bool const inside = at <= bytes_.size() && bytes <= bytes_.size() - at;
        return inside ? bytes_.subspan(at, bytes) : std::span<std::byte const>();
    }
    /// Zero where the headers end before it.
    template <class T = std::uint32_t>
    [[nodiscard]] T number(std::size_t at) const noexcept {
        auto const field = part(at, sizeof(T));
        T value = 0;
        if (!field.empty()) std::memcpy(&value, field.data(), sizeof value);
        return value;
    }

    [[nodiscard]] std::size_t offset_of(std::uint32_t address) const noexcept {
        if (place_ == Place::memory) return address;
        for (std::size_t index = 0; index < section_count_; ++index) {
            PeSection const s = section(index);
            if (address >= s.address && address - s.address < s.file_bytes)
                return s.file_offset + (address - s.address);
        }
        return std::numeric_limits<std::size_t>::max();
    }

    /// The identifier in a CodeView record of the debug directory.
    [[nodiscard]] std::span<std::byte const> build_id() const noexcept {
        if (number(optional_ + 108) <= 6) return {};
        std::size_t const directory = offset_of(number(optional_ + 160));
        std::size_t const bytes = number(optional_ + 164);
        if (part(directory, bytes).empty()) return {};
        for (std::size_t at = 0; at + 28 <= bytes; at += 28) {
            constexpr std::uint32_t codeview = 2;
            constexpr std::uint32_t rsds = 0x5344'5352;
            std::size_t const record = offset_of(number(directory + at + 20));
            if (number(directory + at + 12) == codeview && number(record) == rsds)
                return part(record + 4, 16);
        }
        return {};
    }

    std::span<std::byte const> bytes_;
    Place place_;
    bool valid_ = false;
    std::size_t optional_ = 0;  // offset of the optional header
    std::size_t sections_ = 0;  // offset of the table of sections
    std::size_t section_count_ = 0;
};

}  // namespace multiprocessing::platform::inline win32::detail
