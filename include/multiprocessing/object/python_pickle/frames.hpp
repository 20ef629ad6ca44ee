// SPDX-License-Identifier: MIT
// multiprocessing/object/python_pickle/frames.hpp — the bytes of a pickle as it is written.
// Layer 3 (object). Mirrors _Framer of Lib/pickle.py.
#pragma once

#include <multiprocessing/object/python_pickle/opcode.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace multiprocessing::detail {

/// Collects opcodes and operands in frames of 64 KiB; larger payloads lie between two frames.
class PickleFrames {
public:
    explicit PickleFrames(std::uint8_t protocol) {
        put(Opcode::proto);
        put_number(protocol, 1);
        open_frame();
    }

    void put(Opcode code) { out_ += static_cast<char>(code); }
    /// Lowest byte first.
    void put_number(std::uint64_t value, int bytes) {
        for (int i = 0; i < bytes; ++i) out_ += static_cast<char>(value >> (8 * i));
    }
    void put_raw(std::string_view bytes) { out_ += bytes; }

    /// A payload with the opcode for its size: that of one byte, of four, of eight.
    void put_payload(Opcode byte, Opcode word, Opcode any, std::string_view payload) {
        bool const bare = begin_payload(payload);
        if (payload.size() < 0x100) put_head(byte, payload, 1);
        else if (payload.size() <= 0xffffffff) put_head(word, payload, 4);
        else put_head(any, payload, 8);
        end_payload(payload, bare);
    }
    /// Where there is but one opcode, with eight bytes.
    void put_payload(Opcode any, std::string_view payload) {
        bool const bare = begin_payload(payload);
        put_head(any, payload, 8);
        end_payload(payload, bare);
    }

    /// To be called before each value.
    void between_values() {
        if (fill() < frame_size) return;
        close_frame();
        open_frame();
    }

    std::string take() {
        close_frame();
        return std::move(out_);
    }

private:
    static constexpr std::size_t frame_size = 65536;
    static constexpr std::size_t head_size = 9;

    std::size_t fill() const noexcept { return out_.size() - start_; }
    void open_frame() {
        out_.append(head_size, '\0');
        start_ = out_.size();
    }
    // A frame of fewer than four bytes goes without its head.
    void close_frame() {
        auto const head = start_ - head_size;
        auto const size = std::uint64_t{fill()};
        if (size < 4) {
            out_.erase(head, head_size);
            return;
        }
        out_[head] = static_cast<char>(Opcode::frame);
        for (std::size_t i = 0; i < 8; ++i) out_[head + 1 + i] = static_cast<char>(size >> (8 * i));
    }

    bool begin_payload(std::string_view payload) {
        bool const bare = payload.size() >= frame_size;
        if (bare) close_frame();
        return bare;
    }
    void put_head(Opcode code, std::string_view payload, int bytes) {
        put(code);
        put_number(payload.size(), bytes);
    }
    void end_payload(std::string_view payload, bool bare) {
        out_ += payload;
        if (bare) open_frame();
    }

    std::string out_;
    std::size_t start_ = 0;  // where the bytes of the open frame begin
};

}  // namespace multiprocessing::detail
