// SPDX-License-Identifier: Apache-2.0
// A connection to a server of this machine that sends what no decent client would, as slowly as it likes.

internal import Foundation
internal import Glibc

/// A connection whose bytes are a test's own. It waits without holding a thread.
package final class RawConnection: Sendable {
    /// What a server answered.
    package struct Answer: Sendable {
        /// The status; 0 where it closed without a word.
        package let status: Int
        /// The status line and the fields, their names in lower case.
        package let head: String
        /// The content.
        package let text: String
    }

    /// A connection that could not be made.
    package struct Refused: Error {
        /// Why.
        package let errno: Int32
    }

    private let descriptor: Int32

    /// Connects to a port of loopback.
    ///
    /// - Parameters:
    ///   - source: the last three bytes of the 127 address that it comes from.
    ///   - window: bytes that the kernel takes in for a client that does not read; nil = as ever.
    package init(port: Int, from source: UInt32 = 1, window: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Refused(errno: errno) }
        if var window {
            unsafe setsockopt(
                descriptor, SOL_SOCKET, SO_RCVBUF, &window, socklen_t(MemoryLayout<Int32>.size))
        }
        let from = Self.address(0x7F00_0000 | source, 0)
        guard unsafe Self.with(from, { unsafe bind(descriptor, $0, $1) }) == 0,
            unsafe Self.with(Self.address(0x7F00_0001, port), { unsafe connect(descriptor, $0, $1) }) == 0
        else {
            let number = errno
            Glibc.close(descriptor)
            throw Refused(errno: number)
        }
    }

    deinit { Glibc.close(descriptor) }

    /// Ends our side.
    package func finish() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Sends what the kernel takes now.
    ///
    /// - Returns: how many bytes; nil when the server is gone.
    package func offer(_ bytes: some Collection<UInt8>) -> Int? {
        let bytes = Array(bytes)
        let sent = unsafe bytes.withUnsafeBytes { buffer in
            unsafe Glibc.send(
                descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
        }
        if sent >= 0 { return sent }
        return errno == EAGAIN || errno == EINTR ? 0 : nil
    }

    /// Sends a text, all of it unless the server goes away meanwhile.
    package func send(_ text: String) async throws {
        var rest = Array(text.utf8)[...]
        try await until {
            guard let sent = offer(rest) else { return true }
            rest = rest.dropFirst(sent)
            return rest.isEmpty
        }
    }

    /// What has come by now.
    ///
    /// - Returns: the bytes, none where nothing came; nil when the server has ended its side, or reset it.
    package func take() -> [UInt8]? {
        var block = [UInt8](repeating: 0, count: 1 << 16)
        let count = unsafe block.withUnsafeMutableBytes { buffer in
            unsafe recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
        }
        if count > 0 { return Array(block[..<count]) }
        return count < 0 && (errno == EAGAIN || errno == EINTR) ? [] : nil
    }

    /// Whether the server has ended its side; what it sent before is thrown away.
    package var isEnded: Bool {
        while let bytes = take() { if bytes.isEmpty { return false } }
        return true
    }

    /// Waits for a whole answer with a length, or for the end of the connection.
    ///
    /// - Parameter meanwhile: is called at each look.
    package func answer(_ meanwhile: () -> Void = {}) async throws -> Answer {
        var received: [UInt8] = []
        var answer: Answer?
        try await until {
            meanwhile()
            guard let bytes = take() else {
                answer = Self.answer(received) ?? Answer(status: 0, head: "", text: "")
                return true
            }
            received += bytes
            answer = Self.answer(received)
            return answer != nil
        }
        return answer ?? Answer(status: 0, head: "", text: "")
    }

    private static func answer(_ bytes: [UInt8]) -> Answer? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else { return nil }
        let head = text[..<end.lowerBound].split(separator: "\r\n").map { line in
            guard let colon = line.firstIndex(of: ":") else { return String(line) }
            return line[..<colon].lowercased() + line[colon...]
        }.joined(separator: "\r\n")
        let length = head.firstMatch(of: /content-length: *(\d+)/).flatMap { Int($0.output.1) }
        guard let length, text[end.upperBound...].utf8.count >= length,
            let status = head.firstMatch(of: /^HTTP\/1\.\d (\d+)/).flatMap({ Int($0.output.1) })
        else { return nil }
        return Answer(status: status, head: head, text: String(text[end.upperBound...]))
    }

    private static func address(_ host: UInt32, _ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = host.bigEndian
        return address
    }

    private static func with(
        _ address: sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = address
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe body(pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}

/// The limits of the test's own process.
package enum OwnLimits {
    /// Lets this process open as many files as the system allows.
    ///
    /// - Returns: how many.
    package static func raiseFiles() -> Int {
        var limit = rlimit()
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return Int(clamping: limit.rlim_cur)
    }
}
