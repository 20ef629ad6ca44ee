// SPDX-License-Identifier: MIT
// tests/support/capture.hpp — what is written to stdout or stderr meanwhile, by this process and its
// children.
#pragma once

#include <multiprocessing/forkserver.hpp>

#include <cstdio>
#include <string>

#include <unistd.h>

namespace test {

class Capture {
public:
    explicit Capture(std::FILE* stream)
        : stream_(stream), file_(std::tmpfile()), saved_(::dup(::fileno(stream))) {
        multiprocessing::forkserver::stop_server();  // its children write where it does
        std::fflush(stream_);
        ::dup2(::fileno(file_), ::fileno(stream_));
    }
    Capture(Capture const&) = delete;
    Capture& operator=(Capture const&) = delete;
    ~Capture() {
        restore();
        std::fclose(file_);
    }

    /// All that was written, once; afterwards the stream is the old one.
    std::string text() {
        restore();
        std::string result;
        std::rewind(file_);
        for (int c = std::fgetc(file_); c != EOF; c = std::fgetc(file_))
            if (c != '\r') result += static_cast<char>(c);  // text has some on Windows
        return result;
    }

private:
    void restore() {
        if (saved_ < 0) return;
        multiprocessing::forkserver::stop_server();
        std::fflush(stream_);
        ::dup2(saved_, ::fileno(stream_));
        ::close(saved_);
        saved_ = -1;
    }

    std::FILE* stream_;
    std::FILE* file_;
    int saved_;
};

struct CaptureStderr : Capture {
    CaptureStderr() : Capture(stderr) {}
};

}  // namespace test
