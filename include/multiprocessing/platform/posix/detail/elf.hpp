// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/detail/elf.hpp — recognises the build of an ELF module.
// Layer 1 (platform). Mirrors no Python file.
#pragma once

#include <multiprocessing/platform/module.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace multiprocessing::platform::inline posix::detail {

using ProgramHeader = ElfW(Phdr);
using ProgramHeaders = std::span<ProgramHeader const>;

/// Consumes memory by the word: a code segment without a build id may be many megabytes.
class Hash {
public:
    void add(std::uint64_t word) {
        state_ = (state_ ^ word) * 0x9e37'79b9'7f4a'7c15;
        state_ ^= state_ >> 29;
    }
    void add(std::byte const* data, std::size_t bytes) {
        add(bytes);
        for (; bytes >= sizeof(std::uint64_t); data += sizeof(std::uint64_t)) {
            std::uint64_t word;
            std::memcpy(&word, data, sizeof word);
            add(word);
            bytes -= sizeof word;
        }
        std::uint64_t rest = 0;
        std::memcpy(&rest, data, bytes);
        add(rest);
    }
    Fingerprint result() const { return Fingerprint{state_ == 0 ? 1 : state_}; }

private:
    std::uint64_t state_ = 0x6d70'696d'6167'6531;
};

/// The build id among the notes of one PT_NOTE segment, or nothing.
inline std::span<std::byte const> build_id(std::span<std::byte const> notes,
                                           std::size_t alignment) {
    auto const padded = [=](std::size_t n) { return (n + alignment - 1) / alignment * alignment; };
    using Note = ElfW(Nhdr);
    while (notes.size() >= sizeof(Note)) {
        Note note;
        std::memcpy(&note, notes.data(), sizeof note);
        auto const id_at = sizeof note + padded(note.n_namesz);
        auto const end = id_at + padded(note.n_descsz);
        if (id_at + note.n_descsz > notes.size()) break;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
            std::memcmp(notes.data() + sizeof note, "GNU", 4) == 0 && note.n_descsz != 0)
            return notes.subspan(id_at, note.n_descsz);
        notes = notes.subspan(end < notes.size() ? end : notes.size());
    }
    return {};
}

/// `bytes_of(header)` gives a segment's bytes as the file has them: out of memory or the file
/// itself.
template <class BytesOf>
Fingerprint build_id_fingerprint(ProgramHeaders headers, BytesOf const& bytes_of) {
    for (ProgramHeader const& header : headers) {
        if (header.p_type != PT_NOTE) continue;
        auto const id = build_id(bytes_of(header), header.p_align == 8 ? 8 : 4);
        if (id.empty()) continue;
        Hash hash;
        hash.add(id.data(), id.size());
        return hash.result();
    }
    return {};
}

template <class BytesOf>
Fingerprint code_fingerprint(ProgramHeaders headers, BytesOf const& bytes_of) {
    Hash hash;
    for (ProgramHeader const& header : headers) {
        for (std::uint64_t field : {std::uint64_t{header.p_type}, std::uint64_t{header.p_flags},
                                    std::uint64_t{header.p_offset}, std::uint64_t{header.p_vaddr},
                                    std::uint64_t{header.p_filesz}, std::uint64_t{header.p_memsz}})
            hash.add(field);
        if (header.p_type != PT_LOAD || (header.p_flags & PF_X) == 0) continue;
        auto const code = bytes_of(header);
        hash.add(code.data(), code.size());
    }
    return hash.result();
}

inline auto bytes_in_memory(std::uintptr_t base) {
    return [base](ProgramHeader const& header) {
        auto const* const start = reinterpret_cast<std::byte const*>(base + header.p_vaddr);
        return std::span(start, header.p_filesz);
    };
}

/// A file mapped read-only; empty if that failed.
class MappedFile {
public:
    explicit MappedFile(char const* path) {
        int const fd = ::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0) return;
        struct stat status {};
        if (::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
            auto const size = static_cast<std::size_t>(status.st_size);
            void* const data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
            if (data != MAP_FAILED) bytes_ = {static_cast<std::byte const*>(data), size};
        }
        ::close(fd);
    }
    MappedFile(MappedFile const&) = delete;
    MappedFile& operator=(MappedFile const&) = delete;
    ~MappedFile() {
        if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
    }
    std::span<std::byte const> part(std::uint64_t offset, std::uint64_t bytes) const {
        if (offset > bytes_.size() || bytes > bytes_.size() - offset) return {};
        return bytes_.subspan(offset, bytes);
    }

private:
    std::span<std::byte const> bytes_;
};

/// What fingerprint_of would say if the file were loaded. Zero if it is no library for this
/// machine.
inline Fingerprint file_fingerprint(char const* path) {
    MappedFile const file(path);
    auto const start = file.part(0, sizeof(ElfW(Ehdr)));
    if (start.empty()) return {};
    ElfW(Ehdr) elf;
    std::memcpy(&elf, start.data(), sizeof elf);
    constexpr int native_class = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
    if (std::memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0 || elf.e_ident[EI_CLASS] != native_class ||
        elf.e_phentsize != sizeof(ProgramHeader))
        return {};
    auto const raw = file.part(elf.e_phoff, std::uint64_t{elf.e_phnum} * sizeof(ProgramHeader));
    std::vector<ProgramHeader> headers(raw.size() / sizeof(ProgramHeader));
    if (headers.empty()) return {};
    std::memcpy(headers.data(), raw.data(), raw.size());
    auto const bytes_of = [&](ProgramHeader const& h) { return file.part(h.p_offset, h.p_filesz); };
    auto const id = build_id_fingerprint(headers, bytes_of);
    return id != Fingerprint{} ? id : code_fingerprint(headers, bytes_of);
}

} // namespace multiprocessing::platform::inline posix::detail
